import { describe, expect, it } from "vitest";
import { measureBaseline } from "./baseline.ts";
import type { EvidenceConfig } from "./config.ts";
import type { ArmCounts, IntervalCounts } from "./counts.ts";
import { judge, noDataVerdicts } from "./judge.ts";
import { observeInterval } from "./observe.ts";
import { type EvidenceState, outdated, startEvidence } from "./state.ts";

const config: EvidenceConfig = {
  signals: {
    errors: { rollbackAbove: 0.001, promoteBelow: 0.01 },
    latency: { rollbackAbove: 0.01, promoteBelow: 0.03 },
  },
  falseRollback: 0.01,
  falsePromotion: 0.05,
  subject: "errors and latency",
};
const good: ArmCounts = { requests: 400, bad: 0 };
const bad: ArmCounts = { requests: 400, bad: 40 };

function interval(
  number: number,
  canary: ArmCounts,
  stable: ArmCounts = { requests: 1200, bad: 0 },
): IntervalCounts {
  return { endMs: number * 5000, signals: { errors: { canary, stable }, latency: { canary: good, stable } } };
}
/** Half an hour of stable without errors. */
const quiet = measureBaseline(
  Object.fromEntries(
    ["errors", "latency"].map((signal) => [
      signal,
      Array.from({ length: 360 }, (_, index) => ({
        endMs: index,
        pods: [{ pod: "a", counts: { requests: 1500, bad: 0 } }],
      })),
    ]),
  ),
);
function observed(
  intervals: readonly IntervalCounts[],
  from: EvidenceState = startEvidence(config, quiet, 0),
): EvidenceState {
  return intervals.reduce((state, counts) => observeInterval(state, config, counts), from);
}
const categories = (state: EvidenceState) =>
  judge(state, config).map(({ signal, category }) => `${signal} ${category}`);

describe("observeInterval", () => {
  it("is not moved by an interval that was observed before, nor by one from before the start", () => {
    const once = observed([interval(1, good), interval(2, bad)]);
    expect(observed([interval(1, good), interval(2, bad)], once)).toBe(once);
    expect(observeInterval(once, config, interval(0, bad))).toBe(once);
    expect(observeInterval(once, config, { ...interval(3, bad), endMs: Number.NaN })).toBe(once);
  });

  it.each([
    ["NaN", { requests: Number.NaN, bad: 0 }],
    ["an infinity", { requests: Number.POSITIVE_INFINITY, bad: 0 }],
    ["a negative count", { requests: 10, bad: -1 }],
  ])("goes on over %s without counting it", (_, counts) => {
    const state = observed([interval(1, counts)]);
    expect(state.intervalEndMs).toBe(5000);
    expect(judge(state, config)[0]).toMatchObject({ category: "NoData", samples: 0 });
  });

  it("is not moved by an interval without traffic, nor by one in which only stable served", () => {
    const state = observed([
      interval(1, { requests: 0, bad: 0 }, { requests: 0, bad: 0 }),
      interval(2, { requests: 0, bad: 0 }),
    ]);
    expect(judge(state, config)[0]).toMatchObject({ signal: "errors", category: "NoData" });
    expect(judge(state, config)[1]).toMatchObject({ signal: "latency", samples: 800, estimate: 0 });
  });

  it("takes more errors than requests as that many requests", () => {
    const [verdict] = judge(observed([interval(1, { requests: 3, bad: 5 })]), config);
    expect(verdict).toMatchObject({ samples: 5, estimate: 100 });
  });
});

describe("startEvidence", () => {
  it("begins from what is known of stable, of which the first guesses remember so much", () => {
    const past = {
      requests: 10_000,
      bad: 100,
      rate: 0.01,
      rateLower: 0,
      rateUpper: 1,
      independentRequests: 4000,
      correlation: 0.002,
    };
    const state = startEvidence(config, { errors: past }, 7);
    expect(state).toMatchObject({ subject: config.subject, intervalEndMs: 7, gatesFromMs: 7, gates: {} });
    expect(state.signals.errors).toEqual({
      margins: config.signals.errors,
      intervals: 0,
      worse: [],
      worseMost: 0,
      below: [],
      canary: { requests: 0, bad: 0 },
      stable: { requests: 0, bad: 0 },
      recent: { requests: 5000, bad: 50 },
      known: { requests: 4000, bad: 40 },
      correlation: 0.002,
      weight: 0,
      weighted: 0,
      canarySpread: 0,
      stableSpread: 0,
    });
    expect(state.signals.latency).toMatchObject({
      recent: { requests: 0, bad: 0 },
      known: { requests: 0 },
      correlation: 0.01,
    });
  });
});

