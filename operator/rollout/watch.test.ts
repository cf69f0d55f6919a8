import { describe, expect, it } from "vitest";
import { rollout } from "../api/v1alpha1/rollout.ts";
import type { RolloutStatus } from "../api/v1alpha1/status.ts";
import { iso } from "./clock.ts";
import { contextOf } from "./look.ts";
import { inputOf, step, T0, worldAtRest } from "./model/world.ts";
import {
  comparedPair,
  isWatching,
  judgedPair,
  keptPods,
  recalled,
  watchEndsMs,
  watchedRevision,
} from "./watch.ts";

const state = (more: Partial<RolloutStatus>): RolloutStatus => ({
  phase: "Watching",
  phaseSince: iso(T0),
  ...more,
});
const promoted = state({ stableRevision: "b", previousRevision: "a" });
const canary = state({ phase: "Holding", stableRevision: "a", canaryRevision: "b" });

describe("what is judged", () => {
  it.each([
    ["nothing without a state", undefined, undefined],
    ["nothing of a first version", state({ phase: "Pending", canaryRevision: "a" }), undefined],
    ["nothing of a version alone", state({ phase: "Stable", stableRevision: "a" }), undefined],
    ["the canary beside the stable version", canary, { canary: "b", stable: "a" }],
    ["the promoted version beside the one before", promoted, { canary: "b", stable: "a" }],
  ])("is %s", (_, given, pair) => {
    expect(judgedPair(given)).toEqual(pair);
    expect(comparedPair(given, { baseline: "Stable" })).toEqual(pair && { ...pair, reference: "a" });
  });

  it("is held against the baseline where the canary was started with one", () => {
    const fresh = { ...canary, baseline: "SameAge" as const };
    expect(comparedPair(fresh, { baseline: "SameAge" })).toEqual({
      canary: "b",
      stable: "a",
      reference: "a-baseline",
    });
    expect(comparedPair(fresh, { baseline: "Stable" })?.reference).toBe("a");
    expect(comparedPair(canary, { baseline: "SameAge" })?.reference).toBe("a");
  });

  it("may be left for the one before only while that is kept", () => {
    expect(watchedRevision(promoted)).toBe("b");
    expect(watchedRevision(state({ stableRevision: "b" }))).toBeUndefined();
    expect(watchedRevision(undefined)).toBeUndefined();
  });
});

describe("a watch", () => {
  it.each([
    ["Canary", "10m", true],
    ["BlueGreen", "1s", true],
    ["Canary", "0s", false],
    ["Immediate", "10m", false],
  ] as const)("under %s with watchAfter %s: %s", (strategy, watchAfter, watches) => {
    expect(isWatching(rollout.parse({ strategy, watchAfter }))).toBe(watches);
  });

  const at = (needed: number, wanted: number, maxPods = 100) => {
    const world = worldAtRest({ plan: { steps: [step("all", 100)], watchAfter: "10m" }, needed, maxPods });
    world.revisions.a = { wanted, ready: wanted, unready: 0, terminating: 0, fault: undefined };
    return contextOf(inputOf({ ...world, nowMs: T0 + 1000 }), promoted);
  };

  it("ends watchAfter after the promotion", () => {
    expect(watchEndsMs(at(4, 4))).toBe(T0 + 600_000);
  });

  it.each([
    ["that still ran", 4, 2, 100, 2],
    ["no more than are needed", 4, 9, 100, 4],
    ["that there is room for beside its successor", 4, 4, 7, 3],
    ["none without room", 4, 4, 3, 0],
  ])("keeps pods of the version before: %s", (_, needed, wanted, maxPods, kept) => {
    expect(keptPods(at(needed, wanted, maxPods))).toBe(kept);
  });

  it("keeps none of a version that is not known any more", () => {
    const context = at(4, 4);
    expect(keptPods({ ...context, state: state({ stableRevision: "b" }) })).toBe(0);
  });

  it("that is recalled makes the two change places", () => {
    const evidenceSince = iso(T0 - 1000);
    const change = {
      stableRevision: "a",
      canaryRevision: "b",
      weight: 100,
      sharesService: true,
      waitingSince: iso(T0),
    };
    expect(recalled({ ...promoted, evidenceSince }, T0)).toEqual({ ...change, evidenceSince });
    expect(recalled(promoted, T0)).toEqual({ ...change, evidenceSince: iso(T0) });
  });
});
