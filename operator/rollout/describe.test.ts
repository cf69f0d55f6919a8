import { describe, expect, it } from "vitest";
import type { RolloutStatus } from "../api/v1alpha1/status.ts";
import { iso } from "./clock.ts";
import { canaryHealthOf, evidenceOf, stepOf } from "./describe.ts";
import { contextOf } from "./look.ts";
import { inputOf, step, T0, type World, worldAtRest } from "./model/world.ts";

const steps = [step("quarter", 25, { approval: true }), step("all", 100)];
const pods = (wanted: number, ready: number, fault?: World["revisions"][string]["fault"]) => ({
  wanted,
  ready,
  unready: wanted - ready,
  terminating: 0,
  fault,
});
const state = (more: Partial<RolloutStatus>): RolloutStatus => ({
  phase: "Holding",
  phaseSince: iso(T0),
  stableRevision: "a",
  canaryRevision: "b",
  stepName: "quarter",
  ...more,
});
const at = (more: Partial<RolloutStatus>, b = pods(1, 1)) => {
  const world = worldAtRest({ plan: { steps }, desired: "b" });
  world.revisions.b = b;
  return contextOf(inputOf(world), state(more));
};

describe("stepOf", () => {
  it("tells of the present step, and the end of its hold once that is known", () => {
    const known = { name: "quarter", index: 0, count: 2, weight: 25, needsApproval: true };
    const servedSince = iso(T0);
    expect(stepOf(at({ servedSince }))).toEqual({ ...known, holdUntilMs: T0 + 300_000 });
    expect(stepOf(at({}))).toEqual({ ...known, holdUntilMs: undefined });
    expect(stepOf(at({ phase: "Stepping", servedSince }))).toEqual({ ...known, holdUntilMs: undefined });
  });

  it.each([
    ["that waits for one", { stepName: "quarter" }, true],
    ["that was released", { stepName: "quarter", approvedStep: "quarter" }, false],
    ["that waits for none", { stepName: "all" }, false],
  ])("says whether a person is waited for, at a step %s", (_, more, needsApproval) => {
    expect(stepOf(at(more))?.needsApproval).toBe(needsApproval);
  });

  it.each(["Stable", "Promoting", "Watching", "Draining", "Aborting", "Aborted"] as const)(
    "is none in phase %s",
    (phase) => {
      expect(stepOf(at({ phase }))).toBeUndefined();
      expect(canaryHealthOf(at({ phase }))).toBeUndefined();
    },
  );
});

describe("evidenceOf", () => {
  const since = { evidenceSince: iso(T0 + 1000) };
  const gathered = { revision: "b", sinceMs: T0 + 1000 };
  const promoted = { stableRevision: "b", canaryRevision: undefined, previousRevision: "a", ...since };
  it.each([
    ["starts as the canary enters the Service", { phase: "Stepping", ...since }, {}, "start", gathered],
    ["starts anew for another attempt", since, { evidenceSince: iso(T0) }, "start", gathered],
    ["goes on over the steps", { phase: "Stepping", ...since }, since, "continue", gathered],
    ["goes on in a hold", since, since, "continue", gathered],
    ["has not begun before the canary serves", {}, {}, "stop", {}],
    ["is of a canary that is known", { ...since, canaryRevision: undefined }, since, "stop", {}],
    ["ends with the canary", { phase: "Aborting", ...since }, since, "stop", {}],
    ["is for changes after the promotion", promoted, since, "watch", { revision: "b", sinceMs: T0 }],
  ] satisfies [string, Partial<RolloutStatus>, Partial<RolloutStatus>, string, object][])(
    "%s",
    (_, more, before, action, of) => {
      expect(evidenceOf(at(more), state(before))).toEqual({ action, ...of });
    },
  );
});

describe("canaryHealthOf", () => {
  const fault = (decisiveAtMs: number) => ({
    reason: "OOMKilled" as const,
    pod: "b-0",
    message: "m",
    decisiveAtMs,
  });
  it.each([
    ["whose pods are ready", pods(1, 1), { ready: 1, healthy: true, message: "all pods are ready" }],
    ["whose pods start", pods(1, 0), { ready: 0, healthy: false, message: "pods are not ready yet" }],
    ["whose pods fail", pods(1, 0, fault(T0)), { ready: 0, healthy: false, message: "pod b-0: m" }],
    [
      "whose pods may yet fail",
      pods(1, 1, fault(T0 + 1)),
      { ready: 1, healthy: false, message: "pod b-0: m" },
    ],
  ])("is that of a canary %s", (_, b, health) => {
    expect(canaryHealthOf(at({}, b))).toEqual({ wanted: 1, ...health });
  });

  it("tells the fault that counts, rather than the first that was seen", () => {
    const context = at({}, pods(1, 0));
    const early = { ...fault(T0 - 1), message: "early" };
    const canary = { ...context.canary, faults: [fault(T0 + 1), fault(T0), early] };
    expect(canaryHealthOf({ ...context, canary })?.message).toBe("pod b-0: early");
  });
});
