import { describe, expect, it } from "vitest";
import { measureBaseline } from "./baseline.ts";
import type { EvidenceConfig } from "./config.ts";
import { judge } from "./judge.ts";
import { observeInterval } from "./observe.ts";
import { arrivals, binomial, type Random, seededRandom } from "./simulated-traffic.ts";
import { startEvidence } from "./state.ts";
import { judgeWatch, startWatch, type WatchState, watchInterval, watchThreshold } from "./watch.ts";

const config: EvidenceConfig = {
  signals: {
    errors: { rollbackAbove: 0.001, promoteBelow: 0.01 },
    latency: { rollbackAbove: 0.01, promoteBelow: 0.03 },
  },
  falseRollback: 0.01,
  falsePromotion: 0.05,
  subject: "errors and latency",
};
const onlyErrors: EvidenceConfig = {
  ...config,
  signals: { errors: { rollbackAbove: 0.001, promoteBelow: 0.01 } },
};

/** Half an hour of stable with one error in a hundred. */
const past = measureBaseline({
  errors: Array.from({ length: 120 }, (_, index) => ({
    endMs: index,
    pods: [{ pod: "a", counts: { requests: 1000, bad: 10 } }],
  })),
});
const begun = (judged = onlyErrors) => startWatch(startEvidence(judged, past, 0));

const served = (requests: number, bad: number) => ({ requests, bad });
const interval = (number: number, counts: { requests: number; bad: number }, former = served(0, 0)) => ({
  endMs: number * 15_000,
  signals: {
    errors: { canary: counts, stable: former },
    latency: { canary: counts, stable: former },
  },
});
const watched = (count: number, counts: { requests: number; bad: number }, from = begun()): WatchState =>
  Array.from({ length: count }, (_, index) => interval(from.intervals + index + 1, counts)).reduce(
    (state, one) => watchInterval(state, onlyErrors, one),
    from,
  );
const DAY = 5760;

describe("watchInterval", () => {
  it("raises no alarm while the version is like the one before", () => {
    expect(judgeWatch(watched(500, served(1000, 10)), onlyErrors, DAY)).toEqual({ category: "Watching" });
  });

  it("finds what begins long after the promotion as soon as what begins at once", () => {
    const needed = (good: number) => {
      let state = watched(good, served(1000, 10));
      for (let bad = 1; bad <= 100; bad++) {
        state = watched(1, served(1000, 30), state);
        if (judgeWatch(state, onlyErrors, DAY).category === "ProvedWorse") return bad;
      }
      return Number.POSITIVE_INFINITY;
    };
    expect(needed(1)).toBeLessThanOrEqual(4);
    expect(needed(2000)).toBe(needed(1));
  });

  it("keeps an alarm, whatever comes later", () => {
    const alarm = watched(10, served(1000, 50));
    expect(judgeWatch(watched(300, served(1000, 0), alarm), onlyErrors, DAY)).toEqual({
      category: "ProvedWorse",
      signals: ["errors"],
    });
  });

  it("is not moved by an interval that was observed before", () => {
    const once = watched(3, served(1000, 10));
    expect(watchInterval(once, onlyErrors, interval(3, served(1000, 900)))).toBe(once);
  });

  it("goes over what is no count, and over intervals without requests", () => {
    const state = watched(2, served(0, 0));
    expect(state.intervals).toBe(2);
    expect(watchInterval(state, onlyErrors, interval(3, served(Number.NaN, 0))).signals).toEqual(
      state.signals,
    );
  });

  it("compares with the version before while that still serves, and latency only then", () => {
    const both = (former: { requests: number; bad: number }) =>
      Array.from({ length: 40 }, (_, index) => interval(index + 1, served(1000, 80), former)).reduce(
        (state, one) => watchInterval(state, config, one),
        begun(config),
      );
    // What hits both versions is no fault of the new one.
    expect(judgeWatch(both(served(1000, 80)), config, DAY)).toEqual({ category: "Watching" });
    expect(judgeWatch(both(served(1000, 10)), config, DAY)).toMatchObject({ signals: ["errors", "latency"] });
    expect(judgeWatch(both(served(0, 0)), config, DAY)).toMatchObject({ signals: ["errors"] });
  });

  it("holds against the version before, not against the canary that was promoted", () => {
    const start = startEvidence(onlyErrors, past, 0);
    const evidence = observeInterval(start, onlyErrors, interval(1, served(1000, 0), served(1000, 10)));
    expect(judge(evidence, onlyErrors)[0]?.samples).toBe(1000);
    expect(startWatch(evidence).signals.errors?.known).toEqual(evidence.signals.errors?.known);
    expect(startWatch(evidence)).toMatchObject({ intervalEndMs: 15_000, intervals: 0 });
  });
});

