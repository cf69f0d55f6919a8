import * as z from "zod";

/** Bump when an older bridge could misread a newer file; a bridge refuses a version it does not know. */
export const CONFIG_VERSION = 1;

const durationMs = z.number().int().min(0);

export const upstreamConfig = z.strictObject({
  name: z.string(),
  protocol: z.enum(["OpenAI", "Ollama"]),
  url: z.string(),
  /** Models routed here; empty: every model no other upstream names. */
  models: z.array(z.string()).default([]),
  maxConcurrency: z.number().int().min(1),
  /** File with the bearer token, re-read when it changes. */
  tokenFile: z.string().optional(),
  timeouts: z.strictObject({ connectMs: durationMs, firstByteMs: durationMs, idleMs: durationMs }),
});

/** `config.json`: what makes a revision. Immutable for the life of a pod. */
export const bridgeConfig = z.strictObject({
  version: z.literal(CONFIG_VERSION),
  bridge: z.string(),
  namespace: z.string(),
  revision: z.string(),
  upstreams: z.array(upstreamConfig).min(1),
  cache: z.strictObject({
    ttlMs: durationMs,
    /** File with a redis:// URL; absent: no L2. */
    redisUrlFile: z.string().optional(),
  }),
  /** Usage records; absent: none are written. */
  postgres: z.strictObject({ urlFile: z.string() }).optional(),
  workers: z.strictObject({
    /** Worker threads may be resized below this without a restart. 0: jobs run on the main thread. */
    cap: z.number().int().min(0),
    heapMiB: z.number().int().min(16),
  }),
  limits: z.strictObject({
    bodyBytes: z.number().int().min(1024),
    /** Longest a request may take: headers to last byte. 0: no limit. */
    requestMs: durationMs,
  }),
});
export type BridgeConfig = z.infer<typeof bridgeConfig>;
export type UpstreamConfig = z.infer<typeof upstreamConfig>;

/** `runtime.json`: numbers the operator may change under running pods. `generation` rises with every change. */
export const runtimeConfig = z.strictObject({
  version: z.literal(CONFIG_VERSION),
  generation: z.number().int().min(1),
  /** Ceiling of Postgres connections of this pod, over all its isolates. */
  postgresConnections: z.number().int().min(0),
  /** Ceiling of Redis connections of this pod. */
  redisConnections: z.number().int().min(0),
  /** Ceilings of sockets to each upstream, by upstream name. */
  httpConnections: z.record(z.string(), z.number().int().min(1)),
  idleHttpConnections: z.number().int().min(1),
  /** Worker threads wanted, at most workers.cap. */
  workers: z.number().int().min(0),
  cacheBytes: z.number().int().min(0),
  /** Age after which a connection is asked to reconnect (jittered +-20 %). */
  maxConnectionAgeMs: durationMs,
  /** The same for WebSockets; default for files that lack it: 15 minutes. */
  maxAgentConnectionAgeMs: durationMs.default(900_000),
  drain: z.strictObject({
    /** After SIGTERM: keep accepting for this long while endpoints learn of it. */
    settleMs: durationMs,
    /** Then wait this long for requests and streams before cutting them. */
    deadlineMs: durationMs,
  }),
});
export type RuntimeConfig = z.infer<typeof runtimeConfig>;
