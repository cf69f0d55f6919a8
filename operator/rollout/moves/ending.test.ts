import { describe, expect, it } from "vitest";
import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import { contextAt, minutes } from "../model/moment.ts";
import { aborting, promoting, watching } from "./ending.ts";

type Around = Parameters<typeof contextAt>[1];
const promoted = {
  stableRevision: "b",
  canaryRevision: undefined,
  previousRevision: "a",
  stepName: undefined,
};
const takes = (transition: string) => ({ kind: "Take", transition });

describe("a promotion", () => {
  const at = (more: Around = {}, state: Partial<RolloutStatus> = {}) =>
    promoting(contextAt({ phase: "Promoting", ...promoted, waitingSince: minutes(0), ...state }, more));
  const few = { b: { ready: 3, unready: 1 } };
  const waits = {
    kind: "Stay",
    change: {},
    hold: { reason: "PodsNotReady", message: "Pods of the promoted version are not ready." },
  };

  it.each([
    ["begins the watch once the new version has its pods", {}, {}, takes("Committed")],
    ["ends where there is nothing to return to", {}, { previousRevision: undefined }, takes("LetGo")],
    ["ends where no watch is asked for", { plan: { watchAfter: "0s" } }, {}, takes("LetGo")],
    ["waits for pods", { pods: few }, {}, waits],
    ["waits for pods until the deadline", { pods: few }, { waitingSince: minutes(-10) }, takes("Committed")],
    ["waits for pods where nobody knows since when", { pods: few }, { waitingSince: undefined }, waits],
    ["ends where the spec has moved on", { pods: few, desired: "c" }, {}, takes("LetGo")],
    ["does not follow a spec that is refused", { pods: few, desired: "c", accepted: false }, {}, waits],
    ["is watched under a spec that is refused", { desired: "c", accepted: false }, {}, takes("Committed")],
  ] satisfies [string, Around, Partial<RolloutStatus>, object][])("%s", (_, more, state, move) => {
    expect(at(more, state)).toEqual(move);
  });

  it("waits until a gateway has led all of the traffic to the new version", () => {
    const plan = { traffic: { router: "Gateway", route: { parentRefs: [{ name: "public" }] } } };
    const led = (secondsAgo: number) => at({ plan }, { phaseSince: minutes(-secondsAgo / 60) });
    expect(led(4)).toMatchObject({
      kind: "Stay",
      hold: { reason: "WeightNotApplied", message: "Traffic is being led to the promoted version." },
    });
    expect(led(5)).toEqual(takes("Committed"));
  });
});

describe("a watch", () => {
  const at = (more: Around = {}, state: Partial<RolloutStatus> = {}) =>
    watching(contextAt({ phase: "Watching", ...promoted, ...state }, more));
  const queued = { revision: "c", since: minutes(-1) };
  const next = { desired: "c", pods: { c: 0 } };
  const alarm = {
    verdicts: {
      kind: "Watched" as const,
      alarms: [{ signal: "errors" as const, message: "+2pp." }],
      message: "",
    },
  };

  it("goes on until its time is over", () => {
    expect(at()).toEqual({ kind: "Stay", change: { queued: undefined }, hold: undefined });
    expect(at({}, { phaseSince: minutes(-10) })).toEqual({
      kind: "Take",
      transition: "LetGo",
      change: { queued: undefined },
      told: {
        action: "Finish",
        reason: "Watched",
        message: "Revision b was watched for 10m without an alarm; revision a is given up.",
      },
    });
  });

  it("ends where another change may start, or only waits for the room that is kept", () => {
    expect(at(next, { queued })).toEqual({ kind: "Take", transition: "LetGo", change: { queued } });
    expect(at({ ...next, maxPods: 8 })).toMatchObject({ transition: "LetGo" });
    expect(at({ ...next, accepted: false })).toMatchObject({ kind: "Stay", hold: undefined });
  });

  it("goes on while another change waits, and says what for where that is the fleet", () => {
    const fleet = { freeze: undefined, order: "Bridge x comes first.", limit: undefined };
    expect(at({ ...next, fleet })).toEqual({
      kind: "Stay",
      change: { queued: { revision: "c", since: minutes(0) } },
      hold: { reason: "FleetOrder", message: "Bridge x comes first." },
    });
    expect(at({ ...next, plan: { paused: true } }, { queued })).toEqual({
      kind: "Stay",
      change: { queued: undefined },
      hold: undefined,
    });
  });

  it("waits for a person with an alarm that rolls nothing back", () => {
    const waits = (why: string) => ({
      kind: "Stay",
      change: { queued: undefined },
      hold: {
        reason: "ProvedWorse",
        message: `Since its promotion it is proved worse (+2pp); ${why}. \`kubectl llmbridge abort\` returns to revision a, \`promote\` gives that up.`,
      },
    });
    const long = { phaseSince: minutes(-99) };
    const gone = { metrics: { available: false, message: "no answer" } };
    const pause = { plan: { onFailure: "Pause" } };
    expect(at({ ...alarm, ...pause }, long)).toEqual(waits("onFailure is Pause"));
    expect(at({ ...alarm, ...pause, ...gone }, long)).toEqual(waits("onFailure is Pause"));
    expect(at({ ...alarm, ...gone }, long)).toEqual(waits("it is rolled back when there are metrics again"));
  });
});

