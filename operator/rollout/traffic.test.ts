import { describe, expect, it } from "vitest";
import type { RolloutStatus } from "../api/v1alpha1/status.ts";
import { iso } from "./clock.ts";
import { contextOf } from "./look.ts";
import { inputOf, step, T0, type World, worldAtRest } from "./model/world.ts";
import { canaryIsOut, patienceEndsMs, plannedWeight, tracksOf, weightsOf } from "./traffic.ts";

const B = "a-baseline";
const steps = [step("half", 50), step("all", 100)];
const canary = { stableRevision: "a", canaryRevision: "b", stepName: "half" };
const aborting = {
  ...canary,
  phase: "Aborting",
  weight: 50,
  evidenceSince: iso(T0),
  waitingSince: iso(T0),
} as const;
const fresh = { ...aborting, baseline: "SameAge" } as const;

type Pods = Partial<Record<"a" | "b" | typeof B, number>>;
const at = (
  state: Partial<RolloutStatus>,
  ready: Pods = {},
  more: Partial<World> & { plan?: object } = {},
) => {
  const world = worldAtRest({ needed: 4, ...more, plan: { steps, baseline: "SameAge", ...more.plan } });
  for (const [revision, pods] of Object.entries({ a: 4, b: 4, [B]: 0, ...ready }))
    world.revisions[revision] = { wanted: pods, ready: pods, unready: 0, terminating: 0, fault: undefined };
  return contextOf(inputOf(world), { phase: "Stable", phaseSince: iso(T0), ...state });
};
const later = (seconds: number) => ({ nowMs: T0 + seconds * 1000 });

describe("canaryIsOut", () => {
  const dark = { plan: { steps: [step("half", 0), step("all", 100)] } };
  it.each([
    ["not while the stable version alone has too few pods", aborting, { a: 3 }, {}, false],
    ["once it has those needed", aborting, {}, {}, true],
    ["once it has them with its baseline", fresh, { a: 2, [B]: 2 }, {}, true],
    ["not by a baseline that never served", { ...fresh, weight: 0 }, { a: 2, [B]: 1 }, {}, false],
    ["for good", { ...aborting, leftSince: iso(T0) }, { a: 1 }, {}, true],
    ["where it never was in", { ...aborting, evidenceSince: undefined }, { a: 1 }, {}, true],
    ["where it had no traffic", { ...aborting, weight: 0 }, { a: 1 }, dark, true],
    ["where it has no pod to lose", aborting, { a: 0, b: 0 }, {}, true],
    ["not before the stable version had its time", aborting, { a: 1 }, later(29), false],
    ["after it had", aborting, { a: 1 }, later(30), true],
    ["not while there is no stable pod at all", aborting, { a: 0 }, later(9999), false],
    [
      "not where nobody knows since when",
      { ...aborting, waitingSince: undefined },
      { a: 1 },
      later(9999),
      false,
    ],
  ] satisfies [string, Partial<RolloutStatus>, Pods, object, boolean][])(
    "%s",
    (_, state, ready, more, out) => {
      expect(canaryIsOut(at(state, ready, more))).toBe(out);
    },
  );

  it("is waited for the shorter the more pods the stable version has kept", () => {
    expect(patienceEndsMs(at(aborting))).toBe(T0 + 30_000);
    expect(patienceEndsMs(at({ ...aborting, weight: undefined }))).toBe(T0 + 30_000);
    expect(patienceEndsMs(at({ ...aborting, weight: 51 }))).toBe(T0 + 600_000);
    expect(patienceEndsMs(at({ ...aborting, stableGaveUp: true }))).toBe(T0 + 600_000);
    expect(patienceEndsMs(at({ ...aborting, waitingSince: undefined }))).toBeUndefined();
  });
});

describe("tracksOf", () => {
  it.each([
    [{ phase: "Pending", canaryRevision: "a" }, { a: "production" }],
    [{ phase: "Stable", stableRevision: "a" }, { a: "production" }],
    [
      { phase: "Holding", ...canary },
      { a: "production", b: "canary" },
    ],
    [{ phase: "Promoting", stableRevision: "b", previousRevision: "a" }, { b: "canary" }],
    [
      { phase: "Watching", stableRevision: "b", previousRevision: "a" },
      { a: "previous", b: "production" },
    ],
    [{ phase: "Watching", stableRevision: "b" }, { b: "production" }],
    [{ phase: "Draining", stableRevision: "b", previousRevision: "a" }, { b: "production" }],
  ] satisfies [Partial<RolloutStatus>, object][])("of %j are %j", (state, tracks) => {
    expect(tracksOf(at(state))).toStrictEqual(tracks);
  });
});

describe("weightsOf", () => {
  const holding = { ...canary, phase: "Holding", weight: 50, evidenceSince: iso(T0) } as const;
  it.each([
    ["a first version", { phase: "Pending", canaryRevision: "a" }, {}, { a: 100 }],
    ["a version alone", { phase: "Stable", stableRevision: "a" }, {}, { a: 100 }],
    [
      "one that is watched",
      { phase: "Watching", stableRevision: "b", previousRevision: "a" },
      {},
      { a: 0, b: 100 },
    ],
    ["a canary", holding, {}, { a: 50, b: 50 }],
    ["a canary that is not in yet", { ...canary, phase: "Preparing" }, {}, { a: 100, b: 0 }],
    [
      "a canary with a baseline",
      { ...holding, baseline: "SameAge" },
      { a: 3, [B]: 1 },
      { a: 37, [B]: 13, b: 50 },
    ],
    [
      "a baseline that waits with its canary",
      { ...canary, phase: "Preparing", baseline: "SameAge" },
      { [B]: 2 },
      { a: 100, [B]: 0, b: 0 },
    ],
  ] satisfies [string, Partial<RolloutStatus>, Pods, object][])("of %s", (_, state, ready, weights) => {
    expect(weightsOf(at(state, ready))).toStrictEqual(weights);
  });
});

describe("plannedWeight", () => {
  it.each([
    ["is the step's once its pods are ready", { ...canary, phase: "Stepping", weight: 10 }, {}, {}, 50],
    ["stays what it is while they are not", { ...canary, phase: "Stepping", weight: 10 }, { b: 3 }, {}, 10],
    [
      "stays what it is in a pause",
      { ...canary, phase: "Stepping", weight: 10 },
      {},
      { plan: { paused: true } },
      10,
    ],
    ["falls at once to a lower step", { ...canary, phase: "Stepping", weight: 75 }, { b: 3 }, {}, 50],
    ["is none before the first one", { ...canary, phase: "Stepping" }, { b: 0 }, {}, 0],
    ["is held", { ...canary, phase: "Holding", weight: 30 }, {}, {}, 30],
    ["falls in an abort as stable pods become ready", aborting, { a: 3 }, {}, 25],
    ["is not raised by an abort", { ...aborting, weight: 10 }, { a: 1 }, {}, 10],
    ["is none of a canary without pods", aborting, { a: 2, b: 0 }, {}, 0],
    ["is none of a canary that is out", aborting, { a: 1 }, later(30), 0],
    ["is none without a canary", { phase: "Stable", stableRevision: "a", weight: 50 }, {}, {}, 0],
  ] satisfies [string, Partial<RolloutStatus>, Pods, object, number][])(
    "%s",
    (_, state, ready, more, weight) => {
      expect(plannedWeight(at(state, ready, more))).toBe(weight);
    },
  );
});
