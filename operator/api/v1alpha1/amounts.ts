/** What a limit of a gate and a threshold of an alert are written in. */
export type AmountUnit = "percent" | "duration" | "bytes" | "count";

/** What each unit may be written with, and how much that is: of 1, of a second, of a byte, of one. */
const SUFFIXES: Readonly<Record<AmountUnit, Readonly<Record<string, number>>>> = {
  percent: { "%": 0.01 },
  duration: { ms: 0.001, s: 1, m: 60, h: 3600 },
  bytes: { "": 1, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 },
  count: { "": 1 },
};

/**
 * One number with one suffix, fractions allowed, as the kinds `limit` and `threshold` let it be written: "0.5%" to 0.005, "1.5s" to 1.5, "512Mi" to
 * bytes. Undefined for text of another unit.
 */
export function amount(unit: AmountUnit, text: string): number | undefined {
  const [, digits, suffix = ""] = /^([0-9]+(?:[.][0-9]+)?)([%a-zA-Z]*)$/.exec(text) ?? [];
  const factor = SUFFIXES[unit][suffix];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}