describe("judgeWatch", () => {
  const at = (errors: number, latency = 0): WatchState => {
    const { signals, ...rest } = begun(config);
    const { errors: one, latency: other } = signals;
    if (!one || !other) throw new Error("both are watched");
    return {
      ...rest,
      signals: { errors: { ...one, worseMost: errors }, latency: { ...other, worseMost: latency } },
    };
  };
  const threshold = watchThreshold(config, 100);

  it("raises an alarm at the threshold, of each signal by itself", () => {
    expect(judgeWatch(at(threshold), config, 100)).toEqual({ category: "ProvedWorse", signals: ["errors"] });
    expect(judgeWatch(at(threshold - 1e-9), config, 100)).toEqual({ category: "Watching" });
    expect(judgeWatch(at(0, threshold), config, 100)).toEqual({
      category: "ProvedWorse",
      signals: ["latency"],
    });
  });

  it("takes no notice of a signal that runs dry, nor of one that is not watched", () => {
    const dry: EvidenceConfig = { ...config, dryRun: ["latency"] };
    expect(judgeWatch(at(0, 99), dry, 100)).toEqual({ category: "Watching" });
    expect(watchThreshold(dry, 100)).toBeCloseTo(Math.log(100 / 0.01), 12);
    expect(judgeWatch({ ...at(0), signals: {} }, config, 100)).toEqual({ category: "Watching" });
  });

  it("reckons with one interval at least", () => {
    expect(watchThreshold(onlyErrors, 0)).toBeCloseTo(Math.log(1 / 0.01), 12);
  });
});

describe("false alarms", () => {
  /** Worse by exactly what is allowed, beside a version that serves as much: the boundary of what must not raise an alarm. */
  const next = (random: Random) => {
    const requests = { canary: arrivals(random, 200), stable: arrivals(random, 200) };
    return {
      canary: served(requests.canary, binomial(random, requests.canary, 0.011)),
      stable: served(requests.stable, binomial(random, requests.stable, 0.01)),
    };
  };

  it("are at least as far apart on average as stated", () => {
    const random = seededRandom(31);
    const length = 20;
    const runs = 200;
    const most = 400;
    let intervals = 0;
    for (let run = 0; run < runs; run++) {
      let state = begun();
      for (let number = 1; number <= most; number++) {
        const { canary, stable } = next(random);
        state = watchInterval(state, onlyErrors, interval(number, canary, stable));
        intervals += 1;
        if ((state.signals.errors?.worseMost ?? 0) >= Math.log(length)) break;
      }
    }
    expect(intervals / runs).toBeGreaterThan(length);
  });

  it("come in at most falseRollback of watches, over all signals", () => {
    expect(watchThreshold(onlyErrors, 100)).toBeCloseTo(Math.log(100 / 0.01), 12);
    expect(watchThreshold(config, 100)).toBeCloseTo(Math.log(200 / 0.01), 12);
    const random = seededRandom(32);
    const often: EvidenceConfig = { ...onlyErrors, falseRollback: 0.2 };
    const alarms = Array.from({ length: 200 }, () => {
      let state = begun();
      for (let number = 1; number <= 60; number++) {
        const { canary, stable } = next(random);
        state = watchInterval(state, often, interval(number, canary, stable));
      }
      return judgeWatch(state, often, 60);
    }).filter(({ category }) => category === "ProvedWorse");
    expect(alarms.length / 200).toBeLessThanOrEqual(0.2);
  });
});
