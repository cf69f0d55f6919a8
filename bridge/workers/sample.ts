import type { EventLoopUtilization } from "node:perf_hooks";
import type { Worker } from "node:worker_threads";
import type { Metrics } from "../metrics/registry.ts";
import type { GcReport } from "./gc-tally.ts";

/** A thread under the name of its `worker` and `isolate` labels. */
export interface NamedThread {
  readonly name: string;
  readonly thread: Promise<{ readonly worker: Worker | undefined }>;
}

export interface Sampling {
  /** Adds what a thread told of its garbage collections. */
  gc(name: string, report: GcReport): void;
  /** Removes the gauges of a thread that is gone; its counters stay, as counters do. */
  forget(name: string): void;
  close(): void;
}

const SAMPLE_EVERY_MS = 1_000;

/** Keeps the metrics of each thread (utilisation of the last second, heap in use and its limit, garbage collection) up to date. */
export function observeThreads(metrics: Metrics, threads: () => readonly NamedThread[]): Sampling {
  const last = new Map<string, { readonly worker: Worker; readonly elu: EventLoopUtilization }>();

  const sample = async ({ name, thread }: NamedThread) => {
    const { worker } = await thread;
    if (worker === undefined || !threads().some((known) => known.name === name)) return;
    const elu = worker.performance.eventLoopUtilization();
    const before = last.get(name);
    // The baseline of a thread that was replaced would give a negative share.
    const delta = before?.worker === worker ? worker.performance.eventLoopUtilization(elu, before.elu) : elu;
    last.set(name, { worker, elu });
    metrics.workerUtilization.set({ worker: name }, delta.utilization);
    metrics.eventLoopUtilization.set({ isolate: name }, delta.utilization);
    const heap = await worker.getHeapStatistics();
    if (!last.has(name)) return; // gone while it was asked
    metrics.heapUsed.set({ isolate: name }, heap.used_heap_size);
    metrics.heapLimit.set({ isolate: name }, heap.heap_size_limit);
  };

  const timer = setInterval(() => {
    // A thread that ends while it is asked rejects; the next sample finds its successor.
    for (const thread of threads()) sample(thread).catch(() => undefined);
  }, SAMPLE_EVERY_MS);
  timer.unref();

  return {
    gc(name, report) {
      for (const [kind, seconds] of Object.entries(report.seconds)) {
        metrics.gcSeconds.inc({ isolate: name, kind }, seconds);
      }
      if (report.heapAfterMajorBytes !== undefined) {
        metrics.heapAfterMajorGc.set({ isolate: name }, report.heapAfterMajorBytes);
      }
    },
    forget(name) {
      last.delete(name);
      metrics.workerUtilization.remove({ worker: name });
      for (const gauge of [
        metrics.eventLoopUtilization,
        metrics.heapUsed,
        metrics.heapLimit,
        metrics.heapAfterMajorGc,
      ]) {
        gauge.remove({ isolate: name });
      }
    },
    close: () => clearInterval(timer),
  };
}
