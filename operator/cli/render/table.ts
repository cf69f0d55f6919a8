import { padVisible, visibleLength } from "./wrap.ts";

const GAP = "   ";

/** Columns as wide as their widest cell, three spaces apart, nothing at the ends of lines. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const widths = widthsOf(rows);
  return rows.map((row) => `${lineText(row, widths)}\n`).join("");
}

export function widthsOf(rows: readonly (readonly string[])[]): readonly number[] {
  return rows.reduce<readonly number[]>(
    (found, row) => row.map((cell, index) => Math.max(found[index] ?? 0, visibleLength(cell))),
    [],
  );
}

/** One row under given widths; cells that are wider push the rest to the right. */
export function lineText(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((cell, index) => padVisible(cell, widths[index] ?? 0))
    .join(GAP)
    .trimEnd();
}

/** The rows without the named columns, one after the other, until they fit; the head is the first row. */
export function withoutColumns(
  rows: readonly (readonly string[])[],
  columns: number,
  leastNeeded: readonly string[],
): readonly (readonly string[])[] {
  let fitting = rows;
  for (const name of leastNeeded) {
    const width = widthsOf(fitting).reduce((sum, each) => sum + each + GAP.length, -GAP.length);
    if (width <= columns) return fitting;
    const out = fitting[0]?.indexOf(name) ?? -1;
    if (out >= 0) fitting = fitting.map((row) => row.filter((_, index) => index !== out));
  }
  return fitting;
}
