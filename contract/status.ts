import * as z from "zod";

/** JSON bodies of the admin port. The operator, the CLI and tests read them; a bridge of a newer version may add fields. */

const count = z.number().int().min(0);
const bytes = z.number().int().min(0);
const share = z.number().min(0).max(1);

/** `/api/pool/stats`, and part of the others. Pool is `postgres`, `redis-cache` or `http-<upstream>`. */
export const poolStats = z.object({
  pool: z.string(),
  /** Ceiling in force. */
  limit: count,
  size: count,
  idle: count,
  waiting: count,
});
export const poolStatsBody = z.object({ pools: z.array(poolStats) });
export type PoolStats = z.infer<typeof poolStats>;

/** `/api/cache/stats`. */
export const cacheStatsBody = z.object({
  memory: z.object({ entries: count, bytes, maxBytes: bytes }),
  /** Absent where no Redis is configured. */
  redis: z.object({ connected: z.boolean(), pendingBytes: bytes }).optional(),
});
export type CacheStatsBody = z.infer<typeof cacheStatsBody>;

const workerStats = z.object({ threads: count, cap: count, busy: count, queued: count });
const runtimeStats = z.object({
  /** Newest generation that is completely in force; 0 before the first. */
  confirmedGeneration: count,
  /** Generation of the newest valid file; above the confirmed one while a lowered ceiling is not reached. */
  generation: count,
  /** Why a newer file was refused; absent while none was. */
  problem: z.string().optional(),
});

/** An alert of this pod alone, from what it sees itself. The operator's alerts over the whole bridge are another matter. */
export const localAlert = z.object({
  name: z.enum([
    "heap-after-major-gc",
    "gc-time-share",
    "event-loop-utilization",
    "pool-waiting",
    "worker-queue",
    "runtime-refused",
  ]),
  severity: z.enum(["Warning", "Critical"]),
  /** What it is about where there are several, e.g. the pool's name. */
  subject: z.string().optional(),
  value: z.number(),
  threshold: z.number(),
  /** One sentence: what is the case. */
  message: z.string(),
  /** One sentence: what to do. */
  recommendation: z.string(),
});
export type LocalAlert = z.infer<typeof localAlert>;
/** `/api/alerts`. */
export const alertsBody = z.object({ alerts: z.array(localAlert) });

/** `/health` and `/api/health` of the admin port, `/livez` and `/readyz`. */
export const healthBody = z.object({ status: z.enum(["ok", "starting", "draining"]) });
export type HealthBody = z.infer<typeof healthBody>;

/** `/api/status`. */
export const statusBody = z.object({
  bridge: z.string(),
  namespace: z.string(),
  revision: z.string(),
  pod: z.string(),
  /** Version of the bridge / of Node. */
  version: z.string(),
  node: z.string(),
  state: z.enum(["starting", "ready", "draining"]),
  uptimeSeconds: z.number().min(0),
  runtime: runtimeStats,
  requests: z.object({
    finished: count,
    inFlight: count,
    streams: count,
    webSockets: count,
    connections: count,
    errors: z.object({ bridge: count, upstream: count, client: count }),
  }),
  upstreams: z.array(
    z.object({
      name: z.string(),
      protocol: z.enum(["OpenAI", "Ollama"]),
      models: z.array(z.string()),
      pool: poolStats,
    }),
  ),
});
export type StatusBody = z.infer<typeof statusBody>;

/** `/optimization`: the numbers this pod is tuned by, and what it would change. */
export const optimizationBody = z.object({
  /** NODE_OPTIONS in force; empty where none are set. */
  nodeOptions: z.string(),
  /** Size of libuv's thread pool in force. */
  libuvThreads: count,
  heap: z.object({
    limitBytes: bytes,
    usedBytes: bytes,
    /** 0 before the first major collection. */
    afterMajorGcBytes: bytes,
    /** Memory limit of the container; absent outside of one. */
    containerLimitBytes: bytes.optional(),
  }),
  gcShare: share,
  eventLoopUtilization: share,
  workers: workerStats,
  pools: z.array(poolStats),
  cache: cacheStatsBody,
  runtime: runtimeStats,
  maxConnectionAgeMs: count,
  maxAgentConnectionAgeMs: count,
  drain: z.object({ settleMs: count, deadlineMs: count }),
  recommendations: z.array(z.string()),
});
export type OptimizationBody = z.infer<typeof optimizationBody>;
