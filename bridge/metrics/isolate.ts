import { constants, PerformanceObserver, performance } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import type { GcKind, Metrics } from "./registry.ts";

/** What was seen of the main thread, for status and local alerts. */
export interface IsolateWatch {
  /** Busy share of the event loop over the last second, 0..1. */
  readonly eventLoopUtilization: number;
  /** Share of the last minute (or of the time since the start) spent in garbage collection, 0..1. */
  readonly gcShare: number;
  /** Heap after the last major collection, in bytes; 0 before the first. */
  readonly heapAfterMajorGcBytes: number;
  close(): void;
}

/** An entry of type `gc`; the type of entries in general has no detail. */
interface GcEntry {
  readonly detail: { readonly kind: number };
}

const TICK_MS = 1_000;
const GC_WINDOW_TICKS = 60;

function gcKind(kind: number): GcKind {
  switch (kind) {
    case constants.NODE_PERFORMANCE_GC_MAJOR:
      return "major";
    case constants.NODE_PERFORMANCE_GC_INCREMENTAL:
      return "incremental";
    case constants.NODE_PERFORMANCE_GC_WEAKCB:
      return "weak";
    default:
      return "minor";
  }
}

/** Keeps the main isolate's gauges up to date: event loop, heap and garbage collection. Holds no process alive. */
export function watchIsolate(metrics: Metrics): IsolateWatch {
  const isolate = "main";
  const startedAt = performance.now();
  let last = performance.eventLoopUtilization();
  let utilization = 0;
  let gcMs = 0;
  let afterMajor = 0;
  /** Milliseconds of collection up to each of the last ticks. */
  const window: number[] = [0];

  const readHeap = (): number => {
    const heap = getHeapStatistics();
    metrics.heapLimit.set({ isolate }, heap.heap_size_limit);
    metrics.heapUsed.set({ isolate }, heap.used_heap_size);
    return heap.used_heap_size;
  };

  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const kind = gcKind((entry as unknown as GcEntry).detail.kind);
      gcMs += entry.duration;
      metrics.gcSeconds.inc({ isolate, kind }, entry.duration / 1000);
      if (kind !== "major") continue;
      // The observer runs within a turn of the loop after the collection, before much new garbage.
      afterMajor = readHeap();
      metrics.heapAfterMajorGc.set({ isolate }, afterMajor);
    }
  });
  observer.observe({ entryTypes: ["gc"] });

  const tick = (): void => {
    const now = performance.eventLoopUtilization();
    utilization = performance.eventLoopUtilization(now, last).utilization;
    last = now;
    metrics.eventLoopUtilization.set({ isolate }, utilization);
    readHeap();
    window.push(gcMs);
    if (window.length > GC_WINDOW_TICKS + 1) window.shift();
  };
  readHeap();
  metrics.eventLoopUtilization.set({ isolate }, 0);
  metrics.heapAfterMajorGc.set({ isolate }, 0);
  const timer = setInterval(tick, TICK_MS).unref();

  return {
    get eventLoopUtilization() {
      return utilization;
    },
    get gcShare() {
      const spanMs = Math.min(performance.now() - startedAt, (window.length - 1) * TICK_MS);
      return spanMs <= 0 ? 0 : Math.min(1, (gcMs - (window[0] ?? 0)) / spanMs);
    },
    get heapAfterMajorGcBytes() {
      return afterMajor;
    },
    close() {
      clearInterval(timer);
      observer.disconnect();
    },
  };
}
