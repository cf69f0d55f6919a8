import { type ArmCounts, type History, type HistoryInterval, SIGNALS, type Signal } from "./counts.ts";
import { correlationOf, designEffect } from "./dispersion.ts";

/** What the stable version was like before the canary, for one signal. */
export interface SignalBaseline {
  readonly requests: number;
  readonly bad: number;
  /** What `requests` weigh when those that fail together count as one. */
  readonly independentRequests: number;
  /** bad / requests, 0 without requests. */
  readonly rate: number;
  /** One-sided 99.9 % limits of the rate, widened by the dispersion. */
  readonly rateLower: number;
  readonly rateUpper: number;
  /**
   * Intra-class correlation of requests that one pod serves in one interval, 0..1: 0 when each request fails on its own. Requests of a pod
   * in an interval weigh as if every `1 + (requests - 1) * correlation` of them were one.
   */
  readonly correlation: number;
}

export type Baseline = Readonly<Partial<Record<Signal, SignalBaseline>>>;

/** Normal quantile of 99.9 %. */
const Z = 3.09;

/** One-sided limits of a rate at 99.9 % (Wilson 1927); `requests` and `bad` in independent requests. */
export function rateLimits(requests: number, bad: number): { lower: number; upper: number } {
  if (requests <= 0) return { lower: 0, upper: 1 };
  const rate = bad / requests;
  const middle = rate + Z ** 2 / (2 * requests);
  const half = Z * Math.sqrt((rate * (1 - rate)) / requests + Z ** 2 / (4 * requests ** 2));
  const scale = 1 + Z ** 2 / requests;
  return { lower: Math.max(0, (middle - half) / scale), upper: Math.min(1, (middle + half) / scale) };
}

/**
 * Measures the stable version's rate and dispersion from its past intervals, before the canary, so that nothing the canary does can
 * change how it is judged. With an empty history the rate is unknown (limits 0 and 1) and the dispersion is the cautious default.
 */
export function measureBaseline(history: History): Baseline {
  const measured: Partial<Record<Signal, SignalBaseline>> = {};
  for (const signal of SIGNALS) {
    const intervals = history[signal];
    if (intervals !== undefined) measured[signal] = measureSignal(intervals);
  }
  return measured;
}

function measureSignal(intervals: readonly HistoryInterval[]): SignalBaseline {
  const cells: ArmCounts[] = intervals.flatMap((interval) => interval.pods.map(({ counts }) => counts));
  const correlation = correlationOf(intervals);
  const requests = cells.reduce((sum, cell) => sum + cell.requests, 0);
  const bad = cells.reduce((sum, cell) => sum + cell.bad, 0);
  const independent = cells.reduce((sum, cell) => sum + cell.requests / designEffect(cell, correlation), 0);
  const rate = requests === 0 ? 0 : bad / requests;
  const limits = rateLimits(independent, independent * rate);
  return {
    requests,
    bad,
    independentRequests: independent,
    rate,
    rateLower: limits.lower,
    rateUpper: limits.upper,
    correlation,
  };
}
