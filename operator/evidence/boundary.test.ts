import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { logEValue, nearestOnBoundary } from "./boundary.ts";
import { most } from "./config.ts";
import { logSum } from "./log-sum.ts";

const rate = fc.double({ min: 0.001, max: 0.9, noNaN: true });
const requests = fc.integer({ min: 1, max: 40 });
/** None, as a margin in points has; or as much as leaves the line within both rates for a while. */
const increases = fc.constantFrom(0, 0.1, 0.5, 2);

/** Exact expectation of the e-value under two binomials. */
function expectation(
  n: { canary: number; stable: number },
  truth: { canary: number; stable: number },
  value: (bad: { canary: number; stable: number }) => number,
): number {
  let sum = 0;
  for (let canary = 0; canary <= n.canary; canary++) {
    for (let stable = 0; stable <= n.stable; stable++) {
      sum +=
        binomial(n.canary, canary, truth.canary) *
        binomial(n.stable, stable, truth.stable) *
        value({ canary, stable });
    }
  }
  return sum;
}

function binomial(n: number, k: number, p: number): number {
  let logChoose = 0;
  for (let index = 1; index <= k; index++) logChoose += Math.log((n - k + index) / index);
  return Math.exp(logChoose + k * Math.log(p) + (n - k) * Math.log(1 - p));
}

describe("logEValue on the nearest boundary", () => {
  it("has an expectation of at most 1 wherever the canary is at most the margin worse", () => {
    fc.assert(
      fc.property(
        rate,
        rate,
        rate,
        fc.double({ min: 0, max: 0.09, noNaN: true }),
        increases,
        requests,
        requests,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (alternativeCanary, alternativeStable, rate, points, increase, nCanary, nStable, part) => {
          const allowance = { points, increase };
          const stable = rate / (1 + increase);
          fc.pre(alternativeCanary > most(allowance, alternativeStable));
          const n = { canary: nCanary, stable: nStable };
          const alternative = { canary: alternativeCanary, stable: alternativeStable };
          const nearest = nearestOnBoundary(alternative, n, allowance);
          const truth = { canary: Math.max(1e-6, most(allowance, stable) * part), stable };
          expect(
            expectation(n, truth, (bad) => Math.exp(logEValue(alternative, nearest, n, bad))),
          ).toBeLessThan(1 + 1e-6);
        },
      ),
      { numRuns: 150, seed: 1 },
    );
  });

  it("has an expectation of at most 1 wherever the canary is at least the margin worse", () => {
    fc.assert(
      fc.property(
        rate,
        rate,
        rate,
        fc.double({ min: 0.001, max: 0.09, noNaN: true }),
        increases,
        requests,
        requests,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (alternativeCanary, alternativeStable, rate, points, increase, nCanary, nStable, part) => {
          const allowance = { points, increase };
          const stable = rate / (1 + increase);
          fc.pre(alternativeCanary < most(allowance, alternativeStable));
          const n = { canary: nCanary, stable: nStable };
          const alternative = { canary: alternativeCanary, stable: alternativeStable };
          const nearest = nearestOnBoundary(alternative, n, allowance);
          const least = most(allowance, stable);
          const truth = { canary: Math.min(1 - 1e-6, least + (1 - least) * part), stable };
          expect(
            expectation(n, truth, (bad) => Math.exp(logEValue(alternative, nearest, n, bad))),
          ).toBeLessThan(1 + 1e-6);
        },
      ),
      { numRuns: 150, seed: 2 },
    );
  });

  it("lies on the line and is where the divergence is least", () => {
    const n = { canary: 100, stable: 300 };
    const nearest = nearestOnBoundary({ canary: 0.05, stable: 0.01 }, n, { points: 0.01, increase: 0 });
    expect(nearest.canary - nearest.stable).toBeCloseTo(0.01, 12);
    // The likeliest rate, were both the same but for the margin, lies between the two.
    expect(nearest.stable).toBeGreaterThan(0.01);
    expect(nearest.canary).toBeLessThan(0.05);
    const relative = nearestOnBoundary({ canary: 0.05, stable: 0.01 }, n, { points: 0.001, increase: 0.5 });
    expect(relative.canary).toBeCloseTo(1.5 * relative.stable + 0.001, 12);
  });
});

describe("logSum", () => {
  it("adds in logarithms, huge and absent ones too", () => {
    expect(logSum([Math.log(2), Math.log(3)])).toBeCloseTo(Math.log(5), 12);
    expect(logSum([5000, 5000])).toBeCloseTo(5000 + Math.log(2), 9);
    expect(logSum([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY])).toBe(Number.NEGATIVE_INFINITY);
  });
});
