import { describe, expect, it } from "vitest";
import type { RolloutStatus } from "../api/v1alpha1/status.ts";
import { iso } from "./clock.ts";
import { contextOf } from "./look.ts";
import { commanded, reconcile, type Story, settle, specAsksFor, storyOf, timePasses } from "./model/story.ts";
import { inputOf, stateOf, step, T0, type World, worldAtRest } from "./model/world.ts";
import { evictionsOf, followRestart, surge, surgeOf } from "./restart.ts";

/** Pods of "a" by when they were made; the model's own pods have no age. */
function given(more: Partial<World> = {}): Story & { ages: number[] } {
  const story = storyOf(worldAtRest({ needed: 4, plan: { steps: [step("all", 100)] }, ...more }));
  const ages = Array.from({ length: story.world.needed }, () => story.world.nowMs - 3_600_000);
  story.world.madeMs = { a: ages };
  story.world.nowMs += 60_000;
  return Object.assign(story, { ages });
}

const order = { action: "restart" as const, revision: "a" };

/** What a cluster does between two looks: the pods to evict are gone, those that are missing start and are ready. */
function clusterGoesOn(story: Story & { ages: number[] }, offMs = 0): void {
  const { evictions } = reconcile(story);
  story.ages.splice(0, evictions?.count ?? 0);
  const pods = story.world.revisions.a;
  if (!pods) throw new Error("a is there");
  pods.ready -= evictions?.count ?? 0;
  while (story.ages.length < pods.wanted) story.ages.push(story.world.nowMs - offMs + 1000);
  while (story.ages.length > pods.wanted) story.ages.pop();
  expect(pods.ready).toBeGreaterThanOrEqual(4);
  pods.ready = pods.wanted;
  pods.unready = 0;
  story.world.nowMs += 5_000;
}

describe("restart", () => {
  it("replaces every pod, never with fewer ready ones than are needed", () => {
    const story = given();
    const { commandResult } = commanded(story, order);
    expect(commandResult).toMatchObject({
      result: "Done",
      message: "4 pods of revision a are replaced one after the other.",
    });
    expect(story.last?.replicas.a).toBe(5);
    expect(story.last?.evictions).toBeUndefined();
    const before = story.world.nowMs;
    for (let looks = 0; looks < 20 && stateOf(story.world).restart; looks += 1) clusterGoesOn(story);
    expect(stateOf(story.world).restart).toBeUndefined();
    expect(story.ages.every((made) => made > before)).toBe(true);
    settle(story);
    expect(story.world.revisions.a?.wanted).toBe(4);
    expect(story.decisions.map(({ reason }) => reason)).toEqual(["Command", "Restarted"]);
    expect(story.decisions.at(-1)).toMatchObject({
      action: "Finish",
      message: expect.stringMatching(
        /^Every pod of revision a made before 2025-12-31T23:00:01.* was replaced\.$/,
      ),
    });
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "a" });
  });

  it.each([
    ["ahead of", 120_000],
    ["behind", -120_000],
  ])("replaces each pod once where the operator's clock is %s that by which pods are made", (_, offMs) => {
    const story = given();
    story.ages.splice(0, 4, ...Array.from({ length: 4 }, () => story.world.nowMs - offMs - 30_000));
    commanded(story, order);
    let evicted = 0;
    for (let looks = 0; looks < 40 && stateOf(story.world).restart; looks += 1) {
      clusterGoesOn(story, offMs);
      evicted += story.last?.evictions?.count ?? 0;
    }
    expect(stateOf(story.world).restart).toBeUndefined();
    expect(evicted).toBe(4);
  });

  it("is given up where nothing is replaced for progressDeadline, and says what may be the cause", () => {
    const story = given();
    commanded(story, order);
    timePasses(story, 9);
    expect(stateOf(story.world).restart).toMatchObject({ left: 4 });
    timePasses(story, 1);
    expect(stateOf(story.world).restart).toBeUndefined();
    expect(story.decisions.at(-1)).toMatchObject({
      action: "Finish",
      reason: "RestartGivenUp",
      message:
        "The restart is given up with 4 pods left: none was replaced within progressDeadline 10m; a disruption budget may not allow it.",
    });
  });

  it("is ended by a new version, whose pods are new", () => {
    const story = given();
    commanded(story, order);
    specAsksFor(story, "b");
    expect(stateOf(story.world)).toMatchObject({ phase: "Preparing", canaryRevision: "b" });
    expect(stateOf(story.world).restart).toBeUndefined();
    expect(story.last?.evictions).toBeUndefined();
  });

  it.each<[string, (story: Story) => void, object, string]>([
    [
      "another revision",
      () => {},
      { revision: "b" },
      "The command speaks of revision b, but the stable one is a.",
    ],
    ["a canary", (story) => void specAsksFor(story, "b"), {}, "A canary of revision b is on its way"],
    [
      "no room",
      (story) => {
        story.world.maxPods = 4;
      },
      {},
      "All 4 pods that fit within spec.budget.cpu",
    ],
    [
      "no pods",
      (story) => {
        story.world.madeMs = {};
      },
      {},
      "has no pods to replace",
    ],
  ])("is refused for %s", (_, happens, change, message) => {
    const story = given();
    happens(story);
    expect(commanded(story, { ...order, ...change }).commandResult).toMatchObject({
      result: "Refused",
      message: expect.stringContaining(message),
    });
  });
});

