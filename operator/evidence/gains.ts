import { belowRates, expectedRate, worseRates } from "./alternatives.ts";
import { rateLimits } from "./baseline.ts";
import { type Exposure, logEValue, nearestOnBoundary, type Rates } from "./boundary.ts";
import { type Allowance, most, required, tolerated } from "./config.ts";
import type { PairedCounts, Signal } from "./counts.ts";
import { designEffect } from "./dispersion.ts";
import type { SignalState, Tally } from "./state.ts";

/** What an interval is judged by: all of it known before the interval is seen. */
export type Known = Pick<SignalState, "margins" | "recent" | "known" | "correlation">;

/** Counts of both versions when requests that may fail together count as one. */
export interface Independent {
  readonly requests: Exposure;
  readonly bad: Exposure;
}

/**
 * Signals whose past says what stable would be like now. Errors of the bridge itself do; latency follows the upstream's load of the hour,
 * and without a stable version beside the canary nobody can tell the two apart.
 */
const HISTORY_SPEAKS: ReadonlySet<Signal> = new Set(["errors"]);
/** Margins above this leave no room for two rates on the boundary. */
const MOST_MARGIN = 0.99;

export function allowanceWithin({ points, increase }: Allowance): Allowance {
  return { points: Math.min(MOST_MARGIN, points), increase };
}

export function independent({ canary, stable }: PairedCounts, correlation: number): Independent {
  const effect = { canary: designEffect(canary, correlation), stable: designEffect(stable, correlation) };
  return {
    requests: { canary: canary.requests / effect.canary, stable: stable.requests / effect.stable },
    bad: { canary: canary.bad / effect.canary, stable: stable.bad / effect.stable },
  };
}

/**
 * Logarithms of the e-values of one interval against "worse by at most rollbackAbove", for each alternative of `worseRates`. Undefined where
 * the interval tells nothing: the canary served nothing, or alone while the signal's past does not speak.
 */
export function worseGains(known: Known, counts: Independent, signal: Signal): number[] | undefined {
  const { requests, bad } = counts;
  if (requests.canary <= 0) return undefined;
  if (requests.stable > 0) return besideStable(known, counts);
  if (!HISTORY_SPEAKS.has(signal) || known.known.requests === 0) return undefined;
  return alone(known, requests, bad);
}

/**
 * Logarithms of the e-values of an interval in which both served against "worse by at least promoteBelow", for each alternative of `belowRates`. Linear in the
 * counts.
 */
export function belowGains(
  { margins, recent }: Pick<Known, "margins" | "recent">,
  { requests, bad }: Independent,
): number[] {
  const rate = expectedRate(recent);
  const allowance = allowanceWithin(required(margins));
  return belowRates(rate, margins).map((canaryRate) => {
    if (canaryRate >= most(allowance, rate)) return 0;
    const alternative = { canary: canaryRate, stable: rate };
    return logEValue(alternative, nearestOnBoundary(alternative, requests, allowance), requests, bad);
  });
}

function besideStable({ margins, recent }: Known, { requests, bad }: Independent): number[] {
  const rate = expectedRate(recent);
  const allowance = allowanceWithin(tolerated(margins));
  return worseRates(rate, margins).map((canaryRate) => {
    const alternative = { canary: canaryRate, stable: rate };
    if (canaryRate <= most(allowance, rate)) return 0;
    return logEValue(alternative, nearestOnBoundary(alternative, requests, allowance), requests, bad);
  });
}

/**
 * The canary serves everything: nothing runs beside it, so it is held against the upper limit of all that is known of stable.
 * That can show it to be worse; that it is good enough must have been proved before.
 */
function alone({ margins, known }: Known, requests: Exposure, bad: Exposure): number[] {
  // Of a version that never answered well the limit is 1, which is no rate that anything could be held against.
  const stable = Math.min(MOST_MARGIN, rateLimits(known.requests, known.bad).upper);
  const boundary: Rates = { canary: Math.min(MOST_MARGIN, most(tolerated(margins), stable)), stable };
  return worseRates(stable, margins).map((canary) =>
    logEValue({ canary, stable }, boundary, requests, { ...bad, stable: 0 }),
  );
}

/** How much of stable's recent past is kept from one interval to the next. */
const MEMORY = 0.9;

export function recently(recent: Tally, stable: Tally): Tally {
  return {
    requests: MEMORY * recent.requests + stable.requests,
    bad: MEMORY * recent.bad + stable.bad,
  };
}

export function addTally(sum: Tally, more: Tally): Tally {
  return { requests: sum.requests + more.requests, bad: sum.bad + more.bad };
}
