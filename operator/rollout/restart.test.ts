import { describe, expect, it } from "vitest";
import { commanded, reconcile, type Story, settle, specAsksFor, storyOf, timePasses } from "./model/story.ts";
import { stateOf, step, type World, worldAtRest } from "./model/world.ts";

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
function clusterGoesOn(story: Story & { ages: number[] }): void {
  const { evictions } = reconcile(story);
  story.ages.splice(0, evictions?.count ?? 0);
  const pods = story.world.revisions.a;
  if (!pods) throw new Error("a is there");
  pods.ready -= evictions?.count ?? 0;
  while (story.ages.length < pods.wanted) story.ages.push(story.world.nowMs + 1000);
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
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "a" });
  });

  it("is given up where nothing is replaced for progressDeadline, and says what may be the cause", () => {
    const story = given();
    commanded(story, order);
    timePasses(story, 9);
    expect(stateOf(story.world).restart).toMatchObject({ left: 4 });
    timePasses(story, 1);
    expect(stateOf(story.world).restart).toBeUndefined();
    expect(story.decisions.at(-1)).toMatchObject({ reason: "RestartGivenUp" });
    expect(story.decisions.at(-1)?.message).toContain("4 pods left");
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
      "All 4 pods that the bounds and backend budgets allow",
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
