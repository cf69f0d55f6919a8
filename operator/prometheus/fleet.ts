import { METRICS, PROCESS_METRICS } from "../../contract/metrics.ts";
import { START_METRIC } from "./counting.ts";
import { type Increase, increases } from "./increases.ts";
import { newestMs, type SourceLabels, type Target, targetsOf, withoutDuplicates } from "./pods.ts";
import type { Sample, Series } from "./response.ts";
import { secretReadings } from "./secrets.ts";
import type { PodReading } from "./source.ts";

/** Bursts are looked for in this much of the newest time. */
const RECENT_MS = 6000;
/** Samples older than this many scrapes are stale; a scrape of a busy node may be a few seconds late however short the interval. */
const STALE_SCRAPES = 2;
const LEAST_STALE_MS = 5000;

export interface FleetWindow {
  readonly atMs: number;
  /** Time that the caller asked for; longer where fewer than three scrapes fall into it. */
  readonly windowMs: number;
  /** Time between two scrapes; measured from the samples where it is not given. */
  readonly scrapeIntervalMs: number | undefined;
  /** Time until a sample can be read for sure; samples are that much older in any case. */
  readonly lagMs: number;
}

/** What is assumed of a pod of which there is one sample. */
const UNKNOWN_SCRAPE_MS = 15_000;
/** Two differences at least, or a restart would leave nothing. */
const LEAST_SCRAPES = 3;

/** Readings of all pods from the raw samples of a window. */
export function podReadings(
  series: readonly Series[],
  labels: SourceLabels,
  window: FleetWindow,
): PodReading[] {
  // Of targets that follow each other in one pod, the newest speaks for it.
  const newest = new Map<string, Target>();
  for (const target of withoutDuplicates(targetsOf(series, labels))) {
    const other = newest.get(target.pod);
    if (other === undefined || newestMs(target) > newestMs(other)) newest.set(target.pod, target);
  }
  return [...newest.values()]
    .map((target) => {
      const scrapeMs = window.scrapeIntervalMs ?? spacing(target.series);
      const reading = podReading(within(target, window, scrapeMs), window, scrapeMs);
      return { ...reading, windowMs: Math.max(window.windowMs, LEAST_SCRAPES * scrapeMs) };
    })
    .sort((a, b) => (a.pod < b.pod ? -1 : 1));
}

/** Median time between the samples of the series that has most of them. */
function spacing(series: readonly Series[]): number {
  const longest = series.reduce<readonly Sample[]>(
    (most, { samples }) => (samples.length > most.length ? samples : most),
    [],
  );
  const gaps = longest
    .flatMap(({ atMs }, index) => atMs - (longest[index - 1]?.atMs ?? Number.NaN))
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  return gaps[Math.floor(gaps.length / 2)] ?? UNKNOWN_SCRAPE_MS;
}

/** The newest samples of a target: those of the window, or of a few scrapes before its newest one. */
function within(target: Target, { atMs, windowMs }: FleetWindow, scrapeMs: number): Target {
  const afterMs = Math.min(atMs - windowMs, newestMs(target) - LEAST_SCRAPES * scrapeMs);
  const series = target.series
    .map(({ labels, samples }) => ({ labels, samples: samples.filter((sample) => sample.atMs > afterMs) }))
    .filter(({ samples }) => samples.length > 0);
  return { ...target, series };
}

