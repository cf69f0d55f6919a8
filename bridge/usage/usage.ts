import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { createCircuit } from "../cache/circuit.ts";
import { followUrlFile } from "../cache/url-file.ts";
import type { Metrics } from "../metrics/registry.ts";
import type { SecretFiles } from "../metrics/secrets.ts";
import { createPostgresPool } from "./pool.ts";
import type { Batch, TimedRecord, UsageRecord } from "./record.ts";
import { ensureUsageTable, insertBatch } from "./table.ts";

export type { UsageRecord } from "./record.ts";

export interface UsageOptions {
  readonly metrics: Metrics;
  readonly log: Pick<Logger, "info" | "warn">;
  /** `<namespace>/<name>` of the LLMBridge and its revision hash, as they stand in every row. */
  readonly bridge: string;
  readonly revision: string;
  /** File with a postgres:// URL; followed while the process runs. */
  readonly urlFile: string;
  /** Told what becomes of the URL file. */
  readonly files?: SecretFiles | undefined;
  /** Ceiling of connections (`postgresConnections` of the runtime file). */
  readonly connections: number;
  /** Records that wait at most; further ones are dropped and counted. Default 10,000. */
  readonly maxQueued?: number;
  /** Records of one statement at most. Default 500. */
  readonly batchSize?: number;
  /** A record waits at most this long for others to join its batch. Default 500. */
  readonly flushEveryMs?: number;
  /** `close` gives up after this and drops what is left. Default 5,000. */
  readonly closeWithinMs?: number;
  /** Time between two comparisons of the URL file, beside the file system's notices. Default 10,000. */
  readonly pollMs?: number;
  /** Monotonic milliseconds. Default `performance.now`. */
  readonly now?: () => number;
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly wallClock?: () => number;
}

export interface UsageStats {
  readonly queued: number;
  readonly writing: number;
  readonly pool: {
    readonly limit: number;
    readonly size: number;
    readonly idle: number;
    readonly waiting: number;
  };
}

/** Writes what requests used to Postgres, in batches and behind a bounded queue: a request never waits for it. */
export interface Usage {
  record(record: UsageRecord): void;
  /** Resolves when no more connections than this are open. */
  resize(connections: number): Promise<void>;
  stats(): UsageStats;
  /**
   * Writes what is queued, within the time allowed, and closes all connections.
   * @param made Resolves when no more records are on their way; until then they are taken too. Default: none are.
   */
  close(made?: Promise<void>): Promise<void>;
}

/**
 * SQLSTATE classes that blame the rows: data exception and violated constraint. Written again they would fail again. All else
 * is the server's state or the account's (a password that is being rotated, a right, a standby) and passes.
 */
const ROWS_AT_FAULT = ["22", "23"];
/** The code of a table that is not there. */
const NO_TABLE = "42P01";

export function createUsage(options: UsageOptions): Usage {
  const { metrics, log } = options;
  const maxQueued = options.maxQueued ?? 10_000;
  const batchSize = options.batchSize ?? 500;
  const now = options.now ?? (() => performance.now());
  const wallClock = options.wallClock ?? Date.now;
  const written = metrics.usageRecords.labels({ result: "written" });
  const dropped = metrics.usageRecords.labels({ result: "dropped" });
  const circuit = createCircuit({ threshold: 1, restMs: 250, maxRestMs: 10_000, now, random: Math.random });

  const queue: TimedRecord[] = [];
  /** Batches whose writing failed for the server's sake; they go first, unchanged. */
  const retries: Batch[] = [];
  const writing = new Set<Promise<void>>();
  let writingRecords = 0;
  let tableReady = false;
  let isAway = false;
  let closing = false;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  const pool = createPostgresPool({
    metrics,
    connections: options.connections,
    now,
    onError: () => undefined, // an idle connection broke: the pool has dropped it, the next write opens another
  });
  const file = followUrlFile({
    path: options.urlFile,
    files: options.files,
    protocols: ["postgres:", "postgresql:"],
    ...(options.pollMs === undefined ? {} : { pollMs: options.pollMs }),
    onUrl: (url) => {
      tableReady = false;
      pool.moveTo(url).then(flush, () => undefined);
    },
    onProblem: (sentence) => log.warn(sentence),
  });

  const waiting = () => queue.length + retries.reduce((sum, batch) => sum + batch.records.length, 0);

  const nextBatch = (): Batch | undefined => {
    const again = retries.shift();
    if (again !== undefined) return again;
    if (queue.length === 0) return undefined;
    return { id: randomUUID(), records: queue.splice(0, batchSize) };
  };

  const write = async (batch: Batch): Promise<void> => {
    try {
      await pool.use(async (client) => {
        if (!tableReady) await ensureUsageTable(client);
        tableReady = true;
        await insertBatch(client, options, batch);
      });
      written.inc(batch.records.length);
      circuit.success();
      if (isAway) log.info("Postgres takes usage records again");
      isAway = false;
    } catch (error) {
      // An SQLSTATE where Postgres answered, a code of Node's where the connection failed.
      const code = (error as { code?: unknown }).code;
      if (code === NO_TABLE) tableReady = false; // it was dropped: make it again
      if (typeof code === "string" && ROWS_AT_FAULT.includes(code.slice(0, 2))) {
        dropped.inc(batch.records.length);
      } else {
        retries.push(batch);
      }
      circuit.failure();
      if (!isAway) log.warn({ code: code ?? (error as Error).name }, "Postgres does not take usage records");
      isAway = true;
    }
  };

  /** Starts as many writes as there are full batches and connections; the rest waits for the timer. */
  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    while (pool.ready && writing.size < pool.limit && waiting() > 0 && circuit.allows()) {
      const batch = nextBatch();
      if (batch === undefined) break;
      writingRecords += batch.records.length;
      const done = write(batch).finally(() => {
        writing.delete(done);
        writingRecords -= batch.records.length;
        if (queue.length >= batchSize || (closing && !circuit.open)) flush();
        else schedule();
      });
      writing.add(done);
    }
    schedule();
  }

  function schedule(): void {
    if (timer !== undefined || waiting() === 0) return;
    timer = setTimeout(flush, closing ? 50 : (options.flushEveryMs ?? 500));
    timer.unref();
  }

  return {
    record(record) {
      if (closed || waiting() + writingRecords >= maxQueued) {
        dropped.inc();
        return;
      }
      queue.push({ ...record, atMs: wallClock() });
      if (queue.length >= batchSize) flush();
      else schedule();
    },
    resize: (connections) => pool.resize(connections).then(flush),
    stats: () => ({ queued: waiting(), writing: writingRecords, pool: pool.stats() }),
    async close(made) {
      closing = true;
      let expecting = made !== undefined;
      const complete = made?.finally(() => {
        expecting = false;
      });
      const deadlineMs = now() + (options.closeWithinMs ?? 5_000);
      while (now() < deadlineMs && (expecting || waiting() > 0 || writing.size > 0)) {
        flush();
        const pause = new Promise<void>((resolve) =>
          setTimeout(resolve, Math.min(50, Math.max(1, deadlineMs - now()))),
        );
        await Promise.race([...writing, ...(expecting ? [complete] : []), pause]);
      }
      closed = true;
      clearTimeout(timer);
      dropped.inc(waiting() + writingRecords);
      queue.length = 0;
      retries.length = 0;
      file.close();
      const ended = pool.close();
      await Promise.race([ended, new Promise<void>((resolve) => setTimeout(resolve, 1_000).unref())]);
    },
  };
}