describe("the sums of an interval", () => {
  it("weigh differences by their information", () => {
    const once = observed(
      [interval(1, { requests: 100, bad: 10 }, { requests: 300, bad: 3 })],
      startEvidence(config, {}, 0),
    );
    const { errors } = once.signals;
    const effect = (requests: number) => requests / (1 + (requests - 1) * 0.01);
    const [canary, stable] = [effect(100), effect(300)];
    const weight = (canary * stable) / (canary + stable);
    expect(errors).toMatchObject({
      intervals: 1,
      canary: { requests: 100, bad: 10 },
      stable: { requests: 300, bad: 3 },
      recent: { requests: 300, bad: 3 },
      weight: expect.closeTo(weight, 9),
      weighted: expect.closeTo(weight * 0.09, 9),
      canarySpread: expect.closeTo(weight ** 2 / canary, 9),
      stableSpread: expect.closeTo(weight ** 2 / stable, 9),
    });
    expect(errors?.known.requests).toBeCloseTo(stable, 9);
    expect(errors?.known.bad).toBeCloseTo(0.01 * stable, 9);
    const twice = observed([interval(2, { requests: 100, bad: 10 }, { requests: 300, bad: 3 })], once).signals
      .errors;
    expect(twice?.weight).toBeCloseTo(2 * weight, 9);
    expect(twice?.weighted).toBeCloseTo(2 * weight * 0.09, 9);
    expect(twice?.canarySpread).toBeCloseTo((2 * weight ** 2) / canary, 9);
    expect(twice?.stableSpread).toBeCloseTo((2 * weight ** 2) / stable, 9);
  });

  it("begin a part of the mixture in each interval, which is less the later", () => {
    const none = { requests: 0.001, bad: 0 };
    const empty = observed(
      [1, 2, 3].map((number) => interval(number, none, none)),
      startEvidence(config, {}, 0),
    );
    // 1/(1*2) + 1/(2*3) + 1/(3*4), where no interval tells anything.
    const begun = (empty.signals.errors?.worse ?? []).reduce((sum, log) => sum + Math.exp(log), 0);
    expect(begun).toBeCloseTo(0.75, 4);
    expect(empty.signals.errors?.worseMost).toBeCloseTo(0, 4);
    expect(empty.signals.errors?.below.reduce((sum, log) => sum + Math.exp(log), 0)).toBeCloseTo(1, 4);
  });
});

describe("judge", () => {
  it("has no data before the canary serves", () => {
    expect(judge(startEvidence(config, {}, 0), config).map(({ category }) => category)).toEqual([
      "NoData",
      "NoData",
    ]);
  });

  it("proves a bad signal worse and a good one below, each by itself", () => {
    const state = observed([1, 2, 3].map((number) => interval(number, bad)));
    expect(categories(state)).toEqual(["errors ProvedWorse", "latency ProvedBelow"]);
    expect(judge(state, config)[0]).toMatchObject({
      estimate: expect.closeTo(10, 5),
      samples: 1200,
      message:
        "The canary's share of failed requests is proved to be more than 0.1 percentage points (rollbackAbove) above stable's.",
    });
  });

  it("keeps a failure that was proved, whatever comes later", () => {
    const worse = observed([1, 2, 3].map((number) => interval(number, bad)));
    const later = observed(
      Array.from({ length: 200 }, (_, index) => interval(4 + index, good)),
      worse,
    );
    expect(categories(later)[0]).toBe("errors ProvedWorse");
  });

  it("takes back a proof of being good enough when the canary turns bad", () => {
    const proved = observed([1, 2, 3].map((number) => interval(number, good)));
    expect(categories(proved)[0]).toBe("errors ProvedBelow");
    const turned = observed(
      [interval(4, { requests: 400, bad: 4 }), interval(5, { requests: 400, bad: 4 })],
      proved,
    );
    expect(categories(turned)[0]).not.toBe("errors ProvedBelow");
  });

  it("takes it back as soon after the longest of good pasts", () => {
    const long = observed(Array.from({ length: 5000 }, (_, index) => interval(index + 1, good)));
    expect(categories(long)[0]).toBe("errors ProvedBelow");
    const turned = observed(
      [1, 2, 3].map((number) => interval(5000 + number, { requests: 400, bad: 6 })),
      long,
    );
    expect(categories(turned)[0]).not.toBe("errors ProvedBelow");
    // What an operator before there was a limit has stored is cut at the next interval.
    const { errors } = long.signals;
    if (errors === undefined) throw new Error("not judged");
    const stored = {
      ...long,
      signals: { ...long.signals, errors: { ...errors, below: [1500, 1400, 900, 1500] } },
    };
    const next = observed([interval(5001, good)], stored);
    expect(next.signals.errors?.below).toEqual(long.signals.errors?.below);
  });

  it("never proves good enough what serves beside no stable version", () => {
    const alone = Array.from({ length: 50 }, (_, index) =>
      interval(index + 1, good, { requests: 0, bad: 0 }),
    );
    expect(categories(observed(alone))).toEqual(["errors Undecided", "latency Undecided"]);
  });

  it("decides nothing where errors are impossible to ignore but the probabilities are 0", () => {
    const never: EvidenceConfig = { ...config, falseRollback: 0, falsePromotion: 0 };
    const state = observed([1, 2, 3].map((number) => interval(number, bad)));
    expect(judge(state, never).map(({ category }) => category)).toEqual(["Undecided", "Undecided"]);
  });

  it("says the same sentence as long as the category is the same", () => {
    const messages = [1, 2].map(
      (count) =>
        judge(
          observed(
            Array.from({ length: count }, (_, index) => interval(index + 1, { requests: 20, bad: 0 })),
          ),
          config,
        )[0]?.message,
    );
    expect(messages[0]).toContain(
      "neither above 0.1 percentage points (rollbackAbove) nor below 1 percentage point (promoteBelow)",
    );
    expect(messages[1]).toBe(messages[0]);
  });

  it("holds every signal while there is nothing to judge by", () => {
    expect(noDataVerdicts(config, "Prometheus is away.")).toEqual([
      {
        signal: "errors",
        category: "NoData",
        samples: 0,
        logEWorse: 0,
        logEBelow: 0,
        message: "Prometheus is away.",
      },
      {
        signal: "latency",
        category: "NoData",
        samples: 0,
        logEWorse: 0,
        logEBelow: 0,
        message: "Prometheus is away.",
      },
    ]);
  });
});

describe("outdated", () => {
  it("tells evidence for another analysis", () => {
    const state = startEvidence(config, {}, 0);
    expect(outdated(state, config)).toBe(false);
    expect(outdated(state, { ...config, subject: "errors" })).toBe(true);
  });
});
