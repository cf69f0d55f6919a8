import { describe, expect, it } from "vitest";
import {
  canaryAt,
  commanded,
  evidenceSays,
  planBecomes,
  podsBecomeReady,
  podsFail,
  specAsksFor,
  storyOf,
  timePasses,
} from "../model/story.ts";
import { phaseOf, stateOf, step, worldAtRest } from "../model/world.ts";

const plan = { steps: [step("tenth", 10), step("half", 50), step("most", 75), step("all", 100)] };
const given = (more: Parameters<typeof worldAtRest>[0] = {}) =>
  storyOf(worldAtRest({ needed: 4, plan, ...more }));
const pods = ({ world }: ReturnType<typeof given>, revision: string) => world.revisions[revision]?.wanted;

describe("jump", () => {
  it("goes on to a later step, over those between, and is judged there", () => {
    const story = given();
    canaryAt(story, 0);
    const { commandResult } = commanded(story, { action: "jump", revision: "b", step: "tenth", to: "most" });
    expect(commandResult).toMatchObject({
      result: "Done",
      message: "It goes on to step most (75%) as soon as the pods are there.",
    });
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "most", weight: 75 });
    expect(story.last?.hold?.reason).toBe("HoldTime");
    timePasses(story, 60);
    expect(story.last?.hold?.reason).toBe("Undecided");
  });

  it("goes back to an earlier step without losing capacity, and its pods follow", () => {
    const story = given();
    canaryAt(story, 3);
    expect([pods(story, "a"), pods(story, "b")]).toEqual([2, 4]);
    commanded(story, { action: "jump", revision: "b", step: "all", to: "half" });
    expect(stateOf(story.world).stepName).toBe("half");
    expect(story.world.services.main).toEqual(["a", "b"]);
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "half", weight: 50 });
    expect([pods(story, "a"), pods(story, "b")]).toEqual([4, 4]);
    expect(story.decisions.find(({ reason }) => reason === "Command")?.message).toBe(
      "A person led it back from step all (100%) to half (50%).",
    );
  });

  it("back to a step without traffic keeps the pods that serve on the way until they can be spared", () => {
    const story = given({ plan: { steps: [step("preview", 0), step("most", 75), step("all", 100)] } });
    canaryAt(story, 0);
    expect(stateOf(story.world).weight).toBe(0);
    commanded(story, { action: "jump", revision: "b", step: "preview", to: "most" });
    expect(story.world.services.main).toEqual(["a", "b"]);
    podsFail(story, "a", 3);
    commanded(story, { action: "jump", revision: "b", step: "most", to: "preview" });
    expect(story.world.services.main).toEqual(["a", "b"]);
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "preview", weight: 0 });
    expect(story.world.services.main).toEqual(["a"]);
    expect(pods(story, "a")).toBe(4);
  });

  it("changes what is prepared where no pod serves yet", () => {
    const story = given();
    specAsksFor(story, "b");
    commanded(story, { action: "jump", revision: "b", step: "tenth", to: "all" });
    expect(stateOf(story.world)).toMatchObject({ phase: "Preparing", stepName: "all" });
    expect(pods(story, "b")).toBe(4);
  });

  it("takes back that a person has released a step", () => {
    const story = given({ slowDeployments: false });
    specAsksFor(story, "b");
    commanded(story, { action: "promote", revision: "b", full: true });
    commanded(story, { action: "jump", revision: "b", step: "all", to: "half" });
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "half" });
    expect(stateOf(story.world).approvedStep).toBeUndefined();
  });

  it.each([
    ["an unknown step", { to: "third" }, "names step third; the plan has tenth, half, most, all."],
    ["no step", {}, "names no step to jump to"],
    ["the present step", { to: "tenth" }, "Step tenth is the present one."],
    ["another present step", { step: "half", to: "most" }, "the present step is tenth."],
    ["another revision", { revision: "a", to: "most" }, "but the canary is b."],
  ])("is refused for %s", (_, change, message) => {
    const story = given();
    canaryAt(story, 0);
    const order = { action: "jump" as const, revision: "b", step: "tenth", ...change };
    expect(commanded(story, order).commandResult).toMatchObject({
      result: "Refused",
      message: expect.stringContaining(message),
    });
    expect(stateOf(story.world).stepName).toBe("tenth");
  });

  it("is refused while paused, and without a canary, with what is there instead", () => {
    const story = given();
    expect(commanded(story, { action: "jump", revision: "b", to: "all" }).commandResult?.message).toBe(
      "There is no canary to jump. Revision a is stable.",
    );
    canaryAt(story, 0);
    planBecomes(story, { paused: true });
    expect(commanded(story, { action: "jump", revision: "b", to: "all" }).commandResult?.message).toContain(
      "paused",
    );
  });
});

