/** Somebody may ask to be left alone, but not for ever. */
const LONGEST_MS = 15 * 60_000;

/** `Retry-After` in milliseconds: seconds, or a date (RFC 9110, 10.2.3); undefined where it is neither. */
export function retryAfterMs(
  given: string | readonly string[] | undefined,
  nowMs: number,
): number | undefined {
  const text = typeof given === "string" ? given : given?.[0];
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(LONGEST_MS, Math.max(0, ms));
}
