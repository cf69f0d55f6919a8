import { describe, expect, it } from "vitest";
import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import { contextAt, minutes } from "../model/moment.ts";
import { judged, step, worldAtRest } from "../model/world.ts";
import { holding, preparing, stepping } from "./canary.ts";

type Around = Parameters<typeof contextAt>[1];
const stays = (reason: string | undefined, message?: string) => ({
  kind: "Stay",
  hold: reason === undefined ? undefined : { reason, ...(message === undefined ? {} : { message }) },
});

describe("a canary that is prepared", () => {
  const at = (more: Around, state: Partial<RolloutStatus> = {}) =>
    preparing(contextAt({ phase: "Preparing", weight: 0, ...state }, more));

  it.each([
    ["for a share", step("half", 50), " and enters the Service for step half (50%)"],
    ["for none", step("half", 0), "; at step half (0%) it is reached through its own Service alone"],
    [
      "for copies",
      step("half", 0, { mirror: 50 }),
      "; at step half (0%, 50% mirrored) it gets copies of requests, and nobody gets its answers",
    ],
  ])("goes on once its pods are ready: %s", (_, first, entry) => {
    expect(at({ plan: { steps: [first, step("all", 100)] } })).toEqual({
      kind: "Take",
      transition: "Prepared",
      change: { evidenceSince: minutes(0), waitingSince: minutes(0) },
      told: { action: "Step", reason: "Prepared", message: `Canary b is ready${entry}.` },
    });
  });

  it.each([
    [
      "its pods start",
      { pods: { b: { ready: 3, unready: 1 } } },
      {},
      {
        ...stays("PodsNotReady", "Pods of the canary that step half needs are not ready."),
        change: { waitingSince: minutes(0) },
      },
    ],
    [
      "its pods start, since when they first did",
      { pods: { b: { ready: 3, unready: 1 } } },
      { waitingSince: minutes(-3) },
      { change: { waitingSince: minutes(-3) } },
    ],
    ["in a pause", { plan: { paused: true } }, {}, { ...stays("Paused"), change: {} }],
    [
      "there is no room for a pod",
      { maxPods: 5, pods: { b: 0, c: { terminating: 1 } } },
      { waitingSince: minutes(0) },
      {
        ...stays("NoRoom", "There is no room for another canary pod until other pods have ended."),
        change: { waitingSince: undefined },
      },
    ],
    [
      "no room can come",
      { maxPods: 4, pods: { b: 0 } },
      {},
      stays(
        "NoRoom",
        "All 4 pods that fit within spec.budget.cpu are needed to serve; raise spec.budget.cpu to fit at least 5.",
      ),
    ],
    [
      "no room can come for a baseline beside it",
      { maxPods: 5, plan: { baseline: "SameAge" }, pods: { a: 5, b: 0 } },
      { baseline: "SameAge" as const },
      stays(
        "NoRoom",
        "4 of the 5 pods that fit within spec.budget.cpu are needed to serve; raise spec.budget.cpu to fit at least 6, with a canary and its baseline, or set spec.rollout.baseline to Stable.",
      ),
    ],
    [
      "no pods are asked for",
      { needed: 0, pods: { b: 0 } },
      {},
      stays("NoPodsNeeded", "No pods are asked for; the canary goes on when there are."),
    ],
    [
      "its pods find no place but the alert says nothing",
      {
        pods: { b: { ready: 3, unready: 1 } },
        alerts: { hold: { name: "x", message: "m" }, rollback: undefined },
      },
      {},
      stays("AlertHold"),
    ],
  ])("waits while %s", (_, more, state, expected) => {
    expect(at(more, state)).toMatchObject(expected);
  });

  const small = { steps: [step("tenth", 10), step("all", 100)] };
  it.each([
    ["until they are ready", { ready: 8, unready: 1 }, 9, "StableNotReady"],
    ["not once they are", { ready: 9 }, 9, undefined],
    ["not after the deadline", { ready: 8, unready: 1 }, 10, undefined],
    ["from now on where nobody knows since when", { ready: 8, unready: 1 }, undefined, "StableNotReady"],
  ])("waits for stable pods that make its share small enough, %s", (_, a, after, reason) => {
    const state = {
      stepName: "tenth",
      stableWaitingSince: after === undefined ? undefined : minutes(-after),
    };
    const move = at({ plan: small, pods: { a, b: 1 } }, state);
    if (reason === undefined) expect(move).toMatchObject({ transition: "Prepared" });
    else
      expect(move).toMatchObject(
        stays(reason, "Stable pods that step tenth (10%) needs to be small enough are not ready."),
      );
  });
});

