import { describe, expect, it } from "vitest";
import { BELOW_COUNT, belowRates, expectedRate, logWorseShare, worseRates } from "./alternatives.ts";

describe("the alternatives of worse", () => {
  it("share the whole mixture, so that it is a martingale, and no more", () => {
    const rates = worseRates(0.01, { rollbackAbove: 0.001, promoteBelow: 0.01 });
    const shares = rates.map((_, index) => Math.exp(logWorseShare(index)));
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(logWorseShare(rates.length)).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe("expectedRate", () => {
  it.each([
    ["nothing is known", 0, 0, 0.005],
    ["nothing failed", 900, 0, 0.0005],
    ["a hundredth failed", 900, 9.5, 0.01],
    ["nothing ever failed", 1e9, 0, 1e-5],
    ["everything failed", 1e9, 1e9, 0.999],
  ])("when %s", (_, requests, bad, rate) => {
    expect(expectedRate({ requests, bad })).toBeCloseTo(rate, 12);
  });
});

describe("worseRates", () => {
  it("are beyond what is tolerated by the same odds everywhere", () => {
    const oddsOf = (rate: number) => rate / (1 - rate);
    const rates = worseRates(0.01, { rollbackAbove: 0.005, rollbackIncrease: 0.5, promoteBelow: 0.05 });
    const factors = [1.5, 2, 3, 5, 10, 30, 150, 1000];
    expect(rates.map((rate) => oddsOf(rate) / oddsOf(0.02))).toEqual(
      factors.map((factor) => expect.closeTo(factor, 6)),
    );
  });

  it("stay rates beside a stable version of which nothing is left", () => {
    const rates = worseRates(0.999, { rollbackAbove: 0.01, promoteBelow: 0.05 });
    expect(rates.every((rate) => rate === 0.999)).toBe(true);
  });
});

describe("belowRates", () => {
  it("use up half of the margin, a quarter and none of it, or are better than stable", () => {
    const margins = { rollbackAbove: 0, promoteBelow: 0.01, promoteIncrease: 1 };
    const rates = belowRates(0.01, margins);
    expect(rates).toEqual([0.02, 0.015, 0.01, 0.005].map((rate) => expect.closeTo(rate, 12)));
    expect(rates).toHaveLength(BELOW_COUNT);
  });
});
