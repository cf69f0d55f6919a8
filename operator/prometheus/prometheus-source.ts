import { type Clock, systemClock } from "../kube/clock.ts";
import { withCircuit } from "./circuit.ts";
import { type ClientOptions, createPrometheusClient } from "./client.ts";
import { DEFAULT_LABELS, type SourceLabels } from "./pods.ts";
import { equal } from "./promql.ts";
import { readBaseline, readIntervals } from "./read-counts.ts";
import { readFleet } from "./read-fleet.ts";
import { failing, type MetricSource, type Reading } from "./source.ts";

export interface PrometheusSourceOptions extends ClientOptions {
  /** Name in the administrator's settings. */
  readonly name: string;
  /** Labels that the scrape configuration adds to the series of a pod. Default namespace and pod. */
  readonly labels?: Partial<SourceLabels>;
  /** Matchers of every query, label to value: what tells this cluster from others in a shared source. Default none. */
  readonly matchers?: Readonly<Record<string, string>>;
  /** Time between two scrapes of a pod; readings older than two are stale. Default: as the samples show it. */
  readonly scrapeIntervalMs?: number;
  /** Time until a sample can be read for sure: 1 s for a Prometheus that scrapes itself, more behind remote write. Default 1 s. */
  readonly sourceLagMs?: number;
  /** It gave no answer for a while and does so again. */
  readonly onRecovered?: () => void;
  readonly clock?: Clock;
}

const SOURCE_LAG_MS = 1000;

/**
 * A Prometheus (or what answers its query API) as a source of measurements. Throws RangeError on settings that cannot work; after that
 * nothing throws: what the source does wrong is a failing reading. `close` ends its connections.
 */
export function createPrometheusSource(
  options: PrometheusSourceOptions,
): MetricSource & { close(): Promise<void> } {
  const { clock = systemClock, onRecovered = () => undefined } = options;
  const client = withCircuit(createPrometheusClient(options), { clock, onRecovered });
  const labels = { ...DEFAULT_LABELS, ...options.labels };
  const matchers = Object.entries(options.matchers ?? {}).map(([label, value]) => equal(label, value));
  const { scrapeIntervalMs, sourceLagMs = SOURCE_LAG_MS } = options;
  const reader = { client, labels, matchers, sourceLagMs };
  return {
    name: options.name,
    ...(scrapeIntervalMs === undefined ? {} : { scrapeIntervalMs }),
    readIntervals: (query) => read(() => readIntervals(reader, query)),
    readBaseline: (query) => read(() => readBaseline(reader, query)),
    readFleet: (query) => read(() => readFleet({ ...reader, scrapeIntervalMs }, query)),
    close: () => client.close(),
  };
}

/** RangeErrors are about settings or the query and name the remedy. */
async function read<T>(reading: () => Promise<Reading<T>>): Promise<Reading<T>> {
  try {
    return await reading();
  } catch (error) {
    if (error instanceof RangeError) return failing("SourceFailing", error.message);
    throw error;
  }
}
