import type { Baseline } from "../evidence/baseline.ts";
import { measureBaseline } from "../evidence/baseline.ts";
import type { Missing } from "../evidence/counts.ts";
import type { PrometheusClient } from "./client.ts";
import { countedSelector, ownMatchers, START_METRIC } from "./counting.ts";
import { history, type PodIncrease, pairedIntervals } from "./grid.ts";
import { increases, keyOf } from "./increases.ts";
import { missingSeries } from "./missing-series.ts";
import { onePerPod } from "./one-process.ts";
import { newestMs, type SourceLabels, type Target, targetsOf } from "./pods.ts";
import type { QueryResult } from "./problems.ts";
import { type Matcher, range } from "./promql.ts";
import type { Series } from "./response.ts";
import {
  type BaselineQuery,
  type CountedIntervals,
  failing,
  type IntervalQuery,
  type LatencyObjective,
  type Reading,
} from "./source.ts";

/** Intervals that one call counts at most; the rest follows in the next. */
const MOST_INTERVALS = 240;
/** How far back the last sample before the window is looked for. */
const LOOK_BACK_MS = 3_600_000;
/**
 * A process that says it started at most this long before the window, and was never scraped before, counts from 0. It says so by the clock of its
 * node: where that is two minutes slow its first requests must not be lost, and where it is fast a few more of its own minutes are counted.
 */
const NEW_PROCESS_MS = 60_000 + 150_000;
/** Samples after the last interval are needed to know that it is complete. */
const BEYOND_MS = 120_000;

/** Of a part of the time there may be an answer. */
const SHORTER_MAY_WORK: ReadonlySet<string> = new Set(["TooLarge", "TooMuch"]);
/** A timeout is as long as all other queries together: after one the second query asks for little, and is the last that waits. */
const AFTER_TIMEOUT = 16;

export interface CountReader {
  readonly client: PrometheusClient;
  readonly labels: SourceLabels;
  /** Added to every selector: what tells this cluster's series from another's in a shared source. */
  readonly matchers: readonly Matcher[];
  /** Time until a sample of any pod can be read for sure. */
  readonly sourceLagMs: number;
}

interface Span {
  readonly namespace: string;
  readonly bridge: string;
  readonly revisions: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly latency: LatencyObjective | undefined;
}

type Samples =
  | {
      readonly ok: true;
      readonly targets: readonly Target[];
      readonly increases: readonly PodIncrease[];
      readonly missing: Missing;
    }
  | Extract<QueryResult, { ok: false }>;

/** Raw samples of the span and the last ones before it: two queries. */
async function readSpan(reader: CountReader, span: Span): Promise<Samples> {
  const series = countedSelector(span.latency, span.revisions, [
    ...reader.matchers,
    ...ownMatchers(reader.labels.namespace, span.namespace, span.bridge),
  ]);
  const [inside, before] = await Promise.all([
    reader.client.query(range(series, span.toMs - span.fromMs), span.toMs),
    reader.client.query(`last_over_time(${range(series, LOOK_BACK_MS)})`, span.fromMs),
  ]);
  if (!inside.ok) return inside;
  if (!before.ok) return before;
  const last = await lastNumbers(reader, series, before, span.fromMs);
  // Older versions of Prometheus include the left end of a range; it belongs to the interval before.
  const after = inside.series.map(({ labels, samples }) => ({
    labels,
    samples: samples.filter(({ atMs }) => atMs > span.fromMs),
  }));
  const pods = onePerPod(
    targetsOf(
      after.filter(({ samples }) => samples.length > 0),
      reader.labels,
    ),
    targetsOf(last, reader.labels),
    START_METRIC,
  );
  const grown = pods.flatMap((pod) =>
    increases(pod.inside, pod.before, {
      newSinceMs: span.fromMs - NEW_PROCESS_MS,
      startMetric: START_METRIC,
    }).map((increase): PodIncrease => ({ ...increase, pod: pod.inside.pod, revision: pod.inside.revision })),
  );
  const targets = pods.map(({ inside }) => inside);
  return {
    ok: true,
    targets,
    increases: grown,
    missing: missingSeries(pods, span.latency, span.toMs - reader.sourceLagMs),
  };
}

/** How far back a number is looked for where the last sample is none. */
const NUMBER_WITHIN_MS = 300_000;

/**
 * The last number of each series up to then. Where one showed none last (NaN, Inf), what it showed before that; where that is too long ago, a series
 * without samples: it was there, and did not begin at 0 after that.
 */
