import { describe, expect, it } from "vitest";
import type { Split, SplitInput } from "./context.ts";
import { isTooFine, podsForWeight, split } from "./split.ts";

type Row = [
  name: string,
  needed: number,
  weight: number,
  stable: number,
  canary: number,
  limit?: Split["limit"],
];

const at = (
  needed: number,
  weight: number,
  whenTooFewPods: SplitInput["whenTooFewPods"] = "Exceed",
  maxPods = 1000,
) => split({ needed, weight, maxPods, whenTooFewPods });

const expected = (stable: number, canary: number, limit: Split["limit"]): Split =>
  limit === undefined ? { stable, canary } : { stable, canary, limit };

describe("with room for the surge", () => {
  it.each<Row>([
    ["nothing needed", 0, 50, 0, 0],
    ["nothing needed, all of the traffic", 0, 100, 0, 0],
    ["no weight yet", 4, 0, 4, 0],
    ["one pod, half", 1, 50, 1, 1],
    ["one pod, all", 1, 100, 0, 1],
    ["two pods, a third", 2, 33, 2, 1, "TooFewPods"],
    ["two pods, 34 %", 2, 34, 2, 2],
    ["two pods, half", 2, 50, 2, 2],
    ["three pods, a quarter", 3, 25, 3, 1],
    ["three pods, half", 3, 50, 3, 3],
    ["three pods, two thirds", 3, 67, 2, 3],
    ["three pods, three quarters", 3, 75, 1, 3],
    ["four pods, a fifth", 4, 20, 4, 1],
    ["four pods, 40 %", 4, 40, 4, 3],
    ["four pods, three quarters", 4, 75, 2, 4],
    ["five pods, 60 %", 5, 60, 4, 5],
    ["nine pods, a tenth", 9, 10, 9, 1],
    ["ten pods, a tenth, rounded up", 10, 10, 10, 2],
    ["ten pods, 5 %", 10, 5, 10, 1, "TooFewPods"],
    ["ten pods, half", 10, 50, 10, 10],
    ["ten pods, 51 %", 10, 51, 10, 10],
    ["ten pods, 90 %", 10, 90, 2, 10],
    ["ten pods, 99 % keeps one stable pod", 10, 99, 1, 10, "TooFewPods"],
    ["ten pods, all", 10, 100, 0, 10],
    ["nineteen pods, 5 %", 19, 5, 19, 1],
    ["a hundred pods, 1 %", 100, 1, 100, 2],
    ["ninety-nine pods, 1 %", 99, 1, 99, 1],
    ["a hundred pods, a quarter", 100, 25, 100, 34],
  ])("%s", (_name, needed, weight, stable, canary, limit) => {
    expect(at(needed, weight)).toEqual(expected(stable, canary, limit));
  });
});

describe("with too few pods for the weight", () => {
  it.each<Row>([
    ["one pod, a tenth", 1, 10, 9, 1],
    ["two pods, a tenth", 2, 10, 9, 1],
    ["two pods, a quarter", 2, 25, 3, 1],
    ["two pods, a third", 2, 33, 3, 1],
    ["three pods, 1 %", 3, 1, 99, 1],
    ["enough pods: none is added", 9, 10, 9, 1],
    ["the stable version too small for the rest: none is added", 2, 90, 1, 2, "TooFewPods"],
  ])("AddPods, %s", (_name, needed, weight, stable, canary, limit) => {
    expect(at(needed, weight, "AddPods")).toEqual(expected(stable, canary, limit));
  });

  it("AddPods stops at the most pods allowed and says so", () => {
    expect(at(2, 10, "AddPods", 6)).toEqual({ stable: 5, canary: 1, limit: "MaxPods" });
    expect(at(2, 10, "AddPods", 10)).toEqual({ stable: 9, canary: 1 });
  });

  it("all of the traffic needs no room beside what is needed", () => {
    expect(at(4, 100, "Exceed", 3)).toEqual({ stable: 0, canary: 4 });
  });

  it("Exceed takes one canary pod all the same", () => {
    expect(at(2, 10)).toEqual({ stable: 2, canary: 1, limit: "TooFewPods" });
  });

  it("is not told of none and of all of the traffic", () => {
    expect([isTooFine(2, 0), isTooFine(2, 100)]).toEqual([false, false]);
  });

  it("is told by the same rule as in the resource's validation", () => {
    for (let weight = 1; weight < 100; weight += 1) {
      const least = podsForWeight(weight);
      expect(isTooFine(least, weight)).toBe(false);
      if (least > 1) expect(isTooFine(least - 1, weight)).toBe(true);
    }
  });
});

