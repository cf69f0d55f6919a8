import { BELOW_COUNT, belowRates, expectedRate, logWorseShare, worseRates } from "./alternatives.ts";
import { rateLimits } from "./baseline.ts";
import { type Exposure, logEValue, logSum, nearestOnBoundary, type Rates } from "./boundary.ts";
import { type EvidenceConfig, judgedSignals } from "./config.ts";
import type { ArmCounts, IntervalCounts, PairedCounts, Signal } from "./counts.ts";
import { designEffect } from "./dispersion.ts";
import type { EvidenceState, SignalState, Tally } from "./state.ts";

/** How much of stable's recent past is kept from one interval to the next. */
const MEMORY = 0.9;
/**
 * Signals whose past says what stable would be like now. Errors of the bridge itself do; latency follows the upstream's load of the hour,
 * and without a stable version beside the canary nobody can tell the two apart.
 */
const HISTORY_SPEAKS: ReadonlySet<Signal> = new Set(["errors"]);
/** Margins above this leave no room for two rates on the boundary. */
const MOST_MARGIN = 0.99;

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
    const pair = counts.signals[signal];
    if (before === undefined || pair === undefined || !isCount(pair.canary) || !isCount(pair.stable))
      continue;
    const counted = { canary: withinRequests(pair.canary), stable: withinRequests(pair.stable) };
    signals[signal] = observeSignal(before, counted, HISTORY_SPEAKS.has(signal));
  }
  return { ...state, intervalEndMs: counts.endMs, signals };
}

function isCount({ requests, bad }: ArmCounts): boolean {
  return Number.isFinite(requests) && Number.isFinite(bad) && requests >= 0 && bad >= 0;
}

/** A scrape can fall between the two counters of one request. */
function withinRequests(counts: ArmCounts): ArmCounts {
  return { ...counts, requests: Math.max(counts.requests, counts.bad) };
}

/** Requests and bad ones when those that may fail together count as one. */
function independent(counts: ArmCounts, correlation: number): Tally {
  const effect = designEffect(counts, correlation);
  return { requests: counts.requests / effect, bad: counts.bad / effect };
}

function observeSignal(
  before: SignalState,
  { canary, stable }: PairedCounts,
  historySpeaks: boolean,
): SignalState {
  const effective = {
    canary: independent(canary, before.correlation),
    stable: independent(stable, before.correlation),
  };
  const requests = { canary: effective.canary.requests, stable: effective.stable.requests };
  const bad = { canary: effective.canary.bad, stable: effective.stable.bad };
  const learned: SignalState = {
    ...before,
    recent: {
      requests: MEMORY * before.recent.requests + stable.requests,
      bad: MEMORY * before.recent.bad + stable.bad,
    },
    known: add(before.known, effective.stable),
    stable: add(before.stable, stable),
    canary: add(before.canary, canary),
  };
  if (canary.requests === 0) return learned;
  if (stable.requests === 0) return historySpeaks ? observeAlone(before, learned, requests, bad) : learned;

  const rate = expectedRate(before.recent);
  const below = belowRates(rate, before.margins).map((canaryRate, index) => {
    const alternative = { canary: canaryRate, stable: rate };
    const margin = Math.min(MOST_MARGIN, before.margins.promoteBelow);
    const gain =
      canaryRate < rate + margin
        ? logEValue(alternative, nearestOnBoundary(alternative, requests, margin), requests, bad)
        : 0;
    return (before.below[index] ?? -Math.log(BELOW_COUNT)) + gain;
  });
  const margin = Math.min(MOST_MARGIN, before.margins.rollbackAbove);
  const gains = worseRates(rate, before.margins).map((canaryRate) => {
    const alternative = { canary: canaryRate, stable: rate };
    if (canaryRate <= rate + margin) return 0;
    return logEValue(alternative, nearestOnBoundary(alternative, requests, margin), requests, bad);
  });
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
 * The canary serves everything: nothing runs beside it, so it is held against the upper limit of all that is known of stable.
 * That can show it to be worse; that it is good enough must have been proved before.
 */
function observeAlone(
  before: SignalState,
  learned: SignalState,
  requests: Exposure,
  bad: Exposure,
): SignalState {
  if (before.known.requests === 0) return learned;
  const { upper } = rateLimits(before.known.requests, before.known.bad);
  const boundary: Rates = {
    canary: Math.min(MOST_MARGIN, upper + before.margins.rollbackAbove),
    stable: upper,
  };
  const gains = worseRates(upper, before.margins).map((canaryRate) =>
    canaryRate <= boundary.canary
      ? 0
      : logEValue({ canary: canaryRate, stable: upper }, boundary, requests, { ...bad, stable: 0 }),
  );
  return withWorse(learned, gains);
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

function add(sum: Tally, more: Tally): Tally {
  return { requests: sum.requests + more.requests, bad: sum.bad + more.bad };
}
