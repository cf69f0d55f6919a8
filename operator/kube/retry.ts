import { backoffMs, type Random } from "./clock.ts";
import { ApiError, isInvalid } from "./errors.ts";

/** How often one request is sent at most. */
export const MAX_TRIES = 4;

/**
 * Reads a Retry-After header (RFC 9110 §10.2.3): seconds, or an HTTP date.
 * @param nowMs wall clock
 * @returns milliseconds to wait, or undefined when there is no such header or it makes no sense
 */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined || header.trim() === "") return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return seconds >= 0 ? seconds * 1000 : undefined;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

export interface Failure {
  readonly error: unknown;
  /** Tries so far, this one included. */
  readonly tries: number;
  /** Sending it twice does the same as sending it once. */
  readonly idempotent: boolean;
}

/**
 * Says whether and when a failed request is sent again.
 *
 * - 429: always; the server has not begun to work on it.
 * - 503 with Retry-After: always, for the same reason.
 * - 500, 502, 503, 504 and network failures: only when idempotent, since the first try may have succeeded unseen.
 * - everything else, and what the server calls invalid by whatever code: never.
 *
 * The wait is what the server asked for, plus up to a quarter so that many clients do not return together, or 0.1-2 s doubling.
 * @returns milliseconds to wait, or undefined to give up
 */
export function retryDelayMs(failure: Failure, random: Random): number | undefined {
  if (failure.tries >= MAX_TRIES) return undefined;
  if (!mayRetry(failure)) return undefined;
  const asked = failure.error instanceof ApiError ? failure.error.retryAfterMs : undefined;
  if (asked !== undefined) return asked * (1 + random() / 4);
  return backoffMs(failure.tries, 200, 2000, random);
}

function mayRetry({ error, idempotent }: Failure): boolean {
  if (isInvalid(error)) return false;
  if (!(error instanceof ApiError)) return idempotent;
  if (error.code === 429) return true;
  if (error.code === 503 && error.retryAfterMs !== undefined) return true;
  return idempotent && [500, 502, 503, 504].includes(error.code);
}
