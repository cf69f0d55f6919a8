import { boundAtOrBelow, leLabel } from "../../contract/histograms.ts";
import { METRICS } from "../../contract/metrics.ts";
import type { ArmCounts, Signal } from "../evidence/counts.ts";
import type { Increase } from "./increases.ts";
import { anyOf, equal, type Matcher, selector, unequal } from "./promql.ts";
import type { LatencyObjective, LatencySignal } from "./source.ts";

/** Start of the process, Unix seconds; from the default metrics of Prometheus clients. */
export const START_METRIC = "process_start_time_seconds";

const LATENCY_METRICS: Record<LatencySignal, string> = {
  FirstByte: METRICS.firstByteSeconds,
  Total: METRICS.requestSeconds,
  Added: METRICS.addedSeconds,
};

/**
 * One selector for all that evidence counts: requests and latencies that the cache did not answer, errors of the bridge's own fault.
 * Series that lack a label pass its matcher. Throws RangeError where the objective is below the first bound of the histograms.
 */
export function countedSeries(latency: LatencyObjective | undefined): Matcher[] {
  const names: string[] = [METRICS.requests, METRICS.errors, START_METRIC];
  const bounds: string[] = [];
  if (latency !== undefined) {
    names.push(boundSeries(latency).name, countSeries(latency));
    bounds.push(...boundTexts(latency));
  }
  return [
    anyOf("__name__", names),
    unequal("cache", "hit"),
    anyOf("domain", ["bridge", ""]),
    anyOf("le", [...bounds, ""]),
  ];
}

/** All that evidence counts of some versions of a bridge. `own` says which bridge; see ownMatchers. */
export function countedSelector(
  latency: LatencyObjective | undefined,
  revisions: readonly string[],
  own: readonly Matcher[],
): string {
  return selector([...countedSeries(latency), anyOf("revision", revisions), ...own]);
}

/** The counter of all requests that a latency is known of. */
export const countSeries = ({ signal }: LatencyObjective): string => `${LATENCY_METRICS[signal]}_count`;

/** The counter of those within the objective, and its bound. Throws RangeError as countedSeries does. */
export function boundSeries(latency: LatencyObjective): { readonly name: string; readonly le: string } {
  return { name: `${LATENCY_METRICS[latency.signal]}_bucket`, le: boundTexts(latency)[0] ?? "" };
}

/** How a source may write the bound: Prometheus 3 normalises "1" to "1.0". */
function boundTexts({ objectiveMs }: LatencyObjective): string[] {
  const bound = boundAtOrBelow(objectiveMs);
  if (bound === undefined) {
    throw new RangeError(
      `The objective of ${objectiveMs}ms is below the smallest bound of the histograms, 1ms.`,
    );
  }
  return Number.isInteger(bound) ? [leLabel(bound), bound.toFixed(1)] : [leLabel(bound)];
}

/** Answers about models are made by the bridge itself and would thin out latencies that the upstream is part of. */
const UNTIMED_ROUTES = new Set(["models"]);

/** Adds up increases of one version (or one pod) to the counts of a signal. */
export function signalCounts(
  signal: Signal,
  increases: readonly Increase[],
  latency?: LatencyObjective,
): ArmCounts {
  const sum = (name: string, timed: boolean) =>
    increases.reduce(
      (total, { labels, amount }) =>
        labels.__name__ === name && !(timed && UNTIMED_ROUTES.has(labels.route ?? ""))
          ? total + amount
          : total,
      0,
    );
  if (signal === "errors" || latency === undefined) {
    const requests = sum(METRICS.requests, false);
    const bad = sum(METRICS.errors, false);
    return { requests: Math.max(requests, bad), bad };
  }
  const requests = sum(countSeries(latency), true);
  return { requests, bad: Math.max(0, requests - sum(boundSeries(latency).name, true)) };
}

/**
 * What every selector of a bridge holds: nothing outside its namespace and name is ever read. Throws RangeError on an empty one, which in PromQL
 * selects what has no such label.
 */
export function ownMatchers(namespaceLabel: string, namespace: string, bridge: string): Matcher[] {
  if (namespace === "" || bridge === "")
    throw new RangeError("A query needs the namespace and the name of a bridge.");
  return [equal(namespaceLabel, namespace), equal("bridge", bridge)];
}
