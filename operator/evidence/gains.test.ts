import { describe, expect, it } from "vitest";
import { worseRates } from "./alternatives.ts";
import { rateLimits } from "./baseline.ts";
import { logEValue, nearestOnBoundary } from "./boundary.ts";
import { addTally, allowanceWithin, independent, type Known, recently, worseGains } from "./gains.ts";

const margins = { rollbackAbove: 0.01, promoteBelow: 0.05 };
const known: Known = {
  margins,
  recent: { requests: 900, bad: 9.5 },
  known: { requests: 1000, bad: 10 },
  correlation: 0,
};
const counts = (canary: [number, number], stable: [number, number]) => ({
  requests: { canary: canary[0], stable: stable[0] },
  bad: { canary: canary[1], stable: stable[1] },
});

describe("independent requests", () => {
  it("are fewer of each version the more of its requests share a pod", () => {
    const pair = { canary: { requests: 101, bad: 4 }, stable: { requests: 402, bad: 6, pods: 2 } };
    expect(independent(pair, 0)).toEqual(counts([101, 4], [402, 6]));
    expect(independent(pair, 0.01)).toEqual({
      requests: { canary: expect.closeTo(50.5), stable: expect.closeTo(134) },
      bad: { canary: expect.closeTo(2), stable: expect.closeTo(2) },
    });
  });
});

describe("worseGains", () => {
  it("are e-values against the nearest that is allowed, beside a stable version", () => {
    const both = counts([100, 9], [300, 3]);
    const alternatives = worseRates(0.01, margins).map((canary) => ({ canary, stable: 0.01 }));
    const expected = alternatives.map((alternative) =>
      logEValue(
        alternative,
        nearestOnBoundary(alternative, both.requests, { points: 0.01, increase: 0 }),
        both.requests,
        both.bad,
      ),
    );
    expect(worseGains(known, both, "errors")).toEqual(expected);
    expect(worseGains(known, both, "latency")).toEqual(expected);
    expect(Math.max(...expected)).toBeGreaterThan(2);
  });

  it("hold a canary that serves alone against the upper limit of what is known of stable", () => {
    const { upper } = rateLimits(1000, 10);
    const alone = counts([100, 30], [0, 0]);
    const gains = worseGains(known, alone, "errors");
    expect(gains).toEqual(
      worseRates(upper, margins).map((canary) =>
        logEValue(
          { canary, stable: upper },
          { canary: upper + 0.01, stable: upper },
          alone.requests,
          alone.bad,
        ),
      ),
    );
    expect(worseGains(known, counts([100, 0], [0, 0]), "errors")?.every((gain) => gain < 0)).toBe(true);
  });

  it("are numbers too where the stable version never answered well", () => {
    const broken = { ...known, known: { requests: 1000, bad: 1000 } };
    const gains = worseGains(broken, counts([100, 100], [0, 0]), "errors") ?? [];
    expect(gains.every(Number.isFinite)).toBe(true);
    expect(gains).toHaveLength(8);
  });

  it.each([
    ["a canary without requests", counts([0, 0], [300, 3]), "errors", known],
    ["latency of a canary alone", counts([100, 9], [0, 0]), "latency", known],
    [
      "a canary alone of whose stable version nothing is known",
      counts([100, 9], [0, 0]),
      "errors",
      { ...known, known: { requests: 0, bad: 0 } },
    ],
  ] as const)("are none of %s", (_, given, signal, of) => {
    expect(worseGains(of, given, signal)).toBeUndefined();
  });

  it("are nothing where no rate is worse than what is allowed", () => {
    const all = { ...known, margins: { rollbackAbove: 1, promoteBelow: 1 } };
    expect(worseGains(all, counts([100, 99], [300, 3]), "errors")).toEqual(Array(8).fill(0));
  });
});

it("margins leave room for two rates", () => {
  expect(allowanceWithin({ points: 1, increase: 0.5 })).toEqual({ points: 0.99, increase: 0.5 });
  expect(allowanceWithin({ points: 0.1, increase: 0 })).toEqual({ points: 0.1, increase: 0 });
});

it("what is recent fades, what is known adds up", () => {
  expect(recently({ requests: 100, bad: 10 }, { requests: 5, bad: 1 })).toEqual({ requests: 95, bad: 10 });
  expect(addTally({ requests: 100, bad: 10 }, { requests: 5, bad: 1 })).toEqual({ requests: 105, bad: 11 });
});
