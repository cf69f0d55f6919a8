import { describe, expect, it } from "vitest";
import {
  commanded,
  planBecomes,
  podFault,
  podsBecomeReady,
  type Story,
  settle,
  specAsksFor,
  storyOf,
  timePasses,
} from "./model/story.ts";
import { phaseOf, stateOf, step, type World, worldAtRest } from "./model/world.ts";

const plan = { steps: [step("half", 50), step("all", 100)] };

/** Nothing runs yet. */
const given = (more: Partial<World> = {}): Story =>
  storyOf(
    worldAtRest({
      plan,
      needed: 2,
      state: undefined,
      revisions: {},
      services: { main: [], stable: [], canary: [] },
      ...more,
    }),
  );

describe("the first version", () => {
  it("skips the steps and is stable when every pod is ready", () => {
    const story = given();
    settle(story);
    expect(phaseOf(story.world)).toBe("Pending");
    expect(story.world.services.main).toEqual(["a"]);
    expect(story.world.revisions).toMatchObject({ a: { wanted: 2 } });
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "a" });
    expect(story.decisions.map(({ action }) => action)).toEqual(["Finish"]);
  });

  it("that is never ready is kept trying, and says that there is nothing to return to", () => {
    const story = given();
    settle(story);
    const failing = podFault(story, "a", "CrashLoop");
    expect(failing.summary).toContain("it is CrashLoop");
    const late = timePasses(story, 10);
    expect(phaseOf(story.world)).toBe("Pending");
    expect(late.hold?.message).toContain("there is no earlier version to return to");
    expect(story.world.revisions.a).toMatchObject({ wanted: 2 });
  });

  it("that never served is replaced by the next spec", () => {
    const story = given();
    settle(story);
    podFault(story, "a", "CrashLoop");
    specAsksFor(story, "b");
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "b" });
    expect(story.world.revisions.a).toMatchObject({ wanted: 0 });
  });

  it("that serves in part is not thrown away for the next spec", () => {
    const story = given();
    settle(story);
    const { a } = story.world.revisions;
    if (!a) throw new Error("no first revision");
    a.ready = 1;
    a.unready = 1;
    specAsksFor(story, "b");
    expect(stateOf(story.world)).toMatchObject({
      phase: "Preparing",
      stableRevision: "a",
      canaryRevision: "b",
    });
    podsBecomeReady(story, "b");
    expect(story.world.services.main).toEqual(["a", "b"]);
  });

  it("comes up though the rollout is paused", () => {
    const story = given();
    planBecomes(story, { paused: true });
    podsBecomeReady(story);
    expect(phaseOf(story.world)).toBe("Stable");
  });

  it("cannot be aborted", () => {
    const story = given();
    settle(story);
    expect(commanded(story, { action: "abort", revision: "a" }).commandResult?.message).toMatch(
      /no earlier one/,
    );
  });

  it("with no pods asked for waits for some", () => {
    const story = given({ needed: 0 });
    settle(story);
    expect(phaseOf(story.world)).toBe("Pending");
    expect(story.last?.hold?.reason).toBe("NoPodsNeeded");
    specAsksFor(story, "b");
    story.world.needed = 2;
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "b" });
  });
});
