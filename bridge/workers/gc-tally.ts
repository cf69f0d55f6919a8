import { constants, type PerformanceEntry } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";

/** Names as in the `kind` label of the garbage collection counter. */
type GcKind = "minor" | "major" | "incremental" | "weak";

/** What a thread collected since it last told. */
export interface GcReport {
  readonly type: "gc";
  readonly seconds: Readonly<Record<GcKind, number>>;
  /** Heap in use right after the last major collection, if there was one. */
  readonly heapAfterMajorBytes?: number;
}

export interface GcTally {
  add(entry: PerformanceEntry): void;
  /** What was added since the last call. */
  take(): GcReport;
}

const KINDS: Readonly<Record<number, GcKind>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: "minor",
  [constants.NODE_PERFORMANCE_GC_MAJOR]: "major",
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: "incremental",
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: "weak",
};

/** @param heapUsedBytes Read right after a major collection. Default: of this isolate. */
export function createGcTally(heapUsedBytes = () => getHeapStatistics().used_heap_size): GcTally {
  let seconds = { minor: 0, major: 0, incremental: 0, weak: 0 };
  let heapAfterMajorBytes: number | undefined;
  return {
    add(entry) {
      const detail = (entry as PerformanceEntry & { detail?: { kind?: number } }).detail;
      const kind = KINDS[detail?.kind ?? -1];
      if (kind === undefined) return;
      seconds[kind] += entry.duration / 1000;
      if (kind === "major") heapAfterMajorBytes = heapUsedBytes();
    },
    take() {
      const report: GcReport = {
        type: "gc",
        seconds,
        ...(heapAfterMajorBytes === undefined ? {} : { heapAfterMajorBytes }),
      };
      seconds = { minor: 0, major: 0, incremental: 0, weak: 0 };
      heapAfterMajorBytes = undefined;
      return report;
    },
  };
}
