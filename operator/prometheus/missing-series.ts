import { METRICS } from "../../contract/metrics.ts";
import type { Missing, Signal } from "../evidence/counts.ts";
import { boundSeries, countSeries } from "./counting.ts";
import type { PodSamples } from "./one-process.ts";
import type { Target } from "./pods.ts";
import type { LatencyObjective } from "./source.ts";

interface Pair {
  readonly signal: Signal;
  /** Where this is, `needed` has to be: both exist from the start of a process, at 0. */
  readonly counted: string;
  readonly needed: string;
  /** The same for people. */
  readonly named: string;
}

/**
 * Signals of which one of two series that are counted against each other is not there. A counter that is missing is not one that stands at 0: what a
 * scrape configuration drops, or an image does not export, would prove any version good.
 *
 * What came after `readableMs` may not be seen whole yet. Before the window counts, too: a series that comes only later than its pair brings all that it counted before with its first sample.
 */
export function missingSeries(
  pods: readonly PodSamples[],
  latency: LatencyObjective | undefined,
  readableMs: number,
): Missing {
  const missing: Partial<Record<Signal, string>> = {};
  for (const pair of pairsOf(latency)) {
    const without = pods
      .filter(({ inside, before }) =>
        [inside, ...(before ? [before] : [])].some((side) => lacks(side, pair, readableMs)),
      )
      .map(({ inside }) => inside.pod)
      .sort();
    if (without[0] === undefined) continue;
    missing[pair.signal] =
      `The metric source has no series ${pair.named} of pod ${without[0]}${without.length > 1 ? " and others" : ""}; every pod must export it from its start, and scraping must keep it.`;
  }
  return missing;
}

function pairsOf(latency: LatencyObjective | undefined): Pair[] {
  const errors: Pair = {
    signal: "errors",
    counted: METRICS.requests,
    needed: METRICS.errors,
    named: `${METRICS.errors}{domain="bridge"}`,
  };
  if (latency === undefined) return [errors];
  const { name, le } = boundSeries(latency);
  return [
    errors,
    { signal: "latency", counted: countSeries(latency), needed: name, named: `${name}{le="${le}"}` },
  ];
}

function lacks({ series }: Target, { counted, needed }: Pair, readableMs: number): boolean {
  const of = (name: string) => series.filter(({ labels }) => labels.__name__ === name);
  const isCounted = of(counted).some(({ samples }) => (samples[0]?.atMs ?? readableMs) < readableMs);
  return isCounted && of(needed).length === 0;
}
