import { setImmediate } from "node:timers/promises";
import type { Logger } from "pino";
import type { Metrics } from "../metrics/registry.ts";
import type { Encoding } from "./compress.ts";
import { JOB_KINDS, type Job, type JobResult, runJob } from "./job.ts";
import { createAgeingQueue, type Priority } from "./queue.ts";
import { observeThreads } from "./sample.ts";
import type { Thread } from "./thread.ts";
import { encodeCount, type TokenCount } from "./tokens.ts";

export type { Encoding } from "./compress.ts";

export interface WorkersOptions {
  readonly metrics: Metrics;
  readonly log: Pick<Logger, "warn">;
  /** Threads that may run at most; `resize` above it is capped. 0: jobs run on the main thread. */
  readonly cap: number;
  /** Threads to start with. */
  readonly count: number;
  /** Heap limit of each thread. */
  readonly heapMiB: number;
  /** Jobs that wait at most; further ones reject with `WorkersBusyError`. Default 1,000. */
  readonly maxQueued?: number;
  /** A job that runs longer rejects and its thread is replaced. Default 30,000. */
  readonly jobTimeoutMs?: number;
  /** Waiting by which a job makes up for one class of priority. Default 500. */
  readonly ageMs?: number;
  /** Monotonic milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}

interface JobOptions {
  /** Default `normal`. */
  readonly priority?: Priority;
}

interface WorkersStats {
  readonly threads: number;
  readonly cap: number;
  readonly busy: number;
  readonly queued: number;
}

/** The queue of jobs is full: this process is overloaded. */
export class WorkersBusyError extends Error {
  override readonly name = "WorkersBusyError";
}

/**
 * Worker threads for jobs that would hold the main thread for more than 0.5 ms. Which job runs where is measured
 * (docs/decisions/0003-worker-jobs.md): compression of bodies below `INLINE_BYTES` is done at once on the calling thread.
 */
export interface Workers {
  /** Tokens of the texts, by the model's vocabulary. */
  countTokens(count: TokenCount, options?: JobOptions): Promise<number>;
  /** The body in an encoding. Rejects where the thread dies or the queue is full; the caller may send the body as it is. */
  compress(body: Uint8Array, encoding: Encoding, options?: JobOptions): Promise<Buffer>;
  /** Resolves when this many threads (at most the cap) are there and the surplus ones are gone; their jobs are finished first. */
  resize(count: number): Promise<void>;
  stats(): WorkersStats;
  /** Resolves when every job has settled, in a thread or not, and those who wait for it have heard. */
  idle(): Promise<void>;
  /** Ends all threads; jobs that have not finished reject. */
  close(): Promise<void>;
}

/** Bodies below this many bytes compress within 0.5 ms. Measured by bench/worker-jobs.ts. */
const INLINE_BYTES: Readonly<Record<Encoding, number>> = {
  zstd: 128 * 1024,
  br: 32 * 1024,
  gzip: 64 * 1024,
};

interface Waiting {
  readonly job: Job;
  readonly sinceMs: number;
  readonly resolve: (result: JobResult) => void;
  readonly reject: (error: unknown) => void;
}

interface Slot {
  readonly name: string;
  readonly thread: Promise<Thread>;
  /** The job in progress; settles without rejecting. */
  running: Promise<void> | undefined;
  /** retiring: takes no further job and is closed after the present one, unless it is wanted again before. */
  state: "active" | "retiring" | "closing";
}

