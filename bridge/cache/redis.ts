import { once } from "node:events";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { PoolStats } from "../../contract/status.ts";
import { declarePool, type Metrics } from "../metrics/registry.ts";
import type { SecretFiles } from "../metrics/secrets.ts";
import { leftMs, packAnswer, type StoredAnswer, unpackAnswer } from "./answer.ts";
import { createCircuit } from "./circuit.ts";
import type { CacheKey } from "./key.ts";
import { followUrlFile } from "./url-file.ts";

const POOL = "redis-cache";
/** A socket that was asked to close and has not is given up after this. */
const CLOSE_WITHIN_MS = 1_000;
/** A server that refuses writes as a replica is left at most once in so long: where the URL names a replica, reading goes on. */
const READONLY_REST_MS = 10_000;
const KEY_PREFIX = "llmbridge:answer:";

export interface RedisTierOptions {
  readonly metrics: Metrics;
  readonly log: Pick<Logger, "info" | "warn">;
  /** File with a redis:// or rediss:// URL; followed while the process runs. */
  readonly urlFile: string;
  /** Told what becomes of the URL file. */
  readonly files?: SecretFiles | undefined;
  /** 0: stay away from Redis; otherwise one connection serves all requests, since commands are pipelined. */
  readonly connections: number;
  readonly ttlMs: number;
  /** A look-up that takes longer is a miss. Default 100. */
  readonly commandTimeoutMs?: number;
  /** A connection on which a command has waited so long for any byte is dead. Default 5,000. */
  readonly silenceMs?: number;
  /** Bytes of answers on their way to Redis above which further ones are not sent. Default 8 MiB. */
  readonly pendingBytes?: number;
  /** Time between two comparisons of the URL file, beside the file system's notices. Default 10,000. */
  readonly pollMs?: number;
  readonly now: () => number;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly random: () => number;
}

/** The second tier: shared by the pods of a bridge. Every failure is a miss. */
export interface RedisTier {
  get(key: CacheKey): Promise<StoredAnswer | undefined>;
  set(key: CacheKey, answer: StoredAnswer): void;
  /** Resolves when the connection is closed (0) or asked for (1 and above). */
  resize(connections: number): Promise<void>;
  stats(): RedisTierStats;
  close(): Promise<void>;
}

export interface RedisTierStats {
  readonly connected: boolean;
  readonly circuitOpen: boolean;
  readonly pendingBytes: number;
  /** The one connection as a pool. Nothing waits for it: commands are pipelined. */
  readonly pool: PoolStats;
}