describe("a canary on its way to a step", () => {
  const at = (more: Around, state: Partial<RolloutStatus> = {}) =>
    stepping(
      contextAt({ phase: "Stepping", stepIndex: 0, weight: 0, evidenceSince: minutes(0), ...state }, more),
    );

  it("has arrived once pods of both versions give the weight", () => {
    expect(at({})).toEqual({
      kind: "Take",
      transition: "WeightApplied",
      change: { weight: 50, stepIndex: 0, holdingSince: minutes(0) },
    });
  });

  it("follows a plan in which its step is gone", () => {
    expect(at({}, { stepName: "gone", weight: 100, waitingSince: minutes(-1) })).toEqual({
      kind: "Take",
      transition: "Replanned",
      change: { stepName: "all", stepIndex: 1, waitingSince: minutes(-1) },
    });
  });

  const starting = { b: { ready: 1, unready: 3 } };
  it.each([
    ["in a pause", { plan: { paused: true } }, {}, { ...stays("Paused"), change: {} }],
    [
      "its pods start",
      { pods: starting },
      {},
      { ...stays("PodsNotReady"), change: { waitingSince: minutes(0) } },
    ],
    [
      "its pods start since",
      { pods: starting },
      { waitingSince: minutes(-2) },
      { change: { waitingSince: minutes(-2) } },
    ],
    [
      "there is no room for its pods",
      { maxPods: 5, pods: { a: 4, b: 1, c: { terminating: 1 } } },
      { waitingSince: minutes(-2) },
      { ...stays("NoRoom"), change: { waitingSince: undefined } },
    ],
    [
      "no room can come for its pods",
      { maxPods: 4, pods: { a: 2, b: 2 }, plan: { steps: [step("half", 75), step("all", 100)] } },
      {},
      stays(
        "NoRoom",
        "All 4 pods that fit within spec.budget.cpu are needed to serve; raise spec.budget.cpu to fit at least 5.",
      ),
    ],
    [
      "no pods are asked for",
      { needed: 0 },
      { waitingSince: minutes(0) },
      { ...stays("NoPodsNeeded"), change: { waitingSince: undefined } },
    ],
    [
      "stable pods are to end first",
      { pods: { a: 9 } },
      {},
      stays("WeightNotApplied", "Pods for step half are being adjusted."),
    ],
    [
      "its baseline starts",
      { plan: { baseline: "SameAge" }, pods: { a: 2, "a-baseline": { ready: 1, unready: 1 } } },
      { baseline: "SameAge" as const },
      stays("BaselineNotReady"),
    ],
    [
      "stable pods are not there to take its traffic back",
      { plan: { steps: [step("half", 0), step("all", 100)] }, pods: { a: { ready: 3, unready: 1 } } },
      { weight: 50 },
      stays("StableNotReady", "Stable pods are not all ready to take all of the traffic."),
    ],
  ] satisfies [string, Around, Partial<RolloutStatus>, object][])(
    "waits while %s",
    (_, more, state, expected) => {
      expect(at(more, state)).toMatchObject(expected);
    },
  );

  it("waits for room beside all stable pods, which a gateway keeps, and says how much", () => {
    const plan = { traffic: { router: "Gateway", route: { parentRefs: [{ name: "public" }] } } };
    expect(at({ plan, maxPods: 5, pods: { b: 1 } })).toMatchObject(
      stays(
        "NoRoom",
        "Step half needs 2 pods beside the 4 that serve, but 5 fit within spec.budget.cpu; raise spec.budget.cpu to fit 6.",
      ),
    );
  });

  it("waits for a gateway", () => {
    const plan = { traffic: { router: "Gateway", route: { parentRefs: [{ name: "public" }] } } };
    expect(at({ plan })).toMatchObject(stays("WeightNotApplied"));
    expect(at({ plan }, { routedWeight: 50 })).toMatchObject({ transition: "WeightApplied" });
  });
});

