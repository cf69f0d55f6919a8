/**
 * Most levels of arrays and objects within each other that are taken from outside, the outermost included. Far above what schemas and
 * messages have, and far below the some 4,000 that JSON.parse still reads, but that overflow the stack of all that walks them later,
 * JSON.stringify first.
 */
export const MAX_NESTING = 200;

/** Whether a parsed value has more levels than given. Costs a few per cent of the parsing: texts and numbers are not looked at. */
export function isNestedDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === "object" && isNestedDeeper(item, levels - 1)) return true;
    return false;
  }
  const fields = value as Record<string, unknown>;
  for (const name in fields) {
    const field = fields[name];
    if (typeof field === "object" && isNestedDeeper(field, levels - 1)) return true;
  }
  return false;
}

/** Whether a parsed value is an object, and not null or an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
