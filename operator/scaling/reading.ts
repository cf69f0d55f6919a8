/**
 * What is known of one pod, in the units of the name. A metric that is absent, stale or not a number is undefined: unknown, never 0.
 * A pod that exists but was not scraped is listed all the same, so that demand can be extrapolated to it.
 */
export interface PodReading {
  pod: string;
  revision: string;
  ready: boolean;
  /** Time of the newest sample; undefined if the pod was never scraped. */
  atMs?: number | undefined;
  /** True if the source calls the newest sample too old; absent: judged by `atMs`. */
  stale?: boolean | undefined;
  /** Requests and streams in progress, mean over the demand window. */
  inFlight?: number | undefined;
  /** The same over the last few seconds. */
  inFlightRecent?: number | undefined;
  /** Requests in progress at full utilisation: the sum of the upstreams' maxConcurrencyPerPod. */
  capacity?: number | undefined;
  /** Event-loop utilisation of the main isolate, 0..1. */
  elu?: number | undefined;
  workers?: number | undefined;
  workerCap?: number | undefined;
  /** Mean busy share of the worker threads, 0..1. */
  workerUtilization?: number | undefined;
  /** Jobs waiting for a worker thread. */
  workerQueue?: number | undefined;
  workerWaitP95Seconds?: number | undefined;
  /** Share of time in garbage collection, 0..1. */
  gcShare?: number | undefined;
  /** Heap in use after a major collection over the heap limit, 0..1. */
  heapAfterMajorShare?: number | undefined;
  /** Requests waiting for a pooled connection, by pool. */
  poolWaiting?: Readonly<Record<string, number>> | undefined;
  poolHitRate?: number | undefined;
  memoryBytes?: number | undefined;
  /** CPUs in use. */
  cpuCores?: number | undefined;
  /** Share of requests that failed by the bridge's own fault, 0..1. */
  errorShare?: number | undefined;
  firstByteP95Seconds?: number | undefined;
}

/** Names of the metrics that are one number. */
export type ReadingMetric = Exclude<
  keyof PodReading,
  "pod" | "revision" | "ready" | "atMs" | "stale" | "poolWaiting"
>;

/** Two scrapes at the usual 15 s: what is older is not evidence (F10). */
const STALE_AFTER_MS = 30_000;

/** True if the pod's samples are evidence. */
export function isFresh({ atMs, stale }: PodReading, nowMs: number): boolean {
  return atMs !== undefined && !(stale ?? nowMs - atMs > STALE_AFTER_MS);
}

/** The value if it is one to rest a decision on: measured lately, finite, not negative. */
export function freshValue(reading: PodReading, metric: ReadingMetric, nowMs: number): number | undefined {
  const value = reading[metric];
  return isFresh(reading, nowMs) && isMeasure(value) ? value : undefined;
}

/** False for NaN, infinities and negative numbers, which no metric of ours can have. */
export function isMeasure(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value) && value >= 0;
}

/**
 * The pods that exist with what the source knows of them: a pod without samples stays in the list, samples of a pod that is
 * gone do not count.
 */
export function joinReadings(
  pods: readonly { pod: string; revision: string; ready: boolean }[],
  measured: readonly Omit<PodReading, "ready">[],
): PodReading[] {
  const byPod = new Map(measured.map((reading) => [reading.pod, reading]));
  return pods.map(({ pod, revision, ready }) => ({ ...byPod.get(pod), pod, revision, ready }));
}

/** Values of a metric over the ready pods that have one. */
export function knownValues(readings: readonly PodReading[], metric: ReadingMetric, nowMs: number): number[] {
  return readings.flatMap((reading) => {
    const value = reading.ready ? freshValue(reading, metric, nowMs) : undefined;
    return value === undefined ? [] : [value];
  });
}

/** Arithmetic mean; undefined of nothing. */
export function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}
