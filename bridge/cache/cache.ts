import type { Logger } from "pino";
import type { Metrics } from "../metrics/registry.ts";
import type { SecretFiles } from "../metrics/secrets.ts";
import { type CachedAnswer, leftMs } from "./answer.ts";
import { type CacheKey, type CacheSubject, cacheKey } from "./key.ts";
import { createMemoryTier } from "./memory.ts";
import { createRedisTier, type RedisTierStats } from "./redis.ts";

export type { CacheKey } from "./key.ts";

export interface AnswerCacheOptions {
  readonly metrics: Metrics;
  readonly log: Pick<Logger, "info" | "warn">;
  /** `<namespace>/<bridge>`; part of every key. */
  readonly scope: string;
  /** Bytes of the memory tier (`cacheBytes` of the runtime file); 0 turns it off. */
  readonly maxBytes: number;
  /** How long an answer may be reused, from when a pod stored it first. 0: nothing is cached. */
  readonly ttlMs: number;
  /** An answer larger than this is not kept. Default 1 MiB. */
  readonly maxAnswerBytes?: number;
  /** Absent: no second tier. */
  readonly redis?: {
    readonly urlFile: string;
    /** Told what becomes of the URL file. */
    readonly files?: SecretFiles;
    readonly connections: number;
    /** A look-up that takes longer is a miss. Default 100. */
    readonly commandTimeoutMs?: number;
    /** Time between two comparisons of the URL file, beside the file system's notices. Default 10,000. */
    readonly pollMs?: number;
  };
  /** Monotonic milliseconds. Default `performance.now`. */
  readonly now?: () => number;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly clock?: () => number;
  /** Uniform in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
}

interface AnswerCacheStats {
  readonly entries: number;
  readonly bytes: number;
  readonly maxBytes: number;
  readonly redis?: RedisTierStats;
}

/**
 * Exact cache of answers: memory in this pod, then Redis for all pods of the bridge.
 * It fails open: whatever goes wrong is a miss, and no method throws or rejects.
 * The caller stores answers that `isReusable` takes only (a stream after its terminal event) and honours `no-store` itself.
 */
export interface AnswerCache {
  /** An answer larger than this is not kept, so that it need not be held either. */
  readonly maxAnswerBytes: number;
  /** The key of a request, or undefined where its answer must not be reused (the rule stands at `cacheKey`). */
  key(subject: Omit<CacheSubject, "scope">): CacheKey | undefined;
  get(key: CacheKey): Promise<CachedAnswer | undefined>;
  /** Returns at once; the second tier is written in the background. */
  set(key: CacheKey, answer: CachedAnswer): void;
  /** Sets the memory tier's bound; the answers used last stay. */
  resize(maxBytes: number): void;
  /** Connections to Redis: 0 or 1 (more are not needed and not opened). Resolves when the old one is closed. */
  resizeRedis(connections: number): Promise<void>;
  stats(): AnswerCacheStats;
  close(): Promise<void>;
}

export function createAnswerCache(options: AnswerCacheOptions): AnswerCache {
  const now = options.now ?? (() => performance.now());
  const clock = options.clock ?? Date.now;
  const random = options.random ?? Math.random;
  const maxAnswerBytes = options.maxAnswerBytes ?? 2 ** 20;
  const memory = createMemoryTier({
    metrics: options.metrics,
    maxBytes: options.maxBytes,
    ttlMs: options.ttlMs,
    now,
  });
  const redis =
    options.redis === undefined || options.ttlMs === 0
      ? undefined
      : createRedisTier({
          ...options.redis,
          metrics: options.metrics,
          log: options.log,
          ttlMs: options.ttlMs,
          now,
          clock,
          random,
        });

  return {
    maxAnswerBytes,
    key: (subject) => (options.ttlMs === 0 ? undefined : cacheKey({ ...subject, scope: options.scope })),
    async get(key) {
      const near = memory.get(key);
      if (near !== undefined || redis === undefined) return near;
      const far = await redis.get(key);
      if (far !== undefined) memory.set(key, far, leftMs(far.storedMs, clock(), options.ttlMs));
      return far;
    },
    set(key, answer) {
      if (answer.body.length > maxAnswerBytes) return;
      memory.set(key, answer);
      redis?.set(key, { ...answer, storedMs: clock() });
    },
    resize: (maxBytes) => memory.resize(maxBytes),
    resizeRedis: async (connections) => redis?.resize(connections),
    stats: () => ({ ...memory.stats(), ...(redis === undefined ? {} : { redis: redis.stats() }) }),
    close: async () => redis?.close(),
  };
}
