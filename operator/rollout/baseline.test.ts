import { describe, expect, it } from "vitest";
import type { RolloutStatus } from "../api/v1alpha1/status.ts";
import {
  baselineOf,
  baselineServes,
  baselineStays,
  baselineStaysUntilMs,
  hasBaseline,
  isBaseline,
  templateOf,
} from "./baseline.ts";
import { iso } from "./clock.ts";
import { contextOf } from "./look.ts";
import {
  canaryAt,
  commanded,
  metricsGo,
  planBecomes,
  podFault,
  podsBecomeReady,
  podsFail,
  type Story,
  settle,
  specAsksFor,
  storyOf,
} from "./model/story.ts";
import { inputOf, phaseOf, stateOf, step, T0, worldAtRest } from "./model/world.ts";

const PLAN = {
  baseline: "SameAge",
  steps: [step("fifth", 20), step("half", 50), step("most", 80), step("all", 100)],
};
const B = "a-baseline";

const story = (more: Parameters<typeof worldAtRest>[0] = {}, plan: object = {}): Story =>
  storyOf(worldAtRest({ needed: 4, ...more, plan: { ...PLAN, ...plan } }));

const wanted = ({ world }: Story) => ["a", B, "b"].map((revision) => world.revisions[revision]?.wanted ?? 0);

describe("a baseline of the same age", () => {
  it("has its pods beside the canary's at each step, and none at 100%", () => {
    const told = story();
    specAsksFor(told, "b");
    expect(wanted(told)).toEqual([4, 2, 2]);
    expect(told.world.services.main).toEqual(["a"]);
    podsBecomeReady(told);
    expect(told.world.services.main).toEqual(["a", B, "b"]);
    expect(told.last?.desiredWeights).toEqual({ a: 53, [B]: 27, b: 20 });
    const steps = [1, 2, 3].map((at) => {
      const next = story();
      canaryAt(next, at);
      return wanted(next);
    });
    expect(steps).toEqual([
      [2, 2, 4],
      [1, 1, 4],
      [4, 0, 4],
    ]);
  });

  it("is waited for before the canary gets traffic, without a deadline against the canary", () => {
    const told = story();
    specAsksFor(told, "b");
    podFault(told, B, "PodsRefused", Number.POSITIVE_INFINITY);
    podsBecomeReady(told, "b");
    told.world.nowMs += 24 * 3_600_000;
    const { hold } = settle(told);
    expect(hold).toMatchObject({ reason: "BaselineNotReady" });
    expect(hold?.message).toContain("it is PodsRefused");
    expect(phaseOf(told.world)).toBe("Preparing");
    expect(told.world.services.main).toEqual(["a"]);
  });

  it("is waived by whoever promotes the step", () => {
    const told = story();
    specAsksFor(told, "b");
    podFault(told, B, "PodsRefused", Number.POSITIVE_INFINITY);
    podsBecomeReady(told, "b");
    commanded(told, { action: "promote", revision: "b", step: "fifth" });
    expect(stateOf(told.world).stepName).toBe("half");
  });

  it("that loses all its pods holds the canary as missing data does, whatever the verdict was", () => {
    const told = story({}, { analysis: { noData: { after: "30m", action: "Rollback" } } });
    canaryAt(told, 0);
    podsFail(told, B, 2);
    const { hold } = settle(told);
    expect(hold?.reason).toBe("BaselineNotReady");
    told.world.nowMs += 20 * 60_000;
    expect(settle(told).hold?.reason).toBe("BaselineNotReady");
    told.world.nowMs += 20 * 60_000;
    settle(told);
    expect(stateOf(told.world).failed?.reason).toBe("NoData");
  });

  it("that loses one of two pods goes on being compared with", () => {
    const told = story();
    canaryAt(told, 0);
    podsFail(told, B, 1);
    expect(settle(told).hold?.reason).not.toBe("BaselineNotReady");
  });

  it("serves with the stable pods in an abort from above a third, and the canary leaves at once", () => {
    const told = story();
    canaryAt(told, 1);
    commanded(told, { action: "abort", revision: "b" });
    expect(wanted(told)).toEqual([4, 2, 0]);
    expect(told.world.services.main).toEqual(["a", B]);
    podsBecomeReady(told);
    expect(wanted(told)).toEqual([4, 0, 0]);
    expect(told.world.services.main).toEqual(["a"]);
    expect(phaseOf(told.world)).toBe("Aborted");
  });

  it("leaves with the canary in one change of the selector up to a third of the traffic", () => {
    const told = story();
    canaryAt(told, 0);
    commanded(told, { action: "abort", revision: "b" });
    expect(told.traffic.at(-1)).toEqual(["a"]);
    expect(wanted(told)).toEqual([4, 0, 0]);
  });

  it("ends with progressDeadline where the stable version does not come back to its size", () => {
    const told = story();
    canaryAt(told, 1);
    commanded(told, { action: "abort", revision: "b" });
    told.world.nowMs += 11 * 60_000;
    settle(told);
    expect(phaseOf(told.world)).toBe("Aborted");
    expect(wanted(told)).toEqual([4, 0, 0]);
  });

  it("follows a bridge that is scaled, and takes nothing of what it needs", () => {
    const told = story();
    canaryAt(told, 0);
    told.world.needed = 8;
    podsBecomeReady(told);
    expect(wanted(told)).toEqual([8, 3, 3]);
    told.world.needed = 2;
    podsBecomeReady(told);
    // One of five is the weight; with two stable pods it would be one of four (whenTooFewPods AddPods).
    expect(wanted(told)).toEqual([3, 1, 1]);
  });

  it("needs room for two pods to start", () => {
    const told = story({ maxPods: 5 });
    const { hold } = specAsksFor(told, "b");
    expect(hold).toMatchObject({ reason: "NoRoom" });
    expect(hold?.message).toContain(
      "raise spec.budget.cpu to fit at least 6, with a canary and its baseline",
    );
    planBecomes(told, { baseline: "Stable" });
    expect(phaseOf(told.world)).toBe("Preparing");
  });

  it("is not asked for by a version known good", () => {
    const told = story();
    told.world.state = { ...stateOf(told.world), served: ["b"] };
    specAsksFor(told, "b");
    expect(wanted(told)).toEqual([4, 0, 4]);
  });

  it("stays as it is in a pause and without metrics", () => {
    const told = story();
    canaryAt(told, 0);
    planBecomes(told, { paused: true });
    metricsGo(told, false);
    podsBecomeReady(told);
    expect(wanted(told)).toEqual([4, 2, 2]);
  });
});

