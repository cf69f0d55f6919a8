/** Columns as wide as their widest cell, three spaces apart, nothing at the ends of lines. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (found, row) => row.map((cell, index) => Math.max(found[index] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) => `${lineText(row, widths)}\n`).join("");
}

/** One row under given widths; cells that are wider push the rest to the right. */
export function lineText(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((cell, index) => cell.padEnd(widths[index] ?? 0))
    .join("   ")
    .trimEnd();
}
