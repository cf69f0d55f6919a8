import { describe, expect, it } from "vitest";
import type { GateStatus, RolloutStatus } from "../api/v1alpha1/status.ts";
import { iso } from "./clock.ts";
import { contextOf } from "./look.ts";
import { inputOf, step, T0, type World, worldAtRest } from "./model/world.ts";
import { wakeAt } from "./wake.ts";

const MINUTE = 60_000;
const minutes = (count: number) => iso(T0 + count * MINUTE);
const pods = (ready: number, wanted = ready) => ({
  ...{ wanted, ready, unready: wanted - ready, terminating: 0 },
  fault: undefined as World["revisions"][string]["fault"],
});
const fault = (atMinutes: number) => ({
  ...pods(0, 1),
  fault: { reason: "ImagePull" as const, pod: "p", message: "m", decisiveAtMs: T0 + atMinutes * MINUTE },
});
const at = (state: Partial<RolloutStatus>, more: Partial<World> & { plan?: object } = {}, b = pods(3)) => {
  const world = worldAtRest({
    ...more,
    plan: { steps: [step("half", 50), step("all", 100)], watchAfter: "10m", ...more.plan },
  });
  world.revisions.b = b;
  return contextOf(inputOf(world), { phase: "Stable", phaseSince: iso(T0), stableRevision: "a", ...state });
};
const canary = { canaryRevision: "b", stepName: "half" };
const holding = { ...canary, phase: "Holding", weight: 50, holdingSince: minutes(0) } as const;
const watching = { phase: "Watching", stableRevision: "b", previousRevision: "a" } as const;
const asked: GateStatus = {
  ...{ name: "g", kind: "Webhook", digest: "0", since: minutes(0) },
  ...{ until: minutes(2), state: "Asked" },
};

type Row = [
  string,
  RolloutStatus | Partial<RolloutStatus>,
  number | undefined,
  (Partial<World> & { plan?: object })?,
  World["revisions"][string]?,
];

describe("wakeAt", () => {
  it.each<Row>([
    ["never at rest", {}, undefined],
    ["when a restart is given up", { restart: { before: minutes(0), left: 1, since: minutes(3) } }, 13],
    ["when a first version is late", { phase: "Pending", waitingSince: minutes(1) }, 11],
    ["when the promoted version is late", { phase: "Promoting", waitingSince: minutes(1) }, 11],
    ["not while nothing is waited for", { phase: "Promoting" }, undefined],
    [
      "when a canary's readiness is late",
      { ...canary, phase: "Preparing", waitingSince: minutes(2) },
      12,
      {},
      pods(0, 2),
    ],
    ["when its stable pods are late", { ...canary, phase: "Preparing", stableWaitingSince: minutes(4) }, 14],
    [
      "not for a wait that its pods ended",
      { ...canary, phase: "Stepping", waitingSince: minutes(4) },
      undefined,
    ],
    [
      "not in a pause",
      { ...canary, phase: "Preparing", waitingSince: minutes(4), stableWaitingSince: minutes(4) },
      undefined,
      { plan: { paused: true } },
      pods(0, 2),
    ],
    ["when the hold ends", { ...holding, servedSince: minutes(1) }, 6],
    ["when a gate runs out of time", { ...holding, servedSince: minutes(1), gates: [asked] }, 2],
    [
      "not for a gate with a verdict",
      { ...holding, servedSince: minutes(1), gates: [{ ...asked, state: "Passed" }] },
      6,
    ],
    ["when missing data have lasted", { ...holding, noDataSince: minutes(0) }, 60],
    ["when a step counts as inconclusive", holding, 72 * 60 + 5],
    [
      "not in a pause of a hold",
      { ...holding, servedSince: minutes(1) },
      undefined,
      { plan: { paused: true } },
    ],
    ["when a watch ends", watching, 10],
    ["when a fault of the watched version counts", watching, 3, {}, fault(3)],
    ["when a fault of the canary counts", { ...canary, phase: "Preparing" }, 3, {}, fault(3)],
    ["not for a fault that only explains", { ...canary, phase: "Preparing" }, undefined, {}, fault(Infinity)],
    ["not for a fault that counts by now", { ...canary, phase: "Preparing" }, undefined, {}, fault(0)],
    ["not for a fault of a canary that leaves", { ...canary, phase: "Aborting" }, undefined, {}, fault(3)],
    [
      "when an abort takes too long",
      { ...canary, phase: "Aborting", weight: 50, waitingSince: minutes(0) },
      0.5,
    ],
    ["never while older pods end", { phase: "Draining" }, undefined],
    ["never after a rollback", { phase: "Aborted" }, undefined],
  ])("%s", (_, state, expected, more, b) => {
    const context = at(state, more, b);
    expect(wakeAt(context)).toBe(expected === undefined ? undefined : T0 + expected * MINUTE);
  });

  it("is when a freeze ends, whatever the phase", () => {
    const freeze = { name: "night", promote: "Refuse" as const, untilMs: T0 + 7 * MINUTE };
    const fleet = { freeze, order: undefined, limit: undefined };
    expect(wakeAt(at({}, { fleet }))).toBe(T0 + 7 * MINUTE);
  });
});