describe("a baseline's name", () => {
  it("is that of the stable version with an ending, and back", () => {
    expect(baselineOf("a")).toBe(B);
    expect(templateOf(B)).toBe("a");
    expect([B, "a", "-baseline-a"].map(isBaseline)).toEqual([true, false, false]);
  });
});

describe("a canary has a baseline", () => {
  const since = { phase: "Holding", phaseSince: iso(T0) } as const;
  it.each([
    ["it was started with one", { ...since, baseline: "SameAge" as const }, "SameAge", true],
    ["that was taken back", { ...since, baseline: "SameAge" as const }, "Stable", false],
    ["it was started without", since, "SameAge", false],
    ["there is none", undefined, "SameAge", false],
  ] as const)("where %s: %#", (_, state, baseline, has) => {
    expect(hasBaseline(state, { baseline })).toBe(has);
  });
});

describe("pods of a baseline", () => {
  const MINUTE = 60_000;
  const aborting = { phase: "Aborting", weight: 50, evidenceSince: iso(T0), waitingSince: iso(T0) } as const;
  const at = (more: Partial<RolloutStatus>, { stable = 2, fresh = 2, minutes = 0, plan = PLAN } = {}) => {
    const world = worldAtRest({ needed: 4, plan, desired: "b", nowMs: T0 + minutes * MINUTE });
    const pods = (ready: number) => ({ wanted: ready, ready, unready: 0, terminating: 0, fault: undefined });
    Object.assign(world.revisions, { a: pods(stable), [B]: pods(fresh), b: pods(4) });
    const state = { phaseSince: iso(T0), stableRevision: "a", canaryRevision: "b", stepName: "half" };
    return contextOf(inputOf(world), { ...state, phase: "Holding", baseline: "SameAge", ...more });
  };
  const dark = { ...PLAN, steps: [step("half", 0), step("all", 100)] };

  it.each([
    ["once the canary does", at({ evidenceSince: iso(T0) }), true],
    ["not before", at({}), false],
    ["not beside a canary without traffic", at({ evidenceSince: iso(T0) }, { plan: dark }), false],
  ])("serve %s", (_, context, serves) => {
    expect(baselineServes(context)).toBe(serves);
  });

  it.each([
    ["while the stable version has not its size", at(aborting), true],
    ["not out of an abort", at({ ...aborting, phase: "Holding" }), false],
    ["not where they did not serve", at({ ...aborting, evidenceSince: undefined }), false],
    ["not where none is ready", at(aborting, { fresh: 0 }), false],
    ["not where none is ready and no stable pod either", at(aborting, { fresh: 0, stable: 0 }), false],
    ["not once the stable version has its size", at(aborting, { stable: 4 }), false],
    ["until the deadline", at(aborting, { minutes: 9.99 }), true],
    ["not after it", at(aborting, { minutes: 10 }), false],
    ["not without a deadline", at({ ...aborting, waitingSince: undefined }), false],
    ["for as long as no stable pod is ready", at(aborting, { stable: 0, minutes: 99 }), true],
  ])("stay in an abort %s", (_, context, stays) => {
    expect(baselineStays(context)).toBe(stays);
  });

  it("stay until progressDeadline, where there are any", () => {
    expect(baselineStaysUntilMs(at(aborting))).toBe(T0 + 10 * MINUTE);
    expect(baselineStaysUntilMs(at(aborting, { fresh: 0 }))).toBeUndefined();
    expect(baselineStaysUntilMs(at({ ...aborting, waitingSince: undefined }))).toBeUndefined();
  });
});
