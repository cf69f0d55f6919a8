import type { PrometheusClient } from "./client.ts";
import { AHEAD, BEHIND, isAhead, LOOK_AHEAD_MS, LOOK_BEHIND_MS, NONE_OF_PRESENT, upTo } from "./clocks.ts";
import { ownMatchers, START_METRIC } from "./counting.ts";
import { podReadings } from "./fleet.ts";
import {
  PERCENTILES,
  type Percentile,
  percentileQuery,
  plainQuery,
  QUANTITY_LABEL,
} from "./fleet-queries.ts";
import type { SourceLabels } from "./pods.ts";
import type { QueryResult } from "./problems.ts";
import { equal, type Matcher, range, selector } from "./promql.ts";
import type { Series } from "./response.ts";
import { type Failing, type FleetQuery, failing, type PodReading, type Reading } from "./source.ts";

export interface FleetReader {
  readonly client: PrometheusClient;
  readonly labels: SourceLabels;
  readonly matchers: readonly Matcher[];
  readonly scrapeIntervalMs: number | undefined;
  /** Time until a sample of any pod can be read for sure. */
  readonly sourceLagMs: number;
}

/** Samples of this time are read at least, so that a slow scrape interval is seen for what it is. */
const LEAST_WINDOW_MS = 45_000;

/**
 * See MetricSource.readFleet. Two queries, whatever the number of pods, and a third where there is nothing. What stands under a time is taken for
 * what was then; so samples of times to come are looked for, since a source whose clock is ahead passes what is old off as new.
 */
export async function readFleet(
  reader: FleetReader,
  query: FleetQuery,
): Promise<Reading<readonly PodReading[]>> {
  const { labels, scrapeIntervalMs, sourceLagMs } = reader;
  const windowMs = sourceLagMs + Math.max(query.windowMs, LEAST_WINDOW_MS, 3 * (scrapeIntervalMs ?? 0));
  const own = [...reader.matchers, ...ownMatchers(labels.namespace, query.namespace, query.bridge)];
  const [plain, percentiles] = await Promise.all([
    reader.client.query(plainQuery(own, windowMs + LOOK_AHEAD_MS), query.atMs + LOOK_AHEAD_MS),
    reader.client.query(percentileQuery(own, labels.pod, windowMs), query.atMs),
  ]);
  if (!plain.ok) return failed(plain);
  if (!percentiles.ok) return failed(percentiles);
  if (isAhead(plain.series, query.atMs)) return failing("Stale", AHEAD);
  const pods = podReadings(upTo(plain.series, query.atMs), labels, {
    atMs: query.atMs,
    windowMs: query.windowMs,
    scrapeIntervalMs,
    lagMs: sourceLagMs,
  });
  if (pods.length === 0) return nothingNow(reader, own, query);
  if (pods.every(({ stale }) => stale))
    return onlyOld(
      pods.map(({ pod }) => pod),
      query,
    );
  const quantities = percentilesByPod(percentiles.series, labels);
  return {
    kind: "ok",
    value: pods.map((reading) => ({
      ...reading,
      ...quantities.get(reading.pod),
      windowMs: Math.max(reading.windowMs, windowMs),
    })),
  };
}

/** Nobody scraped it yet, or what was scraped is from before the window. */
async function nothingNow(reader: FleetReader, own: readonly Matcher[], query: FleetQuery): Promise<Failing> {
  const starts = selector([equal("__name__", START_METRIC), ...own]);
  const old = await reader.client.query(range(starts, LOOK_BEHIND_MS), query.atMs);
  if (!old.ok) return failed(old);
  if (old.series.length === 0) return failing("NoData", "The metric source has no samples of this bridge.");
  return onlyOld(
    old.series.map(({ labels }) => labels[reader.labels.pod]),
    query,
  );
}

/** Samples that are old say something of the scrapes and clocks of now only where their pod is still there. */
function onlyOld(pods: readonly (string | undefined)[], { pods: present }: FleetQuery): Failing {
  const isThere = present === undefined || pods.some((pod) => pod !== undefined && present.includes(pod));
  return isThere ? failing("Stale", BEHIND) : failing("NoData", NONE_OF_PRESENT);
}

function failed({ problem, message }: QueryResult & { readonly ok: false }): Failing {
  return { ...failing("SourceFailing", message), ...(problem === "Away" ? { isAway: true } : {}) };
}

function percentilesByPod(
  series: readonly Series[],
  labels: SourceLabels,
): Map<string, { -readonly [key in Percentile]?: number }> {
  const pods = new Map<string, { -readonly [key in Percentile]?: number }>();
  for (const one of series) {
    const pod = one.labels[labels.pod];
    const quantity = one.labels[QUANTITY_LABEL];
    const value = one.samples.at(-1)?.value;
    if (pod === undefined || value === undefined || quantity === undefined || !isPercentile(quantity))
      continue;
    pods.set(pod, { ...pods.get(pod), [quantity]: value });
  }
  return pods;
}

function isPercentile(text: string): text is Percentile {
  return text in PERCENTILES;
}