function podReading(target: Target, window: FleetWindow, scrapeMs: number): Omit<PodReading, "windowMs"> {
  const { series } = target;
  const atMs = newestMs(target);
  // Rates are between the first and the last sample, so that nothing from before the first may count.
  const grown = increases(target, undefined, {
    newSinceMs: Number.POSITIVE_INFINITY,
    startMetric: START_METRIC,
  });
  const spanSeconds = (atMs - earliest(series)) / 1000;
  const perSecond = (name: string) => rateOf(named(series, name), grown, name, spanSeconds);
  const last = (name: string) => lastSum(named(series, name), atMs);
  const inFlight = named(series, METRICS.inFlight)[0]?.samples ?? [];
  const main = (name: string) => named(series, name).filter(({ labels }) => labels.isolate === "main");
  const amount = (name: string, own: (labels: Increase["labels"]) => boolean) =>
    grown.reduce((sum, one) => (one.labels.__name__ === name && own(one.labels) ? sum + one.amount : sum), 0);
  const requests = amount(METRICS.requests, () => true);
  const errors = amount(METRICS.errors, ({ domain }) => domain === "bridge");
  const hits = amount(METRICS.poolAcquires, ({ result }) => result === "hit");
  const acquires = amount(METRICS.poolAcquires, () => true);
  const gcSeconds = amount(METRICS.gcSeconds, ({ isolate }) => isolate === "main");
  const draining = last(METRICS.draining);
  return {
    pod: target.pod,
    revision: target.revision,
    atMs,
    stale: window.atMs - atMs > window.lagMs + Math.max(LEAST_STALE_MS, STALE_SCRAPES * scrapeMs),
    poolWaiting: byPool(series, METRICS.poolWaiting, atMs),
    poolSize: byPool(series, METRICS.poolSize, atMs),
    poolLimit: byPool(series, METRICS.poolLimit, atMs),
    ...defined({
      secrets: secretReadings(current(series, atMs)),
      generation: last(METRICS.runtimeGeneration),
      draining: draining === undefined ? undefined : draining > 0,
      inFlight: mean(inFlight),
      inFlightLast: last(METRICS.inFlight),
      inFlightRecent: mean(inFlight.filter((sample) => sample.atMs > atMs - RECENT_MS)),
      capacity: last(METRICS.capacity),
      openStreams: last(METRICS.openStreams),
      workers: last(METRICS.workers),
      workerCap: last(METRICS.workerCap),
      workerUtilization: mean(
        current(named(series, METRICS.workerUtilization), atMs).flatMap((one) => one.samples),
      ),
      workerQueue: last(METRICS.workerQueue),
      elu: mean(main(METRICS.eventLoopUtilization).flatMap(({ samples }) => samples)),
      gcShare:
        main(METRICS.gcSeconds).length > 0 && spanSeconds > 0
          ? Math.min(1, gcSeconds / spanSeconds)
          : undefined,
      heapAfterMajorShare: worstHeapShare(series, atMs),
      poolHitRate: acquires > 0 ? hits / acquires : undefined,
      memoryBytes: last(PROCESS_METRICS.residentBytes),
      cpuCores: perSecond(PROCESS_METRICS.cpuSeconds),
      requestsPerSecond: perSecond(METRICS.requests),
      errorShare: requests > 0 ? Math.min(1, errors / requests) : undefined,
      messagesPerSecond: perSecond(METRICS.messages),
    }),
  };
}

/** The properties that have a value: a reading lacks what a pod does not tell. */
function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function named(series: readonly Series[], name: string): Series[] {
  return series.filter(({ labels }) => labels.__name__ === name);
}

/** Series that the newest scrape still had; a worker thread or a pool that is gone says nothing about now. */
function current(series: readonly Series[], atMs: number): Series[] {
  return series.filter(({ samples }) => samples.at(-1)?.atMs === atMs);
}

function lastSum(series: readonly Series[], atMs: number): number | undefined {
  const values = current(series, atMs).flatMap(({ samples }) => samples.at(-1)?.value ?? []);
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

function mean(samples: readonly Sample[]): number | undefined {
  if (samples.length === 0) return undefined;
  return samples.reduce((sum, { value }) => sum + value, 0) / samples.length;
}

function earliest(series: readonly Series[]): number {
  return Math.min(...series.map(({ samples }) => samples[0]?.atMs ?? Number.POSITIVE_INFINITY));
}

/** Per second of the time between the first and the last sample; absent where there is only one. */
function rateOf(
  series: readonly Series[],
  grown: readonly Increase[],
  name: string,
  spanSeconds: number,
): number | undefined {
  if (series.length === 0 || !(spanSeconds > 0)) return undefined;
  return grown.reduce((sum, one) => (one.labels.__name__ === name ? sum + one.amount : sum), 0) / spanSeconds;
}

function byPool(series: readonly Series[], name: string, atMs: number): Record<string, number> {
  const pools: Record<string, number> = {};
  for (const { labels, samples } of current(named(series, name), atMs)) {
    const last = samples.at(-1);
    if (labels.pool !== undefined && last !== undefined)
      pools[labels.pool] = (pools[labels.pool] ?? 0) + last.value;
  }
  return pools;
}

function worstHeapShare(series: readonly Series[], atMs: number): number | undefined {
  const limits = new Map(
    current(named(series, METRICS.heapLimit), atMs).map(({ labels, samples }) => [
      labels.isolate,
      samples.at(-1)?.value,
    ]),
  );
  const shares = current(named(series, METRICS.heapAfterMajorGc), atMs).flatMap(({ labels, samples }) => {
    const limit = limits.get(labels.isolate);
    const used = samples.at(-1)?.value;
    return limit === undefined || used === undefined || limit <= 0 ? [] : [used / limit];
  });
  return shares.length === 0 ? undefined : Math.max(...shares);
}
