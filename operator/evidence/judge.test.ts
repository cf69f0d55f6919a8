import { describe, expect, it } from "vitest";
import { belowThreshold, type EvidenceConfig, type Margins, worseThreshold } from "./config.ts";
import { judge, noDataVerdicts, toleratedText } from "./judge.ts";
import { type EvidenceState, type SignalState, startEvidence } from "./state.ts";

const errors: Margins = { rollbackAbove: 0.001, promoteBelow: 0.01 };
const config: EvidenceConfig = {
  signals: { errors, latency: { rollbackAbove: 0.01, promoteBelow: 0.03 } },
  falseRollback: 0.01,
  falsePromotion: 0.05,
  subject: "",
};
const start = startEvidence(config, {}, 0);
const seen = (more: Partial<SignalState>, of: "errors" | "latency" = "errors"): EvidenceState => {
  const known = start.signals[of];
  if (!known) throw new Error(`${of} is judged`);
  const served = { canary: { requests: 100, bad: 1 } };
  return { ...start, signals: { ...start.signals, [of]: { ...known, ...served, ...more } } };
};
const verdict = (more: Partial<SignalState>) => judge(seen(more), config)[0];

describe("a verdict", () => {
  it.each([
    ["worse at its threshold", { worseMost: worseThreshold(config) }, "ProvedWorse"],
    ["nothing below it", { worseMost: worseThreshold(config) - 1e-9 }, "Undecided"],
    ["good enough at its threshold", { below: [belowThreshold(config)] }, "ProvedBelow"],
    ["nothing below that", { below: [belowThreshold(config) - 1e-9] }, "Undecided"],
    ["worse where both are proved", { worseMost: 99, below: [99] }, "ProvedWorse"],
    ["nothing without evidence of good", {}, "Undecided"],
    ["nothing without requests", { canary: { requests: 0, bad: 0 }, worseMost: 99 }, "NoData"],
  ])("is %s", (_, more, category) => {
    expect(verdict(more)?.category).toBe(category);
  });

  it("shows the evidence, and whole requests", () => {
    expect(
      verdict({ worseMost: 1.5, below: [0, Math.log(2)], canary: { requests: 9.6, bad: 0 } }),
    ).toMatchObject({
      logEWorse: 1.5,
      logEBelow: expect.closeTo(Math.log(3), 12),
      samples: 10,
    });
    expect(verdict({})).toMatchObject({ logEWorse: 0, logEBelow: 0 });
  });

  it.each([
    [
      "errors",
      { worseMost: 99 },
      "The canary's share of failed requests is proved to be more than 0.1 percentage points (rollbackAbove) above stable's.",
    ],
    [
      "errors",
      { below: [99] },
      "The canary's share of failed requests is proved to be less than 1 percentage point (promoteBelow) above stable's.",
    ],
    [
      "latency",
      { worseMost: 99 },
      "The canary's share of requests slower than the objective is proved to be more than 1 percentage point (rollbackAbove) above stable's.",
    ],
    [
      "latency",
      {},
      "The canary's share of requests slower than the objective is proved neither above 1 percentage point (rollbackAbove) nor below 3 percentage points (promoteBelow) over stable's yet.",
    ],
  ] as const)("of %s says what is proved: %j", (signal, more, message) => {
    expect(judge(seen(more, signal), config).find((one) => one.signal === signal)?.message).toBe(message);
  });

  it("names increases too", () => {
    const margins = { ...errors, rollbackIncrease: 0.5, promoteIncrease: 0.12345 };
    expect(verdict({ margins, below: [99] })?.message).toContain(
      "less than 1 percentage point (promoteBelow) and 12.345% of stable's own (promoteIncrease) above",
    );
    expect(toleratedText(margins)).toBe(
      "0.1 percentage points (rollbackAbove) and 50% of stable's own (rollbackIncrease)",
    );
  });

  it("says why there is none", () => {
    expect(judge(start, config).map(({ message }) => message)).toEqual([
      "The canary has not served a request that counts for errors yet.",
      "The canary has not served a request that counts for latency yet.",
    ]);
    expect(judge({ ...start, signals: {} }, config)).toMatchObject([
      { category: "NoData" },
      { category: "NoData" },
    ]);
    expect(noDataVerdicts(config, "why").map(({ message }) => message)).toEqual(["why", "why"]);
  });
});

describe("the estimate", () => {
  // Both versions fail 1 % of 1000 requests, smoothed.
  const served = { canary: { requests: 998, bad: 9 }, stable: { requests: 998, bad: 9 } };
  const sums = { weight: 100, weighted: 1, canarySpread: 50, stableSpread: 50 };
  const near = (low: number, high: number) => [expect.closeTo(low, 2), expect.closeTo(high, 2)];
  it.each([
    ["of what is known of nothing", {}, 1, near(-2.94, 4.94)],
    ["of a stable version that fails more", { known: { requests: 1000, bad: 40 } }, 1, near(-13.65, 15.65)],
    [
      "of margins that grow with stable's own",
      { known: { requests: 1000, bad: 40 }, margins: { ...errors, promoteIncrease: 1 } },
      1,
      near(-2.62, 4.62),
    ],
    [
      "of margins of nothing",
      { margins: { ...errors, promoteBelow: 0 }, weight: 1e4 },
      0.01,
      near(-2.87, 2.89),
    ],
    ["of a canary that fails more", { canary: { requests: 998, bad: 99 } }, 1, near(-5.93, 7.93)],
    ["of few requests", { weight: 1 }, 100, [-100, 100]],
    ["of the other sign", { weight: 1, weighted: -1 }, -100, [-100, 100]],
  ] satisfies [string, Partial<SignalState>, number, unknown[]][])(
    "has an interval %s",
    (_, more, estimate, interval) => {
      const known = verdict({ ...served, ...sums, known: { requests: 0, bad: 0 }, ...more });
      expect(known?.estimate).toBeCloseTo(estimate, 9);
      expect(known?.interval).toEqual(interval);
    },
  );

  it("is none without requests of both", () => {
    expect(verdict({ ...sums, weight: 0 })).not.toHaveProperty("estimate");
  });
});
