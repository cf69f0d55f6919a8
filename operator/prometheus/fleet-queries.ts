import { METRICS, PROCESS_METRICS } from "../../contract/metrics.ts";
import { START_METRIC } from "./counting.ts";
import { anyOf, labelName, type Matcher, range, selector, unequal } from "./promql.ts";

/** Everything about pods but histograms, as raw samples: one query. */
const PLAIN_METRICS: readonly string[] = [
  METRICS.runtimeGeneration,
  METRICS.draining,
  METRICS.inFlight,
  METRICS.capacity,
  METRICS.openStreams,
  METRICS.workers,
  METRICS.workerCap,
  METRICS.workerUtilization,
  METRICS.workerQueue,
  METRICS.eventLoopUtilization,
  METRICS.heapLimit,
  METRICS.heapAfterMajorGc,
  METRICS.gcSeconds,
  METRICS.poolWaiting,
  METRICS.poolSize,
  METRICS.poolLimit,
  METRICS.poolAcquires,
  METRICS.requests,
  METRICS.errors,
  METRICS.messages,
  METRICS.secretReadSeconds,
  METRICS.secretChanges,
  METRICS.secretRefused,
  PROCESS_METRICS.residentBytes,
  PROCESS_METRICS.cpuSeconds,
  START_METRIC,
];

export function plainQuery(own: readonly Matcher[], windowMs: number): string {
  return range(selector([anyOf("__name__", PLAIN_METRICS), ...own]), windowMs);
}

/** Durations whose 95th percentile is read, and the property of the reading that it becomes. */
export const PERCENTILES = {
  firstByteP95Seconds: METRICS.firstByteSeconds,
  totalP95Seconds: METRICS.requestSeconds,
  workerWaitP95Seconds: METRICS.workerWaitSeconds,
} as const;
export type Percentile = keyof typeof PERCENTILES;

/** Label by which the percentiles of one query are told apart. */
export const QUANTITY_LABEL = "quantity";

/**
 * The 95th percentiles per pod: one query. They are for gates and alerts, where the interpolation of rate() and of the histogram does no
 * harm; evidence counts requests instead.
 */
export function percentileQuery(own: readonly Matcher[], podLabel: string, windowMs: number): string {
  return Object.entries(PERCENTILES)
    .map(([quantity, metric]) => {
      const buckets = selector([
        anyOf("__name__", [`${metric}_bucket`]),
        unequal("cache", "hit"),
        unequal("route", "models"),
        ...own,
      ]);
      const perPod = `sum by (${labelName(podLabel)},revision,le) (rate(${range(buckets, windowMs)}))`;
      return `label_replace(histogram_quantile(0.95,${perPod}),"${QUANTITY_LABEL}","${quantity}","","")`;
    })
    .join(" or ");
}
