import { describe, expect, it } from "vitest";
import { splitSameAge } from "./split-same-age.ts";

const split = (needed: number, weight: number, more: Partial<Parameters<typeof splitSameAge>[0]> = {}) =>
  splitSameAge({ needed, weight, maxPods: 1000, whenTooFewPods: "Exceed", ...more });

describe("splitSameAge", () => {
  it.each([
    // needed, weight, stable, baseline, canary
    [10, 0, 10, 0, 0],
    [10, 5, 10, 1, 1],
    [10, 10, 10, 2, 2],
    [10, 20, 10, 4, 4],
    [10, 25, 10, 5, 5],
    [10, 33, 10, 10, 10],
    [10, 34, 10, 10, 10],
    [10, 40, 8, 7, 10],
    [10, 50, 5, 5, 10],
    [10, 75, 2, 2, 10],
    [10, 90, 1, 1, 10],
    [10, 100, 0, 0, 10],
    [4, 20, 4, 2, 2],
    [2, 50, 1, 1, 2],
    [1, 10, 1, 1, 1],
    [1, 50, 1, 1, 1],
    [0, 50, 0, 0, 0],
  ])("%i pods at weight %i: %i stable, %i of the baseline, %i of the canary", (needed, weight, ...pods) => {
    const { stable, baseline, canary } = split(needed, weight);
    expect([stable, baseline, canary]).toEqual(pods);
  });

  it("adds stable pods until one canary pod is no more than the weight, where that is asked for", () => {
    expect(split(2, 10, { whenTooFewPods: "AddPods" })).toEqual({ stable: 8, baseline: 1, canary: 1 });
    expect(split(2, 10, { whenTooFewPods: "AddPods", maxPods: 6 })).toEqual({
      ...{ stable: 4, baseline: 1, canary: 1 },
      limit: "MaxPods",
    });
    expect(split(2, 10)).toEqual({ stable: 2, baseline: 1, canary: 1, limit: "TooFewPods" });
    expect(split(2, 25)).toEqual({ stable: 2, baseline: 1, canary: 1 });
    expect(split(4, 95)).toEqual({ stable: 1, baseline: 1, canary: 4, limit: "TooFewPods" });
  });

  it("keeps to what there is room for", () => {
    expect(split(10, 33, { maxPods: 21 })).toEqual({
      ...{ stable: 9, baseline: 6, canary: 6 },
      limit: "MaxPods",
    });
    expect(split(10, 40, { maxPods: 24 })).toEqual({ stable: 7, baseline: 7, canary: 9, limit: "MaxPods" });
    expect(split(4, 50, { maxPods: 7 })).toEqual({ stable: 2, baseline: 2, canary: 3, limit: "MaxPods" });
    expect(split(10, 75, { maxPods: 13 })).toEqual({ stable: 2, baseline: 1, canary: 9, limit: "MaxPods" });
    expect(split(4, 50, { maxPods: 6 })).toEqual({ stable: 2, baseline: 1, canary: 3, limit: "MaxPods" });
    expect(split(4, 50, { maxPods: 4 })).toEqual({ stable: 1, baseline: 1, canary: 2, limit: "MaxPods" });
  });

  it("never has fewer pods than are needed, a larger baseline than the canary or the rest of stable, or a canary that cannot carry its weight", () => {
    for (let needed = 1; needed <= 30; needed += 1)
      for (let weight = 1; weight <= 99; weight += 1)
        for (const maxPods of [needed + 2, 2 * needed + 1, 1000])
          for (const whenTooFewPods of ["AddPods", "Exceed"] as const) {
            const { stable, baseline = 0, canary } = split(needed, weight, { maxPods, whenTooFewPods });
            const all = stable + baseline + canary;
            const where = JSON.stringify({ needed, weight, maxPods, stable, baseline, canary });
            expect(all, where).toBeGreaterThanOrEqual(needed);
            expect(all, where).toBeLessThanOrEqual(maxPods);
            expect(baseline, where).toBeGreaterThanOrEqual(1);
            expect(baseline, where).toBeLessThanOrEqual(Math.min(canary, stable));
            expect(canary * 100, where).toBeGreaterThanOrEqual(weight * needed);
            expect(canary, where).toBeLessThanOrEqual(Math.max(1, needed));
            // The stable version keeps all its pods up to a third of the traffic, where there is room.
            if (3 * weight <= 100 && maxPods === 1000) expect(stable, where).toBeGreaterThanOrEqual(needed);
            if (3 * weight <= 100 && maxPods === 1000) expect(baseline, where).toBe(canary);
            // An abort finds the capacity in the stable version's share.
            if (weight <= 50 && maxPods > 2 * needed)
              expect(stable + baseline, where).toBeGreaterThanOrEqual(needed);
          }
  });
});
