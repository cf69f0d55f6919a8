import type { Baseline } from "../evidence/baseline.ts";
import type { IntervalCounts } from "../evidence/counts.ts";

/**
 * Why a reading could not be made. Every one of them holds: none passes and none fails a version.
 * SourceFailing: no answer, an error, a partial or an unreadable answer. NoSuchSource: the name is not in the administrator's settings.
 * NotAllowed: the source is not open to this namespace. NoData: it answered, and has no samples of this bridge. Stale: its newest sample is too old.
 * Waiting: it was asked and has not answered yet; says nothing of the source.
 */
export type ReadingFailure = "SourceFailing" | "NoSuchSource" | "NotAllowed" | "NoData" | "Stale" | "Waiting";

export type Reading<T> = { readonly kind: "ok"; readonly value: T } | Failing;

export interface Failing {
  readonly kind: "failing";
  readonly reason: ReadingFailure;
  readonly message: string;
  /** The source is known to give no answer; it tells when it does again, and asking it before is of no use. */
  readonly isAway?: boolean;
  /** It was asked about ever shorter times, and answered none of these queries. */
  readonly isTooMuch?: boolean;
}

/** Which duration histogram the latency signal counts. */
export type LatencySignal = "FirstByte" | "Total" | "Added";

export interface LatencyObjective {
  readonly signal: LatencySignal;
  /** Judged at the histogram bound at or below it. */
  readonly objectiveMs: number;
}

export interface IntervalQuery {
  readonly namespace: string;
  readonly bridge: string;
  /** Revision hashes. */
  readonly canary: string;
  readonly stable: string;
  /** End of the last interval already counted; also the anchor of the grid. Unix milliseconds. */
  readonly fromMs: number;
  /** Now. Samples after it are not read. */
  readonly toMs: number;
  readonly intervalMs: number;
  readonly latency?: LatencyObjective;
  /** Names of the ready pods of both versions: an interval counts only when each of them has a sample at or after its end. */
  readonly readyPods: readonly string[];
}

export interface CountedIntervals {
  /** In order, without gaps between `fromMs` and `throughMs`; intervals in which nobody asked hold zeros. */
  readonly intervals: readonly IntervalCounts[];
  /** End of the last counted interval; equals `fromMs` when none is complete yet. Pass it as the next `fromMs`. */
  readonly throughMs: number;
  /** Ready pods whose samples the next interval waits for. */
  readonly waitingFor: readonly string[];
  /** Up to when samples can be read for sure: now, less the lag of the source. Counting that stays behind it waits for something. */
  readonly readableMs: number;
}

export interface BaselineQuery {
  readonly namespace: string;
  readonly bridge: string;
  readonly stable: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly intervalMs: number;
  readonly latency?: LatencyObjective;
}

export interface FleetQuery {
  readonly namespace: string;
  readonly bridge: string;
  /** The moment the reading is for; now. */
  readonly atMs: number;
  /** Time over which counters are differenced and gauges averaged. */
  readonly windowMs: number;
  /** Names of the pods that are to have samples of now; where it is left out, every one that ever had any. */
  readonly pods?: readonly string[];
}

/** What a pod tells of a Secret that it mounts. */
export interface SecretReading {
  /** Since when what it holds is in force, Unix milliseconds; absent where nothing usable was ever in it. */
  readonly sinceMs?: number;
  /** How often the pod has read other content since it started. */
  readonly changes: number;
  /** It holds what the pod cannot use; what it held before stays in force. */
  readonly refused: boolean;
}

/** One pod as its metrics tell it. A property is absent where the pod does not export it or its samples cannot be used. */
export interface PodReading {
  readonly pod: string;
  readonly revision: string;
  /** Time of the newest sample. */
  readonly atMs: number;
  /** Time that rates, means and percentiles are over at most. */
  readonly windowMs: number;
  /** True when the newest sample is older than two scrapes: then nothing here may be acted on. */
  readonly stale: boolean;
  /** Generation of the runtime file in force. */
  readonly generation?: number;
  readonly draining?: boolean;
  /** Requests and streams in progress: mean over the window, newest sample, and mean over the last 6 s (bursts). */
  readonly inFlight?: number;
  readonly inFlightLast?: number;
  readonly inFlightRecent?: number;
  /** Requests in progress that the pod takes at full utilisation. */
  readonly capacity?: number;
  readonly openStreams?: number;
  readonly workers?: number;
  readonly workerCap?: number;
  /** Share 0..1: mean over the pod's worker threads and the window. */
  readonly workerUtilization?: number;
  readonly workerQueue?: number;
  readonly workerWaitP95Seconds?: number;
  /** Event loop utilisation of the main isolate, 0..1, mean over the window. */
  readonly elu?: number;
  /** Share of wall time in garbage collection, main isolate. */
  readonly gcShare?: number;
  /** Heap in use after the last major collection over the heap limit, worst isolate. */
  readonly heapAfterMajorShare?: number;
  /** By the name of the Secret; absent where it tells of none. */
  readonly secrets?: Readonly<Record<string, SecretReading>>;
  readonly poolWaiting: Readonly<Record<string, number>>;
  readonly poolSize: Readonly<Record<string, number>>;
  readonly poolLimit: Readonly<Record<string, number>>;
  /** Acquires that found an idle connection over all acquires; absent when none was made. */
  readonly poolHitRate?: number;
  readonly memoryBytes?: number;
  readonly cpuCores?: number;
  readonly requestsPerSecond?: number;
  /** Requests failed by the bridge's own fault over all requests; absent when there were none. */
  readonly errorShare?: number;
  /** Of requests that the cache did not answer; absent when there were none. */
  readonly firstByteP95Seconds?: number;
  readonly totalP95Seconds?: number;
  /** WebSocket messages, in and out. */
  readonly messagesPerSecond?: number;
}

/**
 * A source of measurements. Nothing here throws for what a source does: a failing source is a failing reading, with a message that
 * never contains what the source answered.
 */
export interface MetricSource {
  /** Name in the administrator's settings. */
  readonly name: string;
  /** Time between two scrapes of a pod, as its settings say; shorter intervals would hold samples of one version or the other. Default unknown. */
  readonly scrapeIntervalMs?: number;
  /** Counts of both versions over the complete intervals since `fromMs`. At most 240 intervals a call. */
  readIntervals(query: IntervalQuery): Promise<Reading<CountedIntervals>>;
  /** Rate and dispersion of the stable version in its past. */
  readBaseline(query: BaselineQuery): Promise<Reading<Baseline>>;
  /** Every pod of the bridge that has samples in the window. */
  readFleet(query: FleetQuery): Promise<Reading<readonly PodReading[]>>;
}

export function failing(reason: ReadingFailure, message: string): Failing {
  return { kind: "failing", reason, message };
}
