import { fileURLToPath } from "node:url";
import type { Worker } from "node:worker_threads";
import { Piscina } from "piscina";
import type { GcReport } from "./gc-tally.ts";
import { type Job, type JobResult, transfers } from "./job.ts";

export interface ThreadOptions {
  /** Limit of the thread's heap, young generation included. A heap flag of the process overrides it (nodejs/node#43991). */
  readonly heapMiB: number;
  readonly onGc: (report: GcReport) => void;
  /** Told when the thread ended by itself; it is replaced. */
  readonly onError: (error: Error) => void;
}

/** One worker thread, replaced when it dies. It takes one job at a time. */
export interface Thread {
  /** Rejects when the thread dies in the middle, and when the signal aborts: the thread is then ended and replaced. */
  run(job: Job, signal: AbortSignal): Promise<JobResult>;
  /** The thread as it is now; undefined between two. */
  readonly worker: Worker | undefined;
  /** Ends the thread; a job in progress rejects. */
  close(): Promise<void>;
}

/** Sources run as worker.ts, the bundle as worker.js beside main.js. */
const WORKER_FILE = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url),
);

/**
 * A pool of one: Piscina keeps the thread alive and carries jobs, while the number of threads and the order of jobs stay
 * ours, because its own maximum is fixed and its queue forgets priorities for jobs that can be aborted.
 */
export function startThread(options: ThreadOptions): Thread {
  // Left to itself V8 adds three semi-spaces of 64 MiB to the old space. It rounds semi-spaces to powers of two.
  const semiSpaceMiB = Math.min(16, 2 ** Math.floor(Math.log2(options.heapMiB / 12)));
  const youngMiB = 3 * semiSpaceMiB;
  const pool = new Piscina<Job, JobResult>({
    filename: WORKER_FILE,
    minThreads: 1,
    maxThreads: 1,
    // The default waits for jobs inside Atomics.wait, which event-loop utilisation counts as work.
    atomics: "disabled",
    recordTiming: false,
    resourceLimits: {
      maxOldGenerationSizeMb: options.heapMiB - youngMiB,
      maxYoungGenerationSizeMb: youngMiB,
    },
  });
  pool.on("error", options.onError);
  pool.on("message", (message: GcReport) => {
    if (message?.type === "gc") options.onGc(message);
  });
  return {
    run: (job, signal) => pool.run(job, { signal, transferList: transfers(job) }),
    get worker() {
      return pool.threads[0];
    },
    close: () => pool.destroy(),
  };
}
