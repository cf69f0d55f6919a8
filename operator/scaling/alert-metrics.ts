import { amount } from "../api/v1alpha1/amounts.ts";
import { ALERT_METRIC_UNITS, type AlertMetric } from "../api/v1alpha1/scaling.ts";
import { freshValue, isFresh, isMeasure, type PodReading, type ReadingMetric } from "./reading.ts";

/** How the values of the pods become one. */
type Combine = "Mean" | "Worst" | "Sum";

interface Source {
  combine: Combine;
  read: (reading: PodReading, context: MetricContext) => number | undefined;
  /** A pod in which nothing happened has no value: that is quiet, not unknown. */
  ofEvents?: true;
}

/** What the values are measured against. */
export interface MetricContext {
  nowMs: number;
  memoryLimitBytes: (revision: string) => number;
}

const metric =
  (name: ReadingMetric) =>
  (reading: PodReading, { nowMs }: MetricContext) =>
    freshValue(reading, name, nowMs);

/** Shares that drive scaling are means, since one busy pod is no reason for another; health is as bad as in the worst pod. */
const SOURCES: Record<AlertMetric, Source> = {
  WorkerUtilization: { combine: "Mean", read: metric("workerUtilization") },
  WorkerQueueWait: { combine: "Worst", read: metric("workerWaitP95Seconds"), ofEvents: true },
  GcTimeShare: { combine: "Worst", read: metric("gcShare") },
  HeapAfterMajorGc: { combine: "Worst", read: metric("heapAfterMajorShare"), ofEvents: true },
  EventLoopUtilization: { combine: "Mean", read: metric("elu") },
  PoolWaiting: { combine: "Sum", read: poolWaiting },
  PoolHitRate: { combine: "Mean", read: metric("poolHitRate"), ofEvents: true },
  Utilization: { combine: "Mean", read: utilization },
  ErrorShare: { combine: "Mean", read: metric("errorShare"), ofEvents: true },
  FirstByteP95: { combine: "Worst", read: metric("firstByteP95Seconds"), ofEvents: true },
  MemoryShare: { combine: "Worst", read: memoryShare },
};

function poolWaiting(reading: PodReading, { nowMs }: MetricContext): number | undefined {
  if (!isFresh(reading, nowMs) || reading.poolWaiting === undefined) return undefined;
  const waiting = Object.values(reading.poolWaiting);
  return waiting.every(isMeasure) ? waiting.reduce((sum, each) => sum + each, 0) : undefined;
}

function utilization(reading: PodReading, { nowMs }: MetricContext): number | undefined {
  const inFlight = freshValue(reading, "inFlight", nowMs);
  const capacity = freshValue(reading, "capacity", nowMs);
  return inFlight === undefined || !capacity ? undefined : inFlight / capacity;
}

function memoryShare(reading: PodReading, { nowMs, memoryLimitBytes }: MetricContext): number | undefined {
  const bytes = freshValue(reading, "memoryBytes", nowMs);
  return bytes === undefined ? undefined : bytes / memoryLimitBytes(reading.revision);
}

/**
 * One value for the fleet. Quiet: every pod answers and nothing happened that could be measured.
 * Unknown: too few pods answer to conclude anything.
 */
export type MetricValue =
  | { kind: "Value"; value: number; pod?: string; complete: boolean }
  | { kind: "Quiet" }
  | { kind: "Unknown"; ready: number; known: number };

/**
 * The value of an alert's metric over the ready pods. `prefer` says which end is the worst. A mean or a sum is `complete`
 * if at least half of the pods have a value; a worst value proves a violation wherever it comes from.
 */
export function metricValue(
  name: AlertMetric,
  readings: readonly PodReading[],
  prefer: "Highest" | "Lowest",
  context: MetricContext,
): MetricValue {
  const { combine, read, ofEvents } = SOURCES[name];
  const ready = readings.filter((reading) => reading.ready);
  const answering = ofEvents ? ready.filter((reading) => isFresh(reading, context.nowMs)).length : 0;
  const known = ready.flatMap((reading) => {
    const value = read(reading, context);
    return value === undefined ? [] : [{ pod: reading.pod, value }];
  });
  const heard = Math.max(known.length, answering);
  const complete = heard > 0 && 2 * heard >= ready.length;
  const worst = known.reduce<{ pod: string; value: number } | undefined>(
    (chosen, each) =>
      chosen === undefined || (prefer === "Highest" ? each.value > chosen.value : each.value < chosen.value)
        ? each
        : chosen,
    undefined,
  );
  if (worst === undefined)
    return complete ? { kind: "Quiet" } : { kind: "Unknown", ready: ready.length, known: heard };
  if (combine === "Worst") return { kind: "Value", value: worst.value, pod: worst.pod, complete };
  if (combine === "Mean" && !complete) return { kind: "Unknown", ready: ready.length, known: heard };
  const sum = known.reduce((total, { value }) => total + value, 0);
  return { kind: "Value", value: combine === "Mean" ? sum / known.length : sum, complete };
}

/** A threshold as written, in the unit of the metric: a share 0..1, seconds or a count. Throws RangeError on text that the resource refuses. */
export function threshold(name: AlertMetric, text: string): number {
  const unit = ALERT_METRIC_UNITS[name];
  const value = amount(unit, text);
  if (value === undefined)
    throw new RangeError(`"${text}" is not a threshold for ${name}, which needs a ${unit}`);
  return value;
}

/** A value as people write it: "7.2%", "142ms", "3". */
export function formatValue(name: AlertMetric, value: number): string {
  switch (ALERT_METRIC_UNITS[name]) {
    case "percent":
      return `${(value * 100).toFixed(1)}%`;
    case "duration":
      return value < 1 ? `${Math.round(value * 1000)}ms` : `${value.toFixed(2)}s`;
    case "count":
      return `${Math.round(value * 10) / 10}`;
  }
}
