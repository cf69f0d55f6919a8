import { BELOW_COUNT, logWorseShare } from "./alternatives.ts";
import { type EvidenceConfig, judgedSignals, mostBelow } from "./config.ts";
import { countedPair, type IntervalCounts, missingIn, type PairedCounts, type Signal } from "./counts.ts";
import { addTally, belowGains, independent, recently, worseGains } from "./gains.ts";
import { logSum } from "./log-sum.ts";
import type { EvidenceState, SignalState } from "./state.ts";

/**
 * Adds one interval. Intervals come in order; one that ends at or before `state.intervalEndMs` changes nothing, so that reading the same
 * intervals again after a restart doubles nothing. Counts that are no counts (NaN, negative, not finite) are not counted.
 */
export function observeInterval(
  state: EvidenceState,
  config: EvidenceConfig,
  counts: IntervalCounts,
): EvidenceState {
  if (!(counts.endMs > state.intervalEndMs)) return state;
  const signals: Partial<Record<Signal, SignalState>> = { ...state.signals };
  for (const [signal] of judgedSignals(config)) {
    const before = state.signals[signal];
    const counted = countedPair(counts.signals[signal]);
    if (before === undefined || counted === undefined) continue;
    signals[signal] = observeSignal(before, counted, signal, mostBelow(config));
  }
  const { missing: _, ...known } = state;
  return { ...known, ...missingIn(counts), intervalEndMs: counts.endMs, signals };
}

function observeSignal(
  before: SignalState,
  counts: PairedCounts,
  signal: Signal,
  mostLogBelow: number,
): SignalState {
  const { canary, stable } = counts;
  const effective = independent(counts, before.correlation);
  const { requests, bad } = effective;
  const learned: SignalState = {
    ...before,
    recent: recently(before.recent, stable),
    known: addTally(before.known, { requests: requests.stable, bad: bad.stable }),
    stable: addTally(before.stable, stable),
    canary: addTally(before.canary, canary),
  };
  const gains = worseGains(before, effective, signal);
  if (gains === undefined) return learned;
  if (stable.requests === 0) return withWorse(learned, gains);

  const below = belowGains(before, effective).map((gain, index) =>
    Math.min(mostLogBelow, (before.below[index] ?? -Math.log(BELOW_COUNT)) + gain),
  );
  const weight = (requests.canary * requests.stable) / (requests.canary + requests.stable);
  const difference = canary.bad / canary.requests - stable.bad / stable.requests;
  return {
    ...withWorse(learned, gains),
    below,
    weight: before.weight + weight,
    weighted: before.weighted + weight * difference,
    canarySpread: before.canarySpread + weight ** 2 / requests.canary,
    stableSpread: before.stableSpread + weight ** 2 / requests.stable,
  };
}

/**
 * The mixture over what "worse" looks like and over when it began: the part that begins at interval k has weight 1/((k+1)(k+2)), so that
 * a canary that turns bad late is not protected by its good past. A mixture of test martingales is one.
 */
function withWorse(state: SignalState, gains: readonly number[]): SignalState {
  const begin = state.intervals;
  const beginning = -Math.log((begin + 1) * (begin + 2));
  const worse = gains.map(
    (gain, index) =>
      logSum([state.worse[index] ?? Number.NEGATIVE_INFINITY, beginning + logWorseShare(index)]) + gain,
  );
  const notBegun = -Math.log(begin + 2);
  const logM = logSum([...worse, notBegun]);
  return { ...state, intervals: begin + 1, worse, worseMost: Math.max(state.worseMost, logM) };
}
