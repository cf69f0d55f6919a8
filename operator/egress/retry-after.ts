import { parseRetryAfter } from "../kube/retry.ts";

/** Somebody may ask to be left alone, but not for ever. */
const LONGEST_MS = 15 * 60_000;

/** `Retry-After` in milliseconds, as parseRetryAfter reads it, but no longer than that. */
export function retryAfterMs(
  given: string | readonly string[] | undefined,
  nowMs: number,
): number | undefined {
  const text = typeof given === "string" ? given : given?.[0];
  const ms = parseRetryAfter(text, nowMs);
  return ms === undefined ? undefined : Math.min(LONGEST_MS, ms);
}
