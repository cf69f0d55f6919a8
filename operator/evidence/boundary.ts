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
 * The rates on the line `canary = stable + margin` that are nearest to `alternative`: those that minimise
 * `canary exposure * KL(alternative.canary || c) + stable exposure * KL(alternative.stable || s)`.
 * The line is the boundary of both nulls, "at most margin worse" and "at least margin worse"; each is convex.
 */
export function nearestOnBoundary(alternative: Rates, exposure: Exposure, margin: number): Rates {
  const slope = (rate: number, target: number, weight: number) =>
    (weight * (rate - target)) / (rate * (1 - rate));
  // The divergence is convex in the stable rate, so its derivative has one zero; found by bisection.
  let low = TINY;
  let high = 1 - margin - TINY;
  for (let step = 0; step < 60 && high - low > 1e-13; step++) {
    const stable = (low + high) / 2;
    const derivative =
      slope(stable + margin, alternative.canary, exposure.canary) +
      slope(stable, alternative.stable, exposure.stable);
    if (derivative > 0) high = stable;
    else low = stable;
  }
  const stable = (low + high) / 2;
  return { canary: stable + margin, stable };
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

/** log(exp(a) + exp(b) + ...) without overflow. */
export function logSum(values: readonly number[]): number {
  const largest = Math.max(...values);
  if (largest === Number.NEGATIVE_INFINITY) return largest;
  return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}
