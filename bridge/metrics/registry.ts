import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { LATENCY_BOUNDS_SECONDS } from "../../contract/histograms.ts";
import { CACHE_LABELS, FAULT_DOMAINS, METRICS, ROUTE_LABELS } from "../../contract/metrics.ts";
import { CounterTally, HistogramTally, type Tally } from "./tally.ts";

export interface MetricsOptions {
  /** Name of the LLMBridge; the `bridge` label of every series. */
  readonly bridge: string;
  /** Revision hash; the `revision` label of every series. */
  readonly revision: string;
}

export const GC_KINDS = ["minor", "major", "incremental", "weak"] as const;
export type GcKind = (typeof GC_KINDS)[number];

/** Bounds, in seconds, of waits and jobs that usually end within a millisecond (pool acquire, worker wait). */
const WAIT_BOUNDS_SECONDS = [
  0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30,
];

/**
 * Every metric of contract/metrics.ts as one typed object; a property is named as its entry in METRICS.
 * Series that evidence or alerts count exist at 0 from the start, so that the first error of a pod is a step from 0 to 1
 * and not a series that appears at 1 (which range queries cannot see).
 */
export function createMetrics(options: MetricsOptions) {
  const registry = new Registry();
  registry.setDefaultLabels({ bridge: options.bridge, revision: options.revision });

  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
    new Counter({ name, help, labelNames, registers: [registry] });
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]): Gauge<L> =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const latency = <L extends string>(name: string, help: string, ...labelNames: L[]): Histogram<L> =>
    new Histogram({ name, help, labelNames, registers: [registry], buckets: [...LATENCY_BOUNDS_SECONDS] });
  const waiting = <L extends string>(name: string, help: string, ...labelNames: L[]): Histogram<L> =>
    new Histogram({ name, help, labelNames, registers: [registry], buckets: WAIT_BOUNDS_SECONDS });

  const metrics = {
    registry,
    /** Series counted outside of the registry; `flushTallies` brings them up to date before a scrape. */
    tallies: [] as Tally[],
    info: gauge(METRICS.info, "1; version of the bridge and of Node", "version", "node"),
    runtimeGeneration: gauge(METRICS.runtimeGeneration, "Generation of the runtime file in force"),
    requests: counter(METRICS.requests, "Finished requests, every outcome", "route", "cache"),
    errors: counter(METRICS.errors, "Failed requests by whose fault it was", "route", "domain"),
    requestSeconds: latency(METRICS.requestSeconds, "Seconds of the whole request", "route", "cache"),
    firstByteSeconds: latency(METRICS.firstByteSeconds, "Seconds to the first body byte", "route", "cache"),
    addedSeconds: latency(METRICS.addedSeconds, "Seconds that the bridge itself added", "route", "cache"),
    inFlight: gauge(METRICS.inFlight, "Requests and streams in progress, idle WebSockets apart"),
    openStreams: gauge(METRICS.openStreams, "Open response streams", "kind"),
    capacity: gauge(METRICS.capacity, "Requests that this pod takes at full utilisation"),
    cutConnections: counter(
      METRICS.cutConnections,
      "Connections the bridge ended before they were done",
      "reason",
    ),
    messages: counter(METRICS.messages, "WebSocket messages", "direction"),
    eventLoopUtilization: gauge(
      METRICS.eventLoopUtilization,
      "Busy share of the event loop, 0..1",
      "isolate",
    ),
    heapLimit: gauge(METRICS.heapLimit, "Heap limit in bytes", "isolate"),
    heapUsed: gauge(METRICS.heapUsed, "Heap in use in bytes", "isolate"),
    heapAfterMajorGc: gauge(
      METRICS.heapAfterMajorGc,
      "Heap in use after the last major collection",
      "isolate",
    ),
    gcSeconds: counter(METRICS.gcSeconds, "Seconds in garbage collection", "isolate", "kind"),
    poolLimit: gauge(METRICS.poolLimit, "Ceiling of connections in force", "pool"),
    poolSize: gauge(METRICS.poolSize, "Open connections", "pool"),
    poolIdle: gauge(METRICS.poolIdle, "Idle connections", "pool"),
    poolWaiting: gauge(METRICS.poolWaiting, "Callers waiting for a connection", "pool"),
    poolAcquireSeconds: waiting(METRICS.poolAcquireSeconds, "Seconds waited for a connection", "pool"),
    poolAcquires: counter(
      METRICS.poolAcquires,
      "Connections taken, by whether one was idle",
      "pool",
      "result",
    ),
    workers: gauge(METRICS.workers, "Worker threads running"),
    workerCap: gauge(METRICS.workerCap, "Worker threads this pod may grow to"),
    workerUtilization: gauge(METRICS.workerUtilization, "Busy share of a worker thread, 0..1", "worker"),
    workerQueue: gauge(METRICS.workerQueue, "Jobs waiting for a worker thread"),
    workerWaitSeconds: waiting(METRICS.workerWaitSeconds, "Seconds a job waited for a worker thread", "task"),
    workerJobSeconds: waiting(METRICS.workerJobSeconds, "Seconds a job ran", "task"),
    cacheLookups: counter(METRICS.cacheLookups, "Cache look-ups", "tier", "result"),
    cacheBytes: gauge(METRICS.cacheBytes, "Bytes held by the memory cache"),
    cacheEntries: gauge(METRICS.cacheEntries, "Answers held by the memory cache"),
    upstreamResponses: counter(METRICS.upstreamResponses, "Responses from upstreams", "upstream", "code"),
    draining: gauge(METRICS.draining, "1 while the pod drains"),
    secretReadSeconds: gauge(
      METRICS.secretReadSeconds,
      "Unix time since when the content of a mounted Secret is in force",
      "secret",
    ),
    secretChanges: counter(METRICS.secretChanges, "Re-readings of a mounted Secret that changed", "secret"),
    secretRefused: gauge(
      METRICS.secretRefused,
      "1 while a mounted Secret holds what cannot be used",
      "secret",
    ),
    usageRecords: counter(METRICS.usageRecords, "Usage records", "result"),
  };

  for (const route of ROUTE_LABELS) {
    for (const domain of FAULT_DOMAINS) metrics.errors.inc({ route, domain }, 0);
    for (const cache of CACHE_LABELS) {
      metrics.requests.inc({ route, cache }, 0);
      metrics.requestSeconds.zero({ route, cache });
      metrics.firstByteSeconds.zero({ route, cache });
      metrics.addedSeconds.zero({ route, cache });
    }
  }
  for (const reason of ["drain-deadline", "error"]) metrics.cutConnections.inc({ reason }, 0);
  for (const direction of ["in", "out"]) metrics.messages.inc({ direction }, 0);
  for (const kind of ["sse", "websocket"]) metrics.openStreams.set({ kind }, 0);
  for (const kind of GC_KINDS) metrics.gcSeconds.inc({ isolate: "main", kind }, 0);
  for (const tier of ["memory", "redis"]) {
    for (const result of ["hit", "miss", "error"]) metrics.cacheLookups.inc({ tier, result }, 0);
  }
  for (const result of ["written", "dropped"]) metrics.usageRecords.inc({ result }, 0);
  return metrics;
}

