/**
 * Intervals may be longer than the analysis asks for, where the source is scraped less often. What was counted over others is other evidence, and a watch has
 * another number of them: so a subject names the length where it is longer, and is as it always was where it is not.
 */

/** "15s", or "15s over 60000ms" where `countedMs` is longer than `intervalMs`, which `interval` is. */
export const intervalText = (interval: string, intervalMs: number, countedMs: number): string =>
  countedMs > intervalMs ? `${interval} over ${countedMs}ms` : interval;

/** The length in milliseconds that a subject names; undefined where it is the analysis' own. */
export function countedOverMs(subject: string): number | undefined {
  const found = / over (\d+)ms(?:,|$)/.exec(subject)?.[1];
  return found === undefined ? undefined : Number(found);
}