describe("without room for the surge", () => {
  it.each<[string, number, number, number, number, number]>([
    ["one pod to spare, a tenth", 10, 10, 11, 9 + 1, 1],
    ["one pod to spare, half", 10, 50, 11, 6, 5],
    ["one pod to spare, three quarters", 4, 75, 5, 1, 3],
    ["two pods to spare, half", 4, 50, 6, 4, 2],
    ["half the surge, half", 10, 50, 15, 10, 5],
    ["three pods to spare, three quarters: no more stable pods than the weight leaves", 10, 75, 13, 3, 8],
  ])("%s", (_name, needed, weight, maxPods, stable, canary) => {
    expect(at(needed, weight, "Exceed", maxPods)).toEqual({ stable, canary, limit: "MaxPods" });
  });
});

describe("for every number of pods and every weight", () => {
  type Rule = (needed: number, weight: number) => boolean;

  /** Pairs of pods and weight that break a promise. */
  function broken(keeps: Rule): string[] {
    const found: string[] = [];
    for (let needed = 1; needed <= 40; needed += 1)
      for (let weight = 1; weight <= 100; weight += 1)
        if (!keeps(needed, weight)) found.push(`${needed} pods at ${weight} %`);
    return found;
  }

  const shareOf = (stable: number, canary: number): number => (100 * canary) / (stable + canary);
  const tiny = 1e-9;

  it("both versions together have what is needed, and the canary what its weight needs", () => {
    const keeps: Rule = (needed, weight) => {
      const { stable, canary } = at(needed, weight);
      const enough = stable + canary >= needed && canary * 100 >= needed * weight;
      return enough && (weight <= 50 ? stable === needed : canary === needed);
    };
    expect(broken(keeps)).toEqual([]);
  });

  it("up to half, the share is the weight, rounded up by less than one canary pod", () => {
    const keeps: Rule = (needed, weight) => {
      if (weight > 50 || isTooFine(needed, weight)) return true;
      const { stable, canary } = at(needed, weight);
      return shareOf(stable, canary) >= weight - tiny && shareOf(stable, canary - 1) < weight;
    };
    expect(broken(keeps)).toEqual([]);
  });

  it("above half, one stable pod less would be more than the weight", () => {
    const keeps: Rule = (needed, weight) => {
      if (weight <= 50 || weight === 100) return true;
      const { stable, canary } = at(needed, weight);
      const less = stable === 1 || shareOf(stable - 1, canary) > weight;
      return less && shareOf(stable, canary) <= weight + tiny;
    };
    expect(broken(keeps)).toEqual([]);
  });

  it("AddPods keeps one canary pod at or below the weight", () => {
    const keeps: Rule = (needed, weight) => {
      if (weight > 50 || !isTooFine(needed, weight)) return true;
      const { stable, canary } = at(needed, weight, "AddPods");
      return shareOf(stable, canary) <= weight + tiny && stable >= needed;
    };
    expect(broken(keeps)).toEqual([]);
  });

  it("a higher weight never has fewer canary pods", () => {
    expect(
      broken(
        (needed, weight) => weight === 100 || at(needed, weight + 1).canary >= at(needed, weight).canary,
      ),
    ).toEqual([]);
  });

  it.each(["AddPods", "Exceed"] as const)("one pod to spare is enough for any weight under %s", (policy) => {
    const keeps: Rule = (needed, weight) =>
      [needed + 1, needed + 2, 2 * needed].every((maxPods) => {
        const { stable, canary } = at(needed, weight, policy, Math.max(maxPods, needed + 1));
        const all = stable + canary;
        return all <= Math.max(maxPods, needed + 1) && all >= needed && canary * 100 >= needed * weight;
      });
    expect(broken(keeps)).toEqual([]);
  });
});
