import { LRUCache } from "lru-cache";
import type { Metrics } from "../metrics/registry.ts";
import type { CachedAnswer } from "./answer.ts";
import type { CacheKey } from "./key.ts";

export interface MemoryTierOptions {
  readonly metrics: Metrics;
  /** Bound of all answers with their overhead; 0 turns the tier off. */
  readonly maxBytes: number;
  readonly ttlMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** The first tier: answers in this process, bounded by bytes, the least recently used ones leave first. */
export interface MemoryTier {
  get(key: CacheKey): CachedAnswer | undefined;
  /** @param leftMs How long the answer may still be reused. Default `ttlMs`. */
  set(key: CacheKey, answer: CachedAnswer, leftMs?: number): void;
  resize(maxBytes: number): void;
  stats(): { readonly entries: number; readonly bytes: number; readonly maxBytes: number };
}

/** What an entry costs beside its body: key, strings, Buffer object and the slots of the LRU lists. */
const OVERHEAD_BYTES = 400;

export function createMemoryTier(options: MemoryTierOptions): MemoryTier {
  const hits = options.metrics.cacheLookups.labels({ tier: "memory", result: "hit" });
  const misses = options.metrics.cacheLookups.labels({ tier: "memory", result: "miss" });
  let maxBytes = options.maxBytes;
  let cache = createLru(options, maxBytes);

  const observe = () => {
    options.metrics.cacheBytes.set(cache?.calculatedSize ?? 0);
    options.metrics.cacheEntries.set(cache?.size ?? 0);
  };

  return {
    get(key) {
      if (cache === undefined) return undefined;
      const answer = cache.get(key);
      (answer === undefined ? misses : hits).inc();
      return answer;
    },
    set(key, answer, leftMs = options.ttlMs) {
      if (cache === undefined) return;
      const { status, contentType, body } = answer;
      cache.set(key, { status, contentType, body: ownBytes(body) }, { ttl: leftMs });
      observe();
    },
    resize(bytes) {
      if (bytes === maxBytes) return;
      maxBytes = bytes;
      const entries = cache?.dump() ?? [];
      cache = createLru(options, bytes);
      cache?.load(entries);
      observe();
    },
    stats: () => ({ entries: cache?.size ?? 0, bytes: cache?.calculatedSize ?? 0, maxBytes }),
  };
}

function createLru(
  options: MemoryTierOptions,
  maxBytes: number,
): LRUCache<CacheKey, CachedAnswer> | undefined {
  if (maxBytes <= 0) return undefined;
  return new LRUCache<CacheKey, CachedAnswer>({
    maxSize: maxBytes,
    // One answer must not push out everything else.
    maxEntrySize: Math.max(1, Math.floor(maxBytes / 4)),
    sizeCalculation: (answer) => answer.body.length + answer.contentType.length + OVERHEAD_BYTES,
    ttl: options.ttlMs,
    perf: { now: options.now },
  });
}

/** The bytes in memory of their own: a small slice of a socket's buffer would keep all of that buffer alive. */
function ownBytes(body: Buffer): Buffer {
  if (body.buffer.byteLength === body.length) return body;
  const own = Buffer.allocUnsafeSlow(body.length);
  body.copy(own);
  return own;
}