export function createWorkers(options: WorkersOptions): Workers {
  const { metrics } = options;
  const now = options.now ?? (() => performance.now());
  const jobTimeoutMs = options.jobTimeoutMs ?? 30_000;
  const queue = createAgeingQueue<Waiting>({
    maxSize: options.maxQueued ?? 1_000,
    ageMs: options.ageMs ?? 500,
    now,
  });
  const slots: Slot[] = [];
  /** Jobs on their way; none of these rejects. */
  const unsettled = new Set<Promise<void>>();
  let closed = false;
  const active = () => slots.filter(({ state }) => state === "active");

  for (const job of JOB_KINDS) {
    metrics.workerWaitSeconds.zero({ task: job });
    metrics.workerJobSeconds.zero({ task: job });
  }
  metrics.workerCap.set(options.cap);
  const observeCounts = () => {
    metrics.workers.set(slots.length);
    metrics.workerQueue.set(queue.size);
  };
  const sampling = observeThreads(metrics, () => slots);

  const grow = () => {
    const taken = new Set(slots.map(({ name }) => name));
    let index = 0;
    while (taken.has(`worker-${index}`)) index += 1;
    const name = `worker-${index}`;
    // Loaded on the first need: a bridge that runs no worker does without Piscina's 8 MiB.
    const thread = import("./thread.ts").then(({ startThread }) =>
      startThread({
        heapMiB: options.heapMiB,
        onGc: (report) => sampling.gc(name, report),
        onError: (error) =>
          options.log.warn({ worker: name, error: error.message }, "a worker thread ended and was replaced"),
      }),
    );
    slots.push({ name, thread, running: undefined, state: "active" });
  };
  const retire = async (slot: Slot) => {
    slot.state = "retiring";
    await slot.running;
    if (slot.state !== "retiring") return;
    slot.state = "closing";
    await (await slot.thread).close();
    const index = slots.indexOf(slot);
    if (index !== -1) slots.splice(index, 1);
    sampling.forget(slot.name);
    observeCounts();
  };

  const execute = async (job: Job, work: () => JobResult | Promise<JobResult>): Promise<JobResult> => {
    const startMs = now();
    try {
      return await work();
    } finally {
      metrics.workerJobSeconds.observe({ task: job.kind }, (now() - startMs) / 1000);
    }
  };

  const runOn = async (slot: Slot, waiting: Waiting) => {
    const thread = await slot.thread;
    metrics.workerWaitSeconds.observe({ task: waiting.job.kind }, (now() - waiting.sinceMs) / 1000);
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), jobTimeoutMs);
    try {
      waiting.resolve(await execute(waiting.job, () => thread.run(waiting.job, deadline.signal)));
    } catch (error) {
      const isLate = deadline.signal.aborted;
      waiting.reject(
        isLate ? new Error(`worker job ${waiting.job.kind}: took more than ${jobTimeoutMs} ms.`) : error,
      );
    } finally {
      clearTimeout(timer);
    }
  };

  const dispatch = () => {
    for (;;) {
      const slot = slots.find(({ running, state }) => running === undefined && state === "active");
      const waiting = slot === undefined ? undefined : queue.shift();
      if (slot === undefined || waiting === undefined) break;
      slot.running = runOn(slot, waiting).finally(() => {
        slot.running = undefined;
        dispatch();
      });
    }
    observeCounts();
  };

  const begin = (job: Job, priority: Priority): Promise<JobResult> => {
    if (closed) return Promise.reject(new Error(`worker job ${job.kind}: the workers are closed.`));
    if (slots.every(({ state }) => state !== "active")) return execute(job, () => runJob(job));
    return new Promise((resolve, reject) => {
      if (!queue.push({ job, sinceMs: now(), resolve, reject }, priority)) {
        reject(
          new WorkersBusyError(`worker job ${job.kind}: too many jobs wait; raise workers or replicas.`),
        );
        return;
      }
      dispatch();
    });
  };

  const submit = (job: Job, priority: Priority): Promise<JobResult> => {
    const result = begin(job, priority);
    const settled: Promise<void> = result
      .catch(() => undefined)
      .then(() => {
        unsettled.delete(settled);
      });
    unsettled.add(settled);
    return result;
  };

  const resizeNow = (count: number): Promise<unknown> => {
    const wanted = Math.max(0, Math.min(options.cap, count));
    for (const slot of slots) {
      if (active().length >= wanted) break;
      if (slot.state === "retiring") slot.state = "active";
    }
    for (let i = active().length; i < wanted; i++) grow();
    // Idle threads go first; a busy one finishes its job.
    const surplus = active()
      .sort((a, b) => Number(a.running !== undefined) - Number(b.running !== undefined))
      .slice(0, Math.max(0, active().length - wanted))
      .map(retire);
    if (wanted === 0) {
      for (const { job, resolve, reject } of queue.clear())
        execute(job, () => runJob(job)).then(resolve, reject);
    }
    dispatch();
    return Promise.all(surplus);
  };
  void resizeNow(options.count);

  return {
    countTokens: async (count, jobOptions) =>
      (await submit(
        { kind: "count-tokens", count: encodeCount(count) },
        jobOptions?.priority ?? "normal",
      )) as number,
    async compress(body, encoding, jobOptions) {
      const isSmall = body.length < INLINE_BYTES[encoding];
      // The copy is given away to the thread, so that the caller's bytes stay its own.
      const job: Job = { kind: "compress", body: isSmall ? body : Uint8Array.from(body), encoding };
      const result = isSmall
        ? await execute(job, () => runJob(job))
        : await submit(job, jobOptions?.priority ?? "normal");
      const bytes = result as Uint8Array;
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    resize: async (count) => {
      if (!closed) await resizeNow(count);
    },
    stats: () => ({
      threads: slots.length,
      cap: options.cap,
      busy: slots.filter(({ running }) => running !== undefined).length,
      queued: queue.size,
    }),
    async idle() {
      while (unsettled.size > 0) await Promise.all(unsettled);
      await setImmediate();
    },
    async close() {
      closed = true;
      sampling.close();
      const reason = new Error("the workers are closed.");
      for (const { reject } of queue.clear()) reject(reason);
      await Promise.all(slots.splice(0).map(async ({ thread }) => (await thread).close()));
      observeCounts();
    },
  };
}