/** Connects as soon as the URL file holds an address and `connections` allows it. */
export function createRedisTier(options: RedisTierOptions): RedisTier {
  const { metrics, log } = options;
  const maxPendingBytes = options.pendingBytes ?? 8 * 2 ** 20;
  const circuit = createCircuit({ now: options.now, random: options.random });
  const hits = metrics.cacheLookups.labels({ tier: "redis", result: "hit" });
  const misses = metrics.cacheLookups.labels({ tier: "redis", result: "miss" });
  const errors = metrics.cacheLookups.labels({ tier: "redis", result: "error" });
  const acquiredReady = metrics.poolAcquires.labels({ pool: POOL, result: "hit" });
  let limit = Math.min(1, options.connections);
  let client: Redis | undefined;
  let url: string | undefined;
  let pendingBytes = 0;

  declarePool(metrics, POOL);
  metrics.poolLimit.set({ pool: POOL }, limit);

  const poolStats = (): PoolStats => {
    const isOpen = client !== undefined && ["connect", "ready"].includes(client.status);
    return { pool: POOL, limit, size: isOpen ? 1 : 0, idle: client?.status === "ready" ? 1 : 0, waiting: 0 };
  };
  const observe = () => {
    const { size, idle } = poolStats();
    metrics.poolSize.set({ pool: POOL }, size);
    metrics.poolIdle.set({ pool: POOL }, idle);
  };

  const connect = async (target: string): Promise<Redis> => {
    // Loaded on the first need: a bridge without Redis does without its 25 MiB.
    const ioredis = await import("ioredis");
    let leftAt = Number.NEGATIVE_INFINITY;
    const redis = new ioredis.Redis(target, {
      lazyConnect: true,
      enableAutoPipelining: true,
      // Nothing waits for a Redis that is away: the request goes to the model instead.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      commandTimeout: options.commandTimeoutMs ?? 100,
      connectTimeout: 2_000,
      // Runs only while a command waits for its reply: an idle connection is kept, one whose peer is gone without a word is not.
      socketTimeout: options.silenceMs ?? 5_000,
      // After a failover a connection that is kept leads to what is a replica now; the name leads to the new primary.
      reconnectOnError: ({ message }) => {
        const now = options.now();
        if (!message.startsWith("READONLY") || now - leftAt < READONLY_REST_MS) return false;
        leftAt = now;
        return true;
      },
      connectionName: "llmbridge",
      retryStrategy: (times) =>
        Math.min(5_000, 100 * 2 ** Math.min(times, 6)) * (0.8 + 0.4 * options.random()),
    });
    let isDown = false;
    redis.on("error", (error: Error & { code?: string }) => {
      if (isDown) return;
      isDown = true;
      log.warn(
        { code: error.code ?? error.name },
        "Redis is not reachable; answers come from the memory cache only",
      );
    });
    redis.on("ready", () => {
      if (isDown) log.info("Redis is reachable again");
      isDown = false;
      circuit.success();
    });
    for (const event of ["connect", "ready", "close", "end"]) redis.on(event, observe);
    redis.connect().catch(() => undefined); // told by the error event; ioredis keeps trying
    return redis;
  };

  const disconnect = async () => {
    const old = client;
    client = undefined;
    if (old !== undefined) {
      // Only these have a socket; in any other state ioredis ends without telling.
      const isOpen = ["connecting", "connect", "ready"].includes(old.status);
      const closed = isOpen
        ? once(old, "close", { signal: AbortSignal.timeout(CLOSE_WITHIN_MS) })
        : undefined;
      old.disconnect();
      await closed?.catch(() => undefined);
    }
    observe();
  };
  let change: Promise<void> = Promise.resolve();
  /** One change of the connection at a time, so that there is never a second one. Never rejects. */
  const reconnect = (): Promise<void> => {
    change = change.then(disconnect).then(async () => {
      if (limit === 0 || url === undefined) return;
      try {
        client = await connect(url);
      } catch (error) {
        // By name only: the message may quote the address.
        log.warn(
          { code: (error as Error).name },
          `${options.urlFile}: the Redis client does not take this URL; correct it in the Secret.`,
        );
      }
    });
    return change;
  };

  const file = followUrlFile({
    path: options.urlFile,
    files: options.files,
    protocols: ["redis:", "rediss:"],
    ...(options.pollMs === undefined ? {} : { pollMs: options.pollMs }),
    onUrl: (found) => {
      url = found;
      void reconnect();
    },
    onProblem: (sentence) => log.warn(sentence),
  });

  /** The client if it is worth asking now; the caller must report success or failure to the circuit. */
  const usable = (): Redis | undefined =>
    client !== undefined && client.status === "ready" && circuit.allows() ? client : undefined;

  return {
    async get(key) {
      const redis = usable();
      if (redis === undefined) {
        if (limit > 0) errors.inc();
        return undefined;
      }
      acquiredReady.inc();
      try {
        const packed = await redis.getBuffer(KEY_PREFIX + key);
        circuit.success();
        const answer = packed === null ? undefined : unpackAnswer(packed);
        // A version with a longer time to live may have written it.
        const isOver = answer === undefined || leftMs(answer.storedMs, options.clock(), options.ttlMs) === 0;
        (isOver ? misses : hits).inc();
        return isOver ? undefined : answer;
      } catch {
        circuit.failure();
        errors.inc();
        return undefined;
      }
    },
    set(key, answer) {
      if (pendingBytes + answer.body.length > maxPendingBytes) return;
      const redis = usable();
      if (redis === undefined) return;
      const packed = packAnswer(answer);
      pendingBytes += packed.length;
      redis
        .set(KEY_PREFIX + key, packed, "PX", options.ttlMs)
        .then(circuit.success, (error: Error) =>
          // A reply, such as "out of memory", comes from a server that answers: look-ups go on.
          error.name === "ReplyError" ? circuit.success() : circuit.failure(),
        )
        .finally(() => {
          pendingBytes -= packed.length;
        });
    },
    async resize(connections) {
      const wanted = Math.min(1, connections);
      if (wanted === limit) return;
      limit = wanted;
      await reconnect();
      metrics.poolLimit.set({ pool: POOL }, limit);
    },
    stats: () => ({
      connected: client?.status === "ready",
      circuitOpen: circuit.open,
      pendingBytes,
      pool: poolStats(),
    }),
    async close() {
      file.close();
      limit = 0;
      await reconnect();
    },
  };
}