/** A series of a counter or histogram for a hot path. */
export function countOn<L extends string>(
  metrics: Pick<Metrics, "tallies">,
  counter: Counter<L>,
  labels: Partial<Record<L, string>>,
): CounterTally<L> {
  const tally = new CounterTally(counter, labels);
  metrics.tallies.push(tally);
  return tally;
}

export function observeOn<L extends string>(
  metrics: Pick<Metrics, "tallies">,
  histogram: Histogram<L>,
  labels: Partial<Record<L, string>>,
): HistogramTally<L> {
  const tally = new HistogramTally(histogram, labels);
  metrics.tallies.push(tally);
  return tally;
}

export function flushTallies(metrics: Pick<Metrics, "tallies">): void {
  for (const tally of metrics.tallies) tally.flush();
}

/** What every part of the bridge reports to. Hot paths bind their label children once (`counter.labels(...)`). */
export type Metrics = ReturnType<typeof createMetrics>;

/**
 * Makes a pool's series exist before its first connection.
 * @param pool `postgres`, `redis-cache` or `http-<upstream>`.
 */
export function declarePool(metrics: Metrics, pool: string): void {
  for (const gauge of [metrics.poolLimit, metrics.poolSize, metrics.poolIdle, metrics.poolWaiting])
    gauge.set({ pool }, 0);
  for (const result of ["hit", "miss"]) metrics.poolAcquires.inc({ pool, result }, 0);
  metrics.poolAcquireSeconds.zero({ pool });
}
