import { describe, expect, it } from "vitest";
import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import { contextAt, minutes } from "../model/moment.ts";
import { aborted, draining, pending, stable } from "./rest.ts";

type Around = Parameters<typeof contextAt>[1];
const alone = { canaryRevision: undefined, stepName: undefined };
const stays = (hold: object | undefined, change: object = {}) => ({ kind: "Stay", change, hold });

describe("a first version", () => {
  const at = (more: Around, state: Partial<RolloutStatus> = {}) =>
    pending(
      contextAt({ phase: "Pending", stableRevision: undefined, waitingSince: minutes(0), ...state }, more),
    );
  const starting = { b: { ready: 0, unready: 4 } };
  const replaced = { canaryRevision: "c", waitingSince: minutes(0) };
  const waits = (message: string) => stays({ reason: "PodsNotReady", message });
  const fault = { reason: "CrashLoop" as const, pod: "b-0", message: "it ends", decisiveAtMs: 0 };

  it.each([
    [
      "is stable with all its pods",
      {},
      {},
      {
        kind: "Take",
        transition: "FirstReady",
        change: { stableRevision: "b" },
        told: { action: "Finish", reason: "FirstReady", message: "The first version, revision b, is Ready." },
      },
    ],
    [
      "is what the spec asks for",
      {},
      { canaryRevision: undefined },
      { kind: "Take", transition: "Replaced", change: { ...replaced, canaryRevision: "b" }, told: undefined },
    ],
    [
      "that never served gives way",
      { pods: starting, desired: "c" },
      {},
      {
        kind: "Take",
        transition: "Replaced",
        change: replaced,
        told: {
          action: "Replace",
          reason: "NeverReady",
          message: "Revision b never served; revision c takes its place.",
        },
      },
    ],
    [
      "that serves in part becomes stable first",
      { pods: { b: { ready: 1, unready: 3 } }, desired: "c" },
      {},
      {
        kind: "Take",
        transition: "Adopted",
        change: { stableRevision: "b" },
        told: {
          action: "Adopt",
          reason: "PartlyReady",
          message: "Part of revision b serves; it is the stable version for the change to c.",
        },
      },
    ],
    [
      "is not begun from a refused spec",
      { accepted: false },
      { canaryRevision: undefined },
      stays({
        reason: "NotAccepted",
        message: "The spec is refused and nothing runs yet; correct the spec.",
      }),
    ],
    [
      "goes on under a refused spec",
      { accepted: false, desired: "c", pods: starting },
      {},
      waits("Pods of the first version are not ready yet."),
    ],
    [
      "waits for its pods",
      { pods: { b: { ready: 3, unready: 1 } } },
      {},
      waits("Pods of the first version are not ready yet."),
    ],
    [
      "says why its pods are not ready",
      { pods: { b: { unready: 4, fault } } },
      { waitingSince: undefined },
      waits("Pods of the first version are not ready yet: it ends."),
    ],
    [
      "is tried on after the deadline",
      { pods: { b: { unready: 4, fault } } },
      { waitingSince: minutes(-10) },
      waits(
        "The first version is not ready within progressDeadline 10m: it ends; there is no earlier version to return to, so it is tried on until the spec changes.",
      ),
    ],
    [
      "has nothing to be ready without pods",
      { needed: 0, pods: { b: 0 } },
      {},
      stays({ reason: "NoPodsNeeded", message: "No pods are asked for." }),
    ],
  ] satisfies [string, Around, Partial<RolloutStatus>, object][])("%s", (_, more, state, move) => {
    expect(at(more, state)).toEqual(move);
  });
});