describe("an abort", () => {
  const gone = { b: 0 };
  const out = { phase: "Aborting", weight: 50, evidenceSince: minutes(0), waitingSince: minutes(0) } as const;
  const at = (more: Around, state: Partial<RolloutStatus> = {}) =>
    aborting(contextAt({ ...out, ...state }, more));
  const stays = (reason: string, message: string, change = {}) => ({
    kind: "Stay",
    change,
    hold: { reason, message },
  });
  const ends = stays("Draining", "Pods of the withdrawn canary are told to end.");
  const fresh = {
    plan: { baseline: "SameAge" },
    pods: { a: { ready: 2, unready: 2 }, b: 0, "a-baseline": 2 },
  };
  const failed = { revision: "b", reason: "Alert", message: "m", time: minutes(0) };

  it.each([
    [
      "waits for stable pods",
      { pods: { a: { ready: 3, unready: 1 } } },
      {},
      stays(
        "StableNotReady",
        "Stable pods are not all ready again; the canary shrinks as they become ready.",
      ),
    ],
    ["waits for the canary's pods to be told to end", {}, {}, ends],
    ["waits for pods that have not been told", { pods: { b: { wanted: 0, unready: 1 } } }, {}, ends],
    ["waits for a Deployment that is to have pods", { pods: { b: { wanted: 1 } } }, {}, ends],
    ["does not wait for pods that end", { pods: { b: { terminating: 3 } } }, {}, takes("Returned")],
    [
      "waits for those whose place a baseline takes",
      fresh,
      { baseline: "SameAge" },
      stays(
        "StableNotReady",
        "Stable pods are not all ready again; those of the baseline serve in their place.",
      ),
    ],
    ["leaves no mark on a canary that did not fail", { pods: gone }, {}, takes("Returned")],
    [
      "leaves none for another one's failure",
      { pods: gone },
      { failed: { ...failed, revision: "c" } },
      takes("Returned"),
    ],
    [
      "ends with a canary that failed",
      { pods: gone },
      { failed },
      {
        ...takes("RolledBack"),
        told: { action: "Finish", reason: "RolledBack", message: "Revision b has left; revision a serves." },
      },
    ],
  ] satisfies [string, Around, Partial<RolloutStatus>, object][])("%s", (_, more, state, move) => {
    expect(at(more, state)).toEqual(move);
  });

  it("waits until a gateway leads nobody to the canary, from when it was first out", () => {
    const plan = { traffic: { router: "Gateway", route: { parentRefs: [{ name: "public" }] } } };
    const led = (since: string) =>
      stays("Draining", "Traffic is being led away from the withdrawn canary.", { leftSince: since });
    expect(at({ plan })).toEqual(led(minutes(0)));
    expect(at({ plan }, { leftSince: minutes(-0.05) })).toEqual(led(minutes(-0.05)));
    expect(at({ plan }, { leftSince: minutes(-0.1) })).toEqual(ends);
  });
});
