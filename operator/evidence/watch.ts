import { logWorseShare } from "./alternatives.ts";
import { actingSignals, type EvidenceConfig, judgedSignals } from "./config.ts";
import { countedPair, type IntervalCounts, type Missing, missingIn, SIGNALS, type Signal } from "./counts.ts";
import { addTally, independent, type Known, recently, worseGains } from "./gains.ts";
import { logSum } from "./log-sum.ts";
import type { EvidenceState } from "./state.ts";

/**
 * Watches a version after its promotion for getting worse than the one before it: an e-detector (Shin, Ramdas, Rinaldo 2023). What a canary
 * proves stays proved, but a regression that begins after the promotion has begun at no time that could be known before; the
 * detector starts anew in every interval: M' = (M + 1) E. While the version is not worse M less the number of intervals is a
 * supermartingale, so that false alarms are `length` intervals apart on average, and within a watch of that many there is one with a
 * probability of at most (intervals watched) / `length`.
 */
export interface WatchState {
  /** What was counted (EvidenceConfig.subject). */
  readonly subject: string;
  /** End of the last interval observed, Unix milliseconds. */
  readonly intervalEndMs: number;
  /** Whole intervals since the promotion. */
  readonly intervals: number;
  readonly signals: Readonly<Partial<Record<Signal, WatchedSignal>>>;
  /** Signals that the last interval has nothing of, and why. Default none. */
  readonly missing?: Missing;
}

export interface WatchedSignal extends Known {
  /** Log M of each alternative of "worse than rollbackAbove", without its share; empty before the first interval. */
  readonly worse: readonly number[];
  /** The largest log M that the mixture ever had. An alarm stays one. */
  readonly worseMost: number;
}

/** Signals that are worse for sure; empty while there is no alarm. */
export type WatchVerdict =
  | { readonly category: "ProvedWorse"; readonly signals: readonly Signal[] }
  | { readonly category: "Watching" };

/**
 * Begins at `fromMs`, by default where the evidence of the rollout ends. The reference is all that is known of the version before, which serves no more; what the
 * promoted version did as a canary is no part of it, so that it is not held against itself.
 */
export function startWatch(evidence: EvidenceState, fromMs: number = evidence.intervalEndMs): WatchState {
  const signals: Partial<Record<Signal, WatchedSignal>> = {};
  for (const signal of SIGNALS) {
    const known = evidence.signals[signal];
    if (known === undefined) continue;
    const { margins, recent, known: past, correlation } = known;
    signals[signal] = { margins, recent, known: past, correlation, worse: [], worseMost: 0 };
  }
  return { subject: evidence.subject, intervalEndMs: fromMs, intervals: 0, signals };
}

/**
 * Adds one interval: `canary` counts the promoted version, `stable` the one before it, while it still drains. Intervals come in order; one
 * that ends at or before `state.intervalEndMs` changes nothing. Latency is watched only while the version before serves too.
 */
export function watchInterval(state: WatchState, config: EvidenceConfig, counts: IntervalCounts): WatchState {
  if (!(counts.endMs > state.intervalEndMs)) return state;
  const signals: Partial<Record<Signal, WatchedSignal>> = { ...state.signals };
  for (const [signal] of judgedSignals(config)) {
    const before = state.signals[signal];
    const counted = countedPair(counts.signals[signal]);
    if (before === undefined || counted === undefined) continue;
    const effective = independent(counted, before.correlation);
    const { requests, bad } = effective;
    signals[signal] = {
      ...begunAnew(before, worseGains(before, effective, signal)),
      recent: recently(before.recent, counted.stable),
      known: addTally(before.known, { requests: requests.stable, bad: bad.stable }),
    };
  }
  const { missing: _, ...known } = state;
  const intervals = state.intervals + 1;
  return { ...known, ...missingIn(counts), intervalEndMs: counts.endMs, intervals, signals };
}

function begunAnew(before: WatchedSignal, gains: readonly number[] | undefined): WatchedSignal {
  if (gains === undefined) return before;
  const worse = gains.map(
    (gain, index) => logSum([before.worse[index] ?? Number.NEGATIVE_INFINITY, 0]) + gain,
  );
  const logM = logSum(worse.map((log, index) => log + logWorseShare(index)));
  return { ...before, worse, worseMost: Math.max(before.worseMost, logM) };
}

/**
 * Log M at which there is an alarm, so that a version that is no worse gets one with a probability of at most `falseRollback` in a watch of so many
 * intervals, over all signals and looks.
 */
export function watchThreshold(config: EvidenceConfig, intervals: number): number {
  return Math.log((Math.max(1, intervals) * actingSignals(config).length) / config.falseRollback);
}

/** @param intervals how many the watch has in all: `watchAfter` over the interval of the analysis. */
export function judgeWatch(state: WatchState, config: EvidenceConfig, intervals: number): WatchVerdict {
  const threshold = watchThreshold(config, intervals);
  const signals = actingSignals(config)
    .map(([signal]) => signal)
    .filter((signal) => (state.signals[signal]?.worseMost ?? 0) >= threshold);
  return signals.length === 0 ? { category: "Watching" } : { category: "ProvedWorse", signals };
}