describe("a change", () => {
  const started = (change: object, how: string, reason = "NewRevision") => ({
    kind: "Take",
    transition: "Started",
    change: {
      canaryRevision: "b",
      failed: undefined,
      queued: undefined,
      stepIndex: 0,
      stepName: "half",
      approvedStep: undefined,
      weight: 0,
      baseline: undefined,
      waitingSince: minutes(0),
      ...change,
    },
    told: { action: "Start", reason, message: `Canary b (bridge:b) starts. ${how}` },
  });
  const at = (more: Around = {}, state: Partial<RolloutStatus> = {}) =>
    stable(contextAt({ phase: "Stable", ...alone, ...state }, { pods: { b: 0 }, ...more }));
  const queued = { revision: "b", since: minutes(-5) };

  it("starts at the first step", () => {
    expect(at()).toEqual(started({}, "First step half (50%)."));
    expect(at({ plan: { baseline: "SameAge" } })).toEqual(
      started({ baseline: "SameAge" }, "First step half (50%)."),
    );
    expect(at({}, { served: ["x"] })).toMatchObject({ change: { stepName: "half" } });
  });

  it("back to what was stable a little while ago starts at the last one, released", () => {
    const how =
      "It was stable before (rollbackWindow 3): it gets all of the traffic as soon as its pods are ready, without steps and evidence.";
    const change = { stepIndex: 1, stepName: "all", approvedStep: "all" };
    expect(at({ plan: { baseline: "SameAge" } }, { served: ["x", "y", "b"] })).toEqual(
      started(change, how, "WasStable"),
    );
    expect(at({}, { served: ["x", "y", "z", "b"] })).toMatchObject({ told: { reason: "NewRevision" } });
  });

  it("keeps its release from a freeze, and no other note of waiting", () => {
    expect(at({}, { queued })).toMatchObject({ change: { queued: undefined } });
    const released = { ...queued, released: true };
    expect(at({}, { queued: released })).toMatchObject({ change: { queued: released } });
  });

  it("that waits for the fleet has a note of it", () => {
    const fleet = { freeze: undefined, order: undefined, limit: "One rollout at a time." };
    expect(at({ fleet }, { queued })).toEqual(
      stays({ reason: "FleetLimit", message: "One rollout at a time." }, { queued }),
    );
    expect(at({ plan: { paused: true } }, { queued })).toMatchObject(
      stays({ reason: "Paused" }, { queued: undefined }),
    );
  });

  it("is none where the spec asks for the stable version", () => {
    expect(at({ desired: "a" }, { queued })).toEqual(stays(undefined, { queued: undefined }));
  });

  it("after a rollback forgives the failed one when the spec is back, if it can be read", () => {
    const failed = { revision: "b", reason: "Alert", message: "m", time: minutes(0) };
    const rolledBack = (more: Around) =>
      aborted(contextAt({ phase: "Aborted", ...alone, failed }, { pods: { b: 0 }, ...more }));
    expect(rolledBack({ desired: "a" })).toEqual({
      kind: "Take",
      transition: "Forgiven",
      change: { failed: undefined },
    });
    expect(rolledBack({ desired: "a", accepted: false })).toMatchObject(stays({ reason: "NotAccepted" }));
    expect(rolledBack({})).toMatchObject(stays({ reason: "Failed" }));
    expect(rolledBack({ desired: "c" })).toMatchObject({
      transition: "Started",
      change: { canaryRevision: "c" },
    });
  });
});

describe("older pods that end", () => {
  const at = (more: Around, state: Partial<RolloutStatus> = {}) =>
    draining(contextAt({ phase: "Draining", ...alone, ...state }, { desired: "a", ...more }));
  const queued = { revision: "c", since: minutes(-5) };

  it.each([
    ["are waited for", { pods: { b: { terminating: 1 } } }, stays(undefined, { queued: undefined })],
    [
      "are waited for before they are told",
      { pods: { b: { wanted: 0, unready: 1 } } },
      stays(undefined, { queued: undefined }),
    ],
    ["are gone", { pods: { b: 0 } }, { kind: "Take", transition: "Drained", change: { queued: undefined } }],
    [
      "need not be gone for another change",
      { pods: { b: { terminating: 1 } }, desired: "c" },
      { transition: "Started" },
    ],
    [
      "are all that a refused spec leads to",
      { pods: { b: 0 }, desired: "c", accepted: false },
      { transition: "Drained" },
    ],
  ])("%s", (_, more, move) => {
    expect(at(more)).toMatchObject(move);
  });

  it("do not take the note from a change that waits", () => {
    const fleet = { freeze: undefined, order: undefined, limit: "One rollout at a time." };
    expect(at({ desired: "c", pods: { b: 0 }, fleet }, { queued })).toEqual({
      kind: "Take",
      transition: "Drained",
      change: { queued },
    });
  });
});