describe("a canary that holds", () => {
  const held = {
    weight: 50,
    stepIndex: 0,
    holdingSince: minutes(-9),
    servedSince: minutes(-9),
    evidenceSince: minutes(-9),
  };
  const good = { verdicts: judged(worldAtRest(), "ProvedBelow") };
  const at = (more: Around, state: Partial<RolloutStatus> = {}) =>
    holding(contextAt({ ...held, ...state }, more));
  const none = { steps: [step("half", 50, { analysis: "None" }), step("all", 100)] };
  const proof = "its hold is over and the evidence is below the margins";

  it.each([
    ["by proof", good, {}, "StepPassed", proof],
    [
      "by time",
      { plan: none },
      {},
      "StepPassed",
      "its hold is over, and no proof is asked for (analysis None)",
    ],
    ["by a person", {}, { approvedStep: "half" }, "Released", "it was released by a person"],
  ])("leaves its step %s", (_, more, state, reason, why) => {
    expect(at(more, state)).toEqual({
      kind: "Take",
      transition: "StepPassed",
      change: { stepName: "all", stepIndex: 1, approvedStep: undefined, waitingSince: minutes(0) },
      told: {
        action: "Step",
        reason,
        message: `Step half (50%) is passed: ${why}. Next is all (100%).`,
        refused: ["stay at 50%: nothing is left to wait for"],
      },
    });
  });

  const last = { stepName: "all", stepIndex: 1, weight: 100 };
  const promotes = (reason: string, why: string) => ({
    action: "Promote",
    reason,
    message: `Revision b is promoted: step all is passed, ${why}.`,
    refused: ["stay at 100%: nothing is left to wait for"],
  });
  it("is promoted after the last step, and watched", () => {
    const change = {
      stableRevision: "b",
      waitingSince: minutes(0),
      previousRevision: "a",
      evidenceSince: minutes(-9),
    };
    const promotion = { kind: "Take", transition: "Proved", change };
    expect(at(good, last)).toEqual({ ...promotion, told: promotes("StepPassed", proof) });
    expect(at({}, { ...last, approvedStep: "all" })).toEqual({
      ...promotion,
      told: promotes("Released", "it was released by a person"),
    });
  });

  it("is not watched where that is not asked for", () => {
    expect(at({ ...good, plan: { watchAfter: "0s" } }, last)).toMatchObject({
      change: { stableRevision: "b", waitingSince: minutes(0) },
    });
    expect(at({ ...good, plan: { watchAfter: "0s" } }, last).change).not.toHaveProperty("previousRevision");
  });

  it.each([
    [
      "another weight",
      [step("half", 40), step("all", 100)],
      "half (40%)",
      { stepName: "half", stepIndex: 0 },
    ],
    ["another name", [step("some", 50), step("all", 100)], "some (50%)", { stepName: "some", stepIndex: 0 }],
    [
      "another place",
      [step("first", 10), step("half", 60), step("all", 100)],
      "half (60%)",
      { stepName: "half", stepIndex: 1 },
    ],
  ])("follows a plan that gives its step %s", (_, steps, now, change) => {
    expect(at({ plan: { steps } })).toEqual({
      kind: "Take",
      transition: "Replanned",
      change: { ...change, waitingSince: minutes(0) },
      told: {
        action: "Step",
        reason: "PlanEdited",
        message: `The plan was edited; the present step is ${now}.`,
      },
    });
    expect(at({ plan: { steps, paused: true } })).toMatchObject(stays("Paused"));
  });

  it.each([
    ["from its first requests", {}, { servedSince: undefined }, { servedSince: minutes(0) }],
    ["not before them", { traffic: false }, { servedSince: undefined }, { servedSince: undefined }],
    ["once", {}, {}, { servedSince: minutes(-9) }],
    ["without data", { metrics: { available: false, message: "m" } }, {}, { noDataSince: minutes(0) }],
    [
      "without data, since",
      { metrics: { available: false, message: "m" } },
      { noDataSince: minutes(-2) },
      { noDataSince: minutes(-2) },
    ],
    ["with data again", {}, { noDataSince: minutes(-2), verdicts: undefined }, { noDataSince: minutes(-2) }],
    ["while pods are missing", { pods: { b: { ready: 3, unready: 1 } } }, {}, { waitingSince: minutes(0) }],
    [
      "while pods are missing, since",
      { pods: { b: { ready: 3, unready: 1 } } },
      { waitingSince: minutes(-1) },
      { waitingSince: minutes(-1) },
    ],
    ["with all its pods again", {}, { waitingSince: minutes(-1) }, { waitingSince: undefined }],
  ])("counts its time %s", (_, more, state, clocks) => {
    const services = { main: ["a", "b"], stable: ["a"], canary: ["b"] };
    expect(at({ services, ...more }, state)).toMatchObject({ kind: "Stay", change: clocks });
  });
});
