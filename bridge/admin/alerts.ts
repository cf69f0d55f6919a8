import type { LocalAlert, PoolStats } from "../../contract/status.ts";

/** What the alerts of this pod are judged by. */
export interface Vitals {
  readonly heapLimitBytes: number;
  /** 0 before the first major collection. */
  readonly heapAfterMajorGcBytes: number;
  /** Shares, 0..1. */
  readonly gcShare: number;
  readonly eventLoopUtilization: number;
  readonly pools: readonly PoolStats[];
  readonly workersQueued: number;
  readonly workerThreads: number;
  /** Why the newest runtime file was refused. */
  readonly runtimeProblem: string | undefined;
}

/** Live data above this share of the heap limit leaves collections no room: they become frequent, then the process ends. */
const HEAP_SHARE = 0.7;
/** Share of time, not count: one collection can be 1 ms or 1 s. */
const GC_SHARE = 0.05;
const LOOP_SHARE = 0.9;

type Rule = (vitals: Vitals) => LocalAlert[];

const heap: Rule = ({ heapLimitBytes, heapAfterMajorGcBytes }) => {
  const value = heapLimitBytes === 0 ? 0 : heapAfterMajorGcBytes / heapLimitBytes;
  if (value <= HEAP_SHARE) return [];
  return [
    {
      name: "heap-after-major-gc",
      severity: value > 0.85 ? "Critical" : "Warning",
      value,
      threshold: HEAP_SHARE,
      message: "Live data fills most of the heap limit even after a major collection.",
      recommendation: "Raise the memory limit, lower cache.memory.maxBytes, or add replicas.",
    },
  ];
};

const gc: Rule = ({ gcShare }) => {
  if (gcShare <= GC_SHARE) return [];
  return [
    {
      name: "gc-time-share",
      severity: "Warning",
      value: gcShare,
      threshold: GC_SHARE,
      message: "Garbage collection takes a large share of the time of the main thread.",
      recommendation:
        "Raise tuning.nodeOptions.maxSemiSpaceMiB where minor collections dominate, else the memory limit.",
    },
  ];
};

const loop: Rule = ({ eventLoopUtilization }) => {
  if (eventLoopUtilization <= LOOP_SHARE) return [];
  return [
    {
      name: "event-loop-utilization",
      severity: "Warning",
      value: eventLoopUtilization,
      threshold: LOOP_SHARE,
      message: "The event loop has almost no idle time left, so every request waits for others.",
      recommendation: "Add replicas; more CPU for the pod helps only where its CPU is throttled.",
    },
  ];
};

const pools: Rule = (vitals) =>
  vitals.pools
    .filter((pool) => pool.waiting > 0)
    .map((pool) => ({
      name: "pool-waiting",
      severity: "Warning",
      subject: pool.pool,
      value: pool.waiting,
      threshold: 0,
      message: `Requests wait for a connection of pool ${pool.pool}, whose limit is in use.`,
      recommendation: "Raise the pool's budget or the upstream's maxConcurrencyPerPod, or add replicas.",
    }));

const workers: Rule = ({ workersQueued, workerThreads }) => {
  if (workersQueued <= workerThreads) return [];
  return [
    {
      name: "worker-queue",
      severity: "Warning",
      value: workersQueued,
      threshold: workerThreads,
      message: "More jobs wait for a worker thread than there are threads.",
      recommendation: "Raise workers.max, or add replicas where the CPU limit is reached.",
    },
  ];
};

const runtime: Rule = ({ runtimeProblem }) => {
  if (runtimeProblem === undefined) return [];
  return [
    {
      name: "runtime-refused",
      severity: "Warning",
      value: 1,
      threshold: 0,
      message: `The newest runtime file was refused, and the one before it is in force: ${runtimeProblem}`,
      recommendation: "Correct the runtime ConfigMap, or let the operator render it again.",
    },
  ];
};

const RULES: readonly Rule[] = [heap, gc, loop, pools, workers, runtime];

/** The alerts that are active now. */
export function localAlerts(vitals: Vitals): LocalAlert[] {
  return RULES.flatMap((rule) => rule(vitals));
}
