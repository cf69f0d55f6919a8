import { describe, expect, it } from "vitest";
import { parseCheckpoint, serialiseCheckpoint } from "./checkpoint.ts";
import type { EvidenceConfig } from "./config.ts";
import { startEvidence } from "./state.ts";
import { startWatch, type WatchState, watchInterval } from "./watch.ts";
import { parseWatch, serialiseWatch } from "./watch-checkpoint.ts";

const config: EvidenceConfig = {
  signals: {
    errors: { rollbackAbove: 0.001, promoteBelow: 0.01, rollbackIncrease: 0.5, promoteIncrease: 1 },
    latency: { rollbackAbove: 0.01, promoteBelow: 0.03 },
  },
  falseRollback: 0.01,
  falsePromotion: 0.05,
  subject: "errors and latency",
};
const evidence = startEvidence(config, {}, 0);
const interval = (number: number) => ({
  endMs: number * 15_000,
  signals: {
    errors: { canary: { requests: 900, bad: 7 }, stable: { requests: 800, bad: 3 } },
    latency: { canary: { requests: 900, bad: 0 }, stable: { requests: 0, bad: 0 } },
  },
});
const watched = (from: WatchState, first: number, count: number) =>
  Array.from({ length: count }, (_, index) => interval(first + index)).reduce(
    (state, one) => watchInterval(state, config, one),
    from,
  );

describe("the checkpoint of a watch", () => {
  it("goes on as the watch itself would", () => {
    const state = watched(startWatch(evidence), 1, 20);
    const stored = parseWatch(serialiseWatch(state));
    if (!stored) throw new Error("not read back");
    const [went, read] = [watched(state, 21, 20), watched(stored, 21, 20)];
    expect(read.intervals).toBe(went.intervals);
    expect(read.signals.errors?.worseMost).toBeCloseTo(went.signals.errors?.worseMost ?? 0, 5);
    expect(serialiseWatch(state).length).toBeLessThan(4096);
  });

  it("holds what nothing is known of", () => {
    const state = startWatch(evidence);
    const { errors } = state.signals;
    if (!errors) throw new Error("errors are watched");
    const signals = { ...state.signals, errors: { ...errors, worse: [Number.NEGATIVE_INFINITY, 1] } };
    expect(parseWatch(serialiseWatch({ ...state, signals }))).toEqual({ ...state, signals });
  });

  it("keeps that a signal was not to be had", () => {
    const lacking = watchInterval(startWatch(evidence), config, {
      ...{ endMs: 15_000, signals: {} },
      missing: { errors: "There is no such series." },
    });
    expect(Object.keys(parseWatch(serialiseWatch(lacking))?.missing ?? {})).toEqual(["errors"]);
    expect(watchInterval(lacking, config, interval(2))).not.toHaveProperty("missing");
  });

  it("and that of a canary do not read each other", () => {
    expect(parseCheckpoint(serialiseWatch(startWatch(evidence)))).toBeUndefined();
    expect(parseWatch(serialiseCheckpoint(evidence))).toBeUndefined();
    expect(parseWatch("{")).toBeUndefined();
  });
});
