import { describe, expect, it } from "vitest";
import { measureBaseline, rateLimits } from "./baseline.ts";
import { seededRandom, simulateHistory } from "./simulated-traffic.ts";

const scenario = {
  intervalMs: 1000,
  requestsPerSecond: 600,
  historyMs: 240_000,
  pods: { canary: 1, stable: 3 },
  stableRate: 0.02,
};

describe("measureBaseline", () => {
  it("gives rate and limits, wider the more requests fail together", () => {
    const alone = measureBaseline({
      errors: simulateHistory({ ...scenario, correlation: 0 }, seededRandom(5)),
    }).errors;
    const bursts = measureBaseline({
      errors: simulateHistory({ ...scenario, correlation: 0.03 }, seededRandom(5)),
    }).errors;
    expect(alone?.requests).toBe(144_000);
    expect(alone?.rate).toBeCloseTo(0.02, 2);
    expect(alone?.rateLower).toBeLessThan(0.02);
    expect(alone?.rateUpper).toBeGreaterThan(0.02);
    const width = (baseline: typeof alone) => (baseline?.rateUpper ?? 0) - (baseline?.rateLower ?? 0);
    expect(width(bursts)).toBeGreaterThan(2 * width(alone));
  });

  it("knows nothing without history", () => {
    expect(measureBaseline({ errors: [] }).errors).toMatchObject({
      requests: 0,
      rate: 0,
      rateLower: 0,
      rateUpper: 1,
      correlation: 0.01,
    });
    expect(measureBaseline({})).toEqual({});
  });
});

describe("rateLimits", () => {
  it.each([
    [10, 1],
    [100, 0.5],
    [1000, 20],
    [1000, 990],
  ])(
    "of %d requests with %d bad ones are the rates from which that is 3.09 standard deviations away",
    (requests, bad) => {
      const { lower, upper } = rateLimits(requests, bad);
      const deviations = [lower, upper].map(
        (rate) => (bad / requests - rate) / Math.sqrt((rate * (1 - rate)) / requests),
      );
      expect(deviations[0]).toBeCloseTo(3.09, 9);
      expect(deviations[1]).toBeCloseTo(-3.09, 9);
    },
  );

  it.each([
    [0, 0, 0, 1],
    [1000, 0, 0, 3.09 ** 2 / (1000 + 3.09 ** 2)],
    [1000, 1000, 1000 / (1000 + 3.09 ** 2), 1],
  ])("of %d requests with %d bad ones are %d and %d", (requests, bad, lower, upper) => {
    const limits = rateLimits(requests, bad);
    expect(limits.lower).toBeCloseTo(lower, 12);
    expect(limits.upper).toBeCloseTo(upper, 12);
    expect(limits.lower).toBeGreaterThanOrEqual(0);
    expect(limits.upper).toBeLessThanOrEqual(1);
  });
});