async function lastNumbers(
  { client }: CountReader,
  series: string,
  { series: numbered, numberless = [] }: Extract<QueryResult, { ok: true }>,
  atMs: number,
): Promise<readonly Series[]> {
  if (numberless.length === 0) return numbered;
  const recent = await client.query(range(series, NUMBER_WITHIN_MS), atMs);
  const found = new Map((recent.ok ? recent.series : []).map((one) => [keyOf(one), one]));
  const samplesOf = (labels: Series["labels"]) => found.get(keyOf({ labels }))?.samples.slice(-1) ?? [];
  return [...numbered, ...numberless.map((labels) => ({ labels, samples: samplesOf(labels) }))];
}

/** See MetricSource.readIntervals. */
export async function readIntervals(
  reader: CountReader,
  query: IntervalQuery,
): Promise<Reading<CountedIntervals>> {
  const { fromMs, intervalMs, readyPods } = query;
  const readableMs = query.toMs - reader.sourceLagMs;
  const none = { intervals: [], throughMs: fromMs, readableMs };
  // What is longer ago than one call reads waits for nobody: a pod that came later, or a gap in the samples, would be waited for in it for ever.
  const waitedFromMs = query.toMs - (MOST_INTERVALS * intervalMs + BEYOND_MS);
  for (let most = MOST_INTERVALS; ; most = Math.ceil(most / 4)) {
    const toMs = Math.min(query.toMs, fromMs + most * intervalMs + BEYOND_MS);
    if (toMs - reader.sourceLagMs < fromMs + intervalMs) {
      return { kind: "ok", value: { ...none, waitingFor: [] } };
    }
    const samples = await readSpan(reader, {
      ...query,
      revisions: [query.canary, query.stable],
      toMs,
      latency: query.latency,
    });
    if (!samples.ok) {
      if (SHORTER_MAY_WORK.has(samples.problem) && most > 1) continue;
      return failing("SourceFailing", samples.message);
    }
    if (samples.targets.length === 0 && waitedFromMs < fromMs + intervalMs) {
      return failing(
        "NoData",
        "The metric source has no samples of this bridge since the last counted interval.",
      );
    }
    const { completeMs, waitingFor } = completion(samples.targets, readyPods, fromMs + intervalMs);
    const lastMs = Math.min(Math.max(completeMs, waitedFromMs), toMs - reader.sourceLagMs);
    const count = Math.min(most, Math.max(0, Math.floor((lastMs - fromMs) / intervalMs)));
    const grid = { fromMs, intervalMs, count };
    const intervals = pairedIntervals(grid, samples, query, query.latency);
    const throughMs = fromMs + count * intervalMs;
    return { kind: "ok", value: { intervals, throughMs, waitingFor, readableMs } };
  }
}

/** Up to when every ready pod has been scraped. Pods that are gone keep nobody waiting; what they showed is counted. */
function completion(
  targets: readonly Target[],
  readyPods: readonly string[],
  nextEndMs: number,
): { completeMs: number; waitingFor: string[] } {
  const newest = new Map<string, number>();
  for (const target of targets) {
    newest.set(target.pod, Math.max(newest.get(target.pod) ?? 0, newestMs(target)));
  }
  const scraped = readyPods.map((pod) => newest.get(pod) ?? Number.NEGATIVE_INFINITY);
  return {
    completeMs: readyPods.length === 0 ? Math.max(...newest.values()) : Math.min(...scraped),
    waitingFor: readyPods.filter((pod) => (newest.get(pod) ?? 0) < nextEndMs),
  };
}

/** See MetricSource.readBaseline. Where the source cannot tell of the whole time, it tells of the end of it. */
export async function readBaseline(reader: CountReader, query: BaselineQuery): Promise<Reading<Baseline>> {
  const { intervalMs, toMs, latency } = query;
  let timeouts = 0;
  for (let count = Math.floor((toMs - query.fromMs) / intervalMs); ; ) {
    const fromMs = toMs - count * intervalMs;
    const samples =
      count < 1
        ? ({ ok: true, targets: [], increases: [], missing: {} } as const)
        : await readSpan(reader, { ...query, revisions: [query.stable], fromMs, latency });
    if (samples.ok) {
      return {
        kind: "ok",
        value: measureBaseline(history({ fromMs, intervalMs, count }, samples, latency)),
      };
    }
    const isTimeout = samples.problem === "Timeout";
    if (isTimeout) timeouts += 1;
    if (!isTimeout && !SHORTER_MAY_WORK.has(samples.problem))
      return failing("SourceFailing", samples.message);
    if (count <= 1 || timeouts > 1) return { ...failing("SourceFailing", samples.message), isTooMuch: true };
    count = Math.ceil(count / (isTimeout ? AFTER_TIMEOUT : 4));
  }
}
