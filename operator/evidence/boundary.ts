import type { Allowance } from "./config.ts";

/** Rates of both versions, each strictly between 0 and 1. */
export interface Rates {
  readonly canary: number;
  readonly stable: number;
}

/** Requests of both versions, in independent ones (see effectiveRequests). */
export interface Exposure {
  readonly canary: number;
  readonly stable: number;
}

const TINY = 1e-12;

/**
 * The rates on the line `canary = stable * (1 + increase) + points` that are nearest to `alternative`: those that minimise
 * `canary exposure * KL(alternative.canary || c) + stable exposure * KL(alternative.stable || s)`.
 * The line is the boundary of both nulls, "at most so much worse" and "at least so much worse"; each is convex.
 */
export function nearestOnBoundary(
  alternative: Rates,
  exposure: Exposure,
  { points, increase }: Allowance,
): Rates {
  const slope = 1 + increase;
  const most = (1 - points) / slope - TINY;
  const within = (rate: number) => Math.min(most, Math.max(TINY, rate));
  const meeting = (alternative.canary - points) / slope;
  // The divergence is convex in the stable rate and least between the two alternatives. Newton's steps find the zero of its derivative;
  // one that leaves what is known to hold it is replaced by a bisection.
  let low = within(Math.min(alternative.stable, meeting));
  let high = within(Math.max(alternative.stable, meeting));
  let stable = (low + high) / 2;
  for (let step = 0; step < 60 && high - low > 1e-13; step++) {
    const canary = slope * stable + points;
    const ofCanary = canary * (1 - canary);
    const ofStable = stable * (1 - stable);
    const derivative =
      (slope * exposure.canary * (canary - alternative.canary)) / ofCanary +
      (exposure.stable * (stable - alternative.stable)) / ofStable;
    if (derivative > 0) high = stable;
    else low = stable;
    const curvature =
      (slope ** 2 * exposure.canary * curve(canary, alternative.canary)) / ofCanary ** 2 +
      (exposure.stable * curve(stable, alternative.stable)) / ofStable ** 2;
    const next = stable - derivative / curvature;
    const moved = next > low && next < high ? next : (low + high) / 2;
    if (Math.abs(moved - stable) < 1e-14) break;
    stable = moved;
  }
  return { canary: slope * stable + points, stable };
}

/** Second derivative of KL(target || rate) by the rate, times (rate * (1 - rate))^2. */
function curve(rate: number, target: number): number {
  return target * (1 - rate) ** 2 + (1 - target) * rate ** 2;
}

/** Log-likelihood ratio of two rates for `bad` of `requests`. */
function logRatio(alternative: number, boundary: number, requests: number, bad: number): number {
  return (
    bad * Math.log(alternative / boundary) + (requests - bad) * Math.log((1 - alternative) / (1 - boundary))
  );
}

/**
 * Logarithm of an e-value against the null whose boundary `nearest` lies on: its expectation is at most 1 whatever the true
 * rates in the null are. Source: reverse information projection for two Bernoulli streams (Turner, Ly, Grünwald 2021; Turner, Grünwald
 * 2022); the short proof is in docs/concepts/evidence.md. `bad` counts are in independent requests too and need not be whole.
 */
export function logEValue(alternative: Rates, nearest: Rates, requests: Exposure, bad: Exposure): number {
  return (
    logRatio(alternative.canary, nearest.canary, requests.canary, bad.canary) +
    logRatio(alternative.stable, nearest.stable, requests.stable, bad.stable)
  );
}
