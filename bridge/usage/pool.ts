import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { Pool, PoolClient } from "pg";
import { declarePool, type Metrics } from "../metrics/registry.ts";

const POOL = "postgres";

/** A statement that takes longer has failed, and its connection with it, in milliseconds. */
const QUERY_MS = 10_000;
/** Between two attempts to take a connection that fail at once. */
const RETRY_MS = 200;

export interface PostgresPoolOptions {
  readonly metrics: Metrics;
  /** Ceiling of open connections. 0: none are opened, and `use` rejects. */
  readonly connections: number;
  /** Told of a broken idle connection. */
  readonly onError: (error: Error) => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** A pool of Postgres connections whose ceiling and address may change while it is used. */
export interface PostgresPool {
  /** Lends a connection to `work`; it is closed instead of reused where `work` rejects. */
  use<T>(work: (client: PoolClient) => Promise<T>): Promise<T>;
  /** Resolves when no more connections than this are open. Work in progress is waited for. */
  resize(connections: number): Promise<void>;
  /** Moves to another address: the old connections are closed before one to the new address is opened. */
  moveTo(url: string): Promise<void>;
  readonly limit: number;
  readonly ready: boolean;
  stats(): { readonly limit: number; readonly size: number; readonly idle: number; readonly waiting: number };
  close(): Promise<void>;
}

export function createPostgresPool(options: PostgresPoolOptions): PostgresPool {
  const { metrics } = options;
  const acquireSeconds = metrics.poolAcquireSeconds.labels({ pool: POOL });
  const acquireHits = metrics.poolAcquires.labels({ pool: POOL, result: "hit" });
  const acquireMisses = metrics.poolAcquires.labels({ pool: POOL, result: "miss" });
  let limit = options.connections;
  let pool: Pool | undefined;
  declarePool(metrics, POOL);
  metrics.poolLimit.set({ pool: POOL }, limit);

  const stats = () => ({
    limit,
    size: pool?.totalCount ?? 0,
    idle: pool?.idleCount ?? 0,
    waiting: pool?.waitingCount ?? 0,
  });
  const observe = () => {
    const { size, idle, waiting } = stats();
    metrics.poolSize.set({ pool: POOL }, size);
    metrics.poolIdle.set({ pool: POOL }, idle);
    metrics.poolWaiting.set({ pool: POOL }, waiting);
  };

  const open = async (url: string): Promise<Pool> => {
    // Loaded on the first need: a bridge that records no usage does without its 10 MiB.
    const { default: pg } = await import("pg");
    const opened = new pg.Pool({
      connectionString: url,
      application_name: "llmbridge",
      // pg reads 0 as "the default of 10"; at 0 `use` refuses before it asks the pool.
      max: Math.max(1, limit),
      connectionTimeoutMillis: 3_000,
      idleTimeoutMillis: 30_000,
      query_timeout: QUERY_MS,
      keepAlive: true,
      allowExitOnIdle: true,
    });
    opened.on("error", options.onError);
    // A lent connection that breaks emits too; without a listener that would end the process. The query rejects anyway.
    opened.on("connect", (client) => client.on("error", () => undefined));
    for (const event of ["connect", "acquire", "remove"] as const) opened.on(event, observe);
    opened.on("release", () => setImmediate(observe)); // pg tells before it counts
    return opened;
  };

  let change: Promise<void> = Promise.resolve();
  const inTurn = (step: () => Promise<void>): Promise<void> => {
    change = change.catch(() => undefined).then(step);
    return change;
  };

  /** Closes one connection and waits until its socket is closed; takes an idle one, or the first that is given back. */
  const closeOne = async (from: Pool) => {
    const client = await from.connect();
    // A server that hangs does not close its side either; what it is told is no longer ours.
    const removed = once(from, "remove", { signal: AbortSignal.timeout(QUERY_MS) });
    client.release(true);
    await removed;
  };

  /**
   * Closes connections until no more than `limit` are open. While Postgres hangs none is given back in pg's time for that; but each is in use
   * no longer than its statements may take, and a failed one is closed. So it is asked for again: never to be small enough would leave
   * the numbers of this pod unconfirmed until the next ones come.
   */
  const shrink = async (from: Pool) => {
    while (from.totalCount > limit) await closeOne(from).catch(() => delay(RETRY_MS));
  };

  return {
    get limit() {
      return limit;
    },
    get ready() {
      return limit > 0 && pool !== undefined;
    },
    stats,
    async use(work) {
      const from = pool;
      if (limit === 0 || from === undefined)
        throw new Error("Postgres: no connection is allowed or no URL is known yet.");
      (from.idleCount > 0 ? acquireHits : acquireMisses).inc();
      const startMs = options.now();
      const asked = from.connect();
      observe();
      const client = await asked;
      acquireSeconds.observe((options.now() - startMs) / 1000);
      let failed = true;
      try {
        const result = await work(client);
        failed = false;
        return result;
      } finally {
        client.release(failed);
      }
    },
    resize: (connections) =>
      inTurn(async () => {
        const before = limit;
        limit = connections;
        if (pool !== undefined) {
          pool.options.max = Math.max(1, limit);
          await shrink(pool);
        }
        if (before !== limit) metrics.poolLimit.set({ pool: POOL }, limit);
        observe();
      }),
    moveTo: (url) =>
      inTurn(async () => {
        const old = pool;
        pool = undefined;
        await old?.end();
        pool = await open(url);
        observe();
      }),
    close: () =>
      inTurn(async () => {
        const old = pool;
        pool = undefined;
        limit = 0;
        await old?.end();
        observe();
      }),
  };
}
