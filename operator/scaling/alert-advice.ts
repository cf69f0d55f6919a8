import type { AlertMetric } from "../api/v1alpha1/scaling.ts";

/** What to do when a metric is too high, and when it is too low. */
const ADVICE: Record<AlertMetric, { above: string; below: string }> = {
  WorkerUtilization: {
    above: "Raise spec.workers.max if the pods have CPU to spare, else spec.scaling.maxReplicas.",
    below: "Lower spec.workers.min; idle worker threads take heap from the others.",
  },
  WorkerQueueWait: {
    above: "Raise spec.workers.max if the pods have CPU to spare, else spec.scaling.maxReplicas.",
    below: "Lower spec.workers.min; idle worker threads take heap from the others.",
  },
  GcTimeShare: {
    above:
      "Raise spec.resources.limits.memory, or set spec.tuning.objective to Throughput for a larger young generation.",
    below: "Nothing to do; collections are cheap.",
  },
  HeapAfterMajorGc: {
    above:
      "Raise spec.resources.limits.memory or lower spec.workers.max; if it keeps rising at equal load, look for a leak.",
    below: "spec.resources.limits.memory may be lowered.",
  },
  EventLoopUtilization: {
    above: "Raise spec.scaling.maxReplicas, or lower spec.scaling.targetUtilization to scale earlier.",
    below: "Lower spec.scaling.minReplicas.",
  },
  PoolWaiting: {
    above:
      "Raise backendConnections or maxPerPod of the pool, or lower spec.scaling.maxReplicas so that each pod gets more.",
    below: "Nothing to do; no request waits for a connection.",
  },
  PoolHitRate: {
    above: "Nothing to do; connections are reused.",
    below:
      "Compare with the requests waiting: without any, a low rate does no harm; the pool is cold or larger than needed.",
  },
  Utilization: {
    above: "Raise spec.scaling.maxReplicas, or maxConcurrencyPerPod of the upstreams if they can take more.",
    below: "Lower spec.scaling.minReplicas.",
  },
  ErrorShare: {
    above:
      "Read the logs of the pods for the failing requests; during a rollout compare the versions and abort if only the new one fails.",
    below: "Nothing to do; requests succeed.",
  },
  FirstByteP95: {
    above:
      "Compare with the time the bridge adds: if that is low, the upstreams are slow; else raise spec.scaling.maxReplicas.",
    below: "Nothing to do; answers begin early.",
  },
  MemoryShare: {
    above: "Raise spec.resources.limits.memory, or lower spec.cache.memory.maxBytes or spec.workers.max.",
    below: "spec.resources.limits.memory may be lowered.",
  },
};

/** The recommended action beside a firing alert. */
export function advice(metric: AlertMetric, side: "above" | "below"): string {
  return ADVICE[metric][side];
}
