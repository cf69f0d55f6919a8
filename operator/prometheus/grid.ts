import {
  type ArmCounts,
  type History,
  type HistoryInterval,
  type IntervalCounts,
  type Missing,
  missingIn,
  type PairedCounts,
  type Signal,
} from "../evidence/counts.ts";
import { signalCounts } from "./counting.ts";
import type { Increase } from "./increases.ts";
import type { LatencyObjective } from "./source.ts";

/** An increase with the pod and revision it belongs to. */
export interface PodIncrease extends Increase {
  readonly pod: string;
  readonly revision: string;
}

export interface Grid {
  /** Start of the first interval. */
  readonly fromMs: number;
  readonly intervalMs: number;
  /** Whole intervals. */
  readonly count: number;
}

/** What the samples of a window show. */
export interface Grown {
  readonly increases: readonly PodIncrease[];
  /** Signals that cannot be counted in it. */
  readonly missing: Missing;
}

/** Increases by interval: (start, end], so that every sample is in exactly one. */
function byInterval(grid: Grid, increases: readonly PodIncrease[]): PodIncrease[][] {
  const intervals = Array.from({ length: grid.count }, (): PodIncrease[] => []);
  for (const increase of increases) {
    intervals[Math.ceil((increase.atMs - grid.fromMs) / grid.intervalMs) - 1]?.push(increase);
  }
  return intervals;
}

function countable(latency: LatencyObjective | undefined, missing: Missing): Signal[] {
  const judged: Signal[] = latency === undefined ? ["errors"] : ["errors", "latency"];
  return judged.filter((signal) => missing[signal] === undefined);
}

/** Counts of both versions on the grid. */
export function pairedIntervals(
  grid: Grid,
  { increases, missing }: Grown,
  versions: { readonly canary: string; readonly stable: string },
  latency: LatencyObjective | undefined,
): IntervalCounts[] {
  return byInterval(grid, increases).map((own, index): IntervalCounts => {
    const arm = (signal: Signal, revision: string): ArmCounts => {
      const mine = own.filter((increase) => increase.revision === revision);
      const counts = signalCounts(signal, mine, latency);
      return { ...counts, pods: Math.max(1, new Set(mine.map(({ pod }) => pod)).size) };
    };
    const signals: Partial<Record<Signal, PairedCounts>> = {};
    for (const signal of countable(latency, missing)) {
      signals[signal] = { canary: arm(signal, versions.canary), stable: arm(signal, versions.stable) };
    }
    const endMs = grid.fromMs + (index + 1) * grid.intervalMs;
    return { endMs, signals, ...missingIn({ missing }) };
  });
}

/** Counts per pod on the grid, for the baseline. */
export function history(
  grid: Grid,
  { increases, missing }: Grown,
  latency: LatencyObjective | undefined,
): History {
  const intervals = byInterval(grid, increases);
  return Object.fromEntries(
    countable(latency, missing).map((signal) => [
      signal,
      intervals.map((own, index): HistoryInterval => {
        const pods = Map.groupBy(own, ({ pod }) => pod);
        return {
          endMs: grid.fromMs + (index + 1) * grid.intervalMs,
          pods: [...pods]
            .map(([pod, mine]) => ({ pod, counts: signalCounts(signal, mine, latency) }))
            .filter(({ counts }) => counts.requests > 0),
        };
      }),
    ]),
  );
}