describe("a restart under way", () => {
  const before = iso(T0);
  const restart = { before, left: 2, since: iso(T0) };
  const at = (more: Partial<World> = {}, state: Partial<RolloutStatus> = {}, pods: object = {}) => {
    const world = worldAtRest({ needed: 4, plan: { steps: [step("all", 100)], watchAfter: "10m" }, ...more });
    Object.assign(world.revisions.a ?? {}, pods);
    const input = inputOf(world);
    const present = { phase: "Stable" as const, phaseSince: before, stableRevision: "a", restart, ...state };
    return { input, state: present, context: contextOf(input, present) };
  };
  const made = (...seconds: number[]) => ({ madeMs: { a: seconds.map((second) => T0 + second * 1000) } });

  it.each([
    ["a quarter of those needed", { needed: 8 }, 2],
    ["rounded up", { needed: 9 }, 3],
    ["one of few", { needed: 2 }, 1],
    ["as many as there is room for", { needed: 12, maxPods: 13 }, 1],
    ["none without room", { needed: 4, maxPods: 3 }, 0],
  ])("has pods beside those needed: %s", (_, more, pods) => {
    expect(surgeOf(at(more).context)).toBe(pods);
    expect(surge(at(more).context)).toBe(pods);
  });

  it("leaves the version before the pods that are kept of it", () => {
    const previous = { wanted: 2, ready: 2, unready: 0, terminating: 0, fault: undefined };
    const watching = (maxPods: number) => {
      const { input, state } = at({ needed: 8, maxPods }, { phase: "Watching", previousRevision: "p" });
      const { p } = inputOf({ ...worldAtRest(), revisions: { p: previous } }).revisions;
      return contextOf({ ...input, revisions: { ...input.revisions, ...(p && { p }) } }, state);
    };
    expect([100, 12, 11, 10, 9].map((maxPods) => surgeOf(watching(maxPods)))).toEqual([2, 2, 1, 0, 0]);
  });

  it.each([
    ["without a restart", {}, { restart: undefined }],
    ["beside a canary", {}, { phase: "Holding" as const, canaryRevision: "b" }],
    ["where no pods are needed", { needed: 0 }, {}],
  ])("has none %s", (_, more, state) => {
    expect(surge(at(more, state).context)).toBe(0);
  });

  it.each([
    ["as many as are ready beyond those needed", { ready: 6 }, 2],
    ["no more than are old", { ready: 9 }, 3],
    ["none while none is to spare", { ready: 4 }, undefined],
  ])("evicts old pods: %s", (_, pods, count) => {
    const world = made(-3, -2, -1, 0, 1);
    const { context } = at(world, {}, { wanted: 9, ...pods });
    expect(evictionsOf(context)).toEqual(count && { before, count });
    expect(evictionsOf(at(world, { restart: undefined }, { wanted: 9, ...pods }).context)).toBeUndefined();
    expect(evictionsOf(at(world, { phase: "Holding" }, { wanted: 9, ...pods }).context)).toBeUndefined();
  });

  it("counts from the last pod that was replaced", () => {
    const { state, input } = at({ ...made(-1, 5, 5, 5), nowMs: T0 + 60_000 });
    expect(followRestart(state, input)).toEqual({
      state: { ...state, restart: { before, left: 1, since: iso(T0 + 60_000) } },
    });
    const still = at({ ...made(-1, -1, 5, 5), nowMs: T0 + 599_999 });
    expect(followRestart(still.state, still.input)).toEqual({ state: still.state });
  });

  it("is over with the last old pod, once the new ones are ready", () => {
    const young = made(0, 5, 5, 5);
    expect(followRestart(at(young).state, at(young).input).told?.reason).toBe("Restarted");
    const starting = at(young, {}, { ready: 3 });
    expect(followRestart(starting.state, starting.input)).toMatchObject({ state: { restart: { left: 0 } } });
    const unknown = at();
    expect(followRestart(unknown.state, unknown.input).told?.reason).toBe("Restarted");
  });

  it("says of which fault it is given up", () => {
    const fault = { reason: "CrashLoop", pod: "a-1", message: "it ends", decisiveAtMs: 0 };
    const { state, input } = at({ ...made(-1, -1), nowMs: T0 + 600_000 }, {}, { fault });
    expect(followRestart(state, input).told?.message).toMatch(/within progressDeadline 10m: it ends\.$/);
  });

  it("is not followed without pods that are known, nor where there is none", () => {
    const { state, input } = at();
    const gone = { ...input, revisions: {} };
    expect(followRestart(state, gone)).toEqual({ state });
    expect(followRestart({ ...state, restart: undefined }, input).told).toBeUndefined();
  });
});