describe("skip", () => {
  it("goes to the next step without waiting for the pods of the present one", () => {
    const story = given();
    canaryAt(story, 0);
    commanded(story, { action: "jump", revision: "b", step: "tenth", to: "half" });
    expect(phaseOf(story.world)).toBe("Stepping");
    commanded(story, { action: "skip", revision: "b", step: "half" });
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "most", weight: 75 });
  });

  it("is refused at the last step, and where it names none or another", () => {
    const story = given();
    canaryAt(story, 3);
    const said = (order: object) =>
      commanded(story, { action: "skip", revision: "b", ...order }).commandResult?.message;
    expect(said({ step: "all" })).toBe("Step all is the last one; `kubectl llmbridge promote` leaves it.");
    expect(said({})).toBe("The command names no step; the present one is all. Name it.");
    expect(said({ step: "half" })).toBe("The command speaks of step half, but the present step is all.");
  });
});

describe("a version that was stable before", () => {
  const promote = (story: ReturnType<typeof given>, revision: string) => {
    specAsksFor(story, revision);
    commanded(story, { action: "promote", revision, full: true });
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: revision });
  };

  it("is gone back to without steps and evidence, when its pods are ready", () => {
    const story = given();
    promote(story, "b");
    expect(stateOf(story.world).served).toEqual(["a"]);
    specAsksFor(story, "a");
    expect(stateOf(story.world)).toMatchObject({ phase: "Preparing", stepName: "all", approvedStep: "all" });
    expect(story.world.services.main).toEqual(["b"]);
    expect(pods(story, "b")).toBe(4);
    evidenceSays(story, "Undecided");
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "a", served: ["b"] });
    expect(story.decisions.find(({ reason }) => reason === "WasStable")?.message).toContain(
      "rollbackWindow 3",
    );
  });

  it("takes all steps beyond the window, and with a window of 0", () => {
    const story = given();
    for (const revision of ["b", "c", "d", "e"]) promote(story, revision);
    expect(stateOf(story.world).served).toEqual(["d", "c", "b", "a"]);
    specAsksFor(story, "a");
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "tenth" });
    const other = given();
    planBecomes(other, { rollbackWindow: 0 });
    promote(other, "b");
    specAsksFor(other, "a");
    podsBecomeReady(other);
    expect(stateOf(other.world)).toMatchObject({ phase: "Holding", stepName: "tenth" });
  });

  it("takes all steps after it has failed since", () => {
    const story = given();
    promote(story, "b");
    specAsksFor(story, "a");
    commanded(story, { action: "abort", revision: "a" });
    expect(stateOf(story.world).served).toBeUndefined();
    specAsksFor(story, "b");
    specAsksFor(story, "a");
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "tenth" });
  });

  it("is rolled back all the same when its containers fail", () => {
    const story = given();
    promote(story, "b");
    specAsksFor(story, "a");
    const a = story.world.revisions.a;
    if (!a) throw new Error("a is there");
    a.fault = { reason: "ImagePull", pod: "a-0", message: "it is gone", decisiveAtMs: story.world.nowMs };
    timePasses(story, 0);
    expect(stateOf(story.world)).toMatchObject({ phase: "Aborted", stableRevision: "b" });
  });
});
