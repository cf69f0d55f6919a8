import { describe, expect, it } from "vitest";
import { logWorseShare, worseRates } from "./alternatives.ts";

describe("the alternatives of worse", () => {
  it("share the whole mixture, so that it is a martingale, and no more", () => {
    const rates = worseRates(0.01, { rollbackAbove: 0.001, promoteBelow: 0.01 });
    const shares = rates.map((_, index) => Math.exp(logWorseShare(index)));
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(logWorseShare(rates.length)).toBe(Number.NEGATIVE_INFINITY);
  });
});
