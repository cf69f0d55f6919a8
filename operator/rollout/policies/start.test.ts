import { describe, expect, it } from "vitest";
import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import { isKnownGood, wantsBaseline } from "../known-good.ts";
import { contextAt } from "../model/moment.ts";
import { step } from "../model/world.ts";
import { whyNotStart } from "./start.ts";

type Around = Parameters<typeof contextAt>[1];
const at = (more: Around = {}, state: Partial<RolloutStatus> = {}) =>
  contextAt(
    { phase: "Stable", canaryRevision: undefined, stepName: undefined, ...state },
    { pods: { b: 0 }, ...more },
  );
const failed = { revision: "b", reason: "Alert", message: "m", time: "2026-01-01T00:00:00Z" };
const fresh = { baseline: "SameAge" };
const blueGreen = { strategy: "BlueGreen" };
const needs = (pods: string, atLeast: string) =>
  `${pods} pods that fit within spec.budget.cpu are needed to serve; raise spec.budget.cpu to fit at least ${atLeast}.`;
const forTwo = "6, with a canary and its baseline, or set spec.rollout.baseline to Stable";
const beside =
  "BlueGreen needs 4 pods beside the 4 that serve, but 7 fit within spec.budget.cpu; raise spec.budget.cpu to fit 8, or set spec.rollout.strategy to Canary.";
const ending = { pods: { b: 0, c: { terminating: 4 } } };
const wait = "The canary starts when pods of older revisions have ended.";

describe("whyNotStart", () => {
  it.each([
    [
      "a spec that is refused",
      { accepted: false },
      {},
      "NotAccepted",
      "The spec is refused; the running version stays.",
    ],
    [
      "a revision that failed",
      {},
      { failed },
      "Failed",
      "Revision b was rolled back (Alert); change the spec, or try it again with `kubectl llmbridge retry`.",
    ],
    [
      "a pause",
      { plan: { paused: true } },
      {},
      "Paused",
      "It is paused (spec.rollout.paused); `kubectl llmbridge resume` starts the canary.",
    ],
    [
      "an alert",
      { alerts: { hold: { name: "busy", message: "too much." }, rollback: undefined } },
      {},
      "AlertHold",
      "Alert busy asks to hold: too much.",
    ],
    [
      "no pods",
      { needed: 0 },
      {},
      "NoPodsNeeded",
      "No pods are asked for; the canary starts when there are.",
    ],
    [
      "too few pods for a weight",
      { plan: { steps: [step("tenth", 10), step("all", 100)], traffic: { whenTooFewPods: "Refuse" } } },
      {},
      "TooFewPods",
      "spec.rollout.steps[0].weight: 10 cannot be given by 4 pods of the stable version; have at least 9, change the weight, or set spec.rollout.traffic.whenTooFewPods to AddPods.",
    ],
    ["no room", { maxPods: 4 }, {}, "NoRoom", needs("All 4", "5")],
    ["no room for two", { maxPods: 5, plan: fresh }, {}, "NoRoom", needs("4 of the 5", forTwo)],
    ["no room while older pods end", { maxPods: 8, ...ending }, {}, "NoRoom", wait],
    ["just the room once older pods have ended", { maxPods: 5, ...ending }, {}, "NoRoom", wait],
    ["no room for a second set of pods", { maxPods: 7, plan: blueGreen }, {}, "NoRoom", beside],
    [
      "no room for a second set while older pods end",
      { maxPods: 8, plan: blueGreen, ...ending },
      {},
      "NoRoom",
      wait,
    ],
  ] satisfies [string, Around, Partial<RolloutStatus>, string, string][])(
    "is %s",
    (_, more, state, reason, message) => {
      expect(whyNotStart(at(more, state))).toEqual({ reason, message });
    },
  );

  it.each([
    ["a revision that failed before another", {}, { failed: { ...failed, revision: "c" } }],
    ["room for one pod", { maxPods: 5 }, {}],
    ["room for two", { maxPods: 6, plan: fresh }, {}],
    [
      "room for one of a version known good, which has no baseline",
      { maxPods: 5, plan: fresh },
      { served: ["b"] },
    ],
    ["room for a second set of pods", { maxPods: 8, plan: blueGreen }, {}],
  ] satisfies [string, Around, Partial<RolloutStatus>][])("is nothing with %s", (_, more, state) => {
    expect(whyNotStart(at(more, state))).toBeUndefined();
  });

  it("is first what a person can change, and last the turn", () => {
    const fleet = {
      freeze: { name: "night", promote: "Refuse" as const, untilMs: undefined },
      order: "Bridge x comes first.",
      limit: "One at a time.",
    };
    const reasons = [
      whyNotStart(at({ fleet, maxPods: 4 })),
      whyNotStart(at({ fleet })),
      whyNotStart(at({ fleet: { ...fleet, freeze: undefined } })),
      whyNotStart(at({ fleet: { ...fleet, freeze: undefined, order: undefined } })),
    ].map((hold) => hold?.reason);
    expect(reasons).toEqual(["NoRoom", "FleetFreeze", "FleetOrder", "FleetLimit"]);
  });
});

describe("a version known good", () => {
  it.each([
    [undefined, 3, false],
    [["x", "b"], 3, true],
    [["x", "b"], 1, false],
  ])("is one of %j within a window of %d: %s", (served, rollbackWindow, known) => {
    const context = at({ plan: { ...fresh, rollbackWindow } }, { served });
    expect(isKnownGood(context)).toBe(known);
    expect(wantsBaseline(context)).toBe(!known);
    expect(wantsBaseline(at({ plan: { rollbackWindow } }, { served }))).toBe(false);
  });
});
