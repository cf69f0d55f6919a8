import type { Clock } from "./clock.ts";

/** One bucket per id: `capacity` tokens at once, then one more per `refillMs`. */
export interface TokenBuckets {
  /** Takes a token if there is one. */
  take(id: string): boolean;
}

/** Full buckets say nothing, so they are dropped once there are more than these. */
const SWEEP_ABOVE = 1000;

export function createTokenBuckets(options: {
  readonly capacity: number;
  readonly refillMs: number;
  readonly clock: Clock;
}): TokenBuckets {
  const { capacity, refillMs, clock } = options;
  const buckets = new Map<string, { tokens: number; atMs: number }>();

  const filled = (bucket: { tokens: number; atMs: number }, nowMs: number): number =>
    Math.min(capacity, bucket.tokens + (nowMs - bucket.atMs) / refillMs);

  return {
    take(id) {
      const atMs = clock.monotonic();
      const bucket = buckets.get(id);
      const tokens = bucket ? filled(bucket, atMs) : capacity;
      if (!bucket && buckets.size >= SWEEP_ABOVE) {
        for (const [other, held] of buckets) if (filled(held, atMs) >= capacity) buckets.delete(other);
      }
      buckets.set(id, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs });
      return tokens >= 1;
    },
  };
}
