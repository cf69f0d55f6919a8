import { describe, expect, it } from "vitest";
import {
  canaryAt,
  commanded,
  planBecomes,
  podFault,
  podsBecomeReady,
  podsFail,
  reconcile,
  settle,
  specAsksFor,
  storyOf,
} from "../model/story.ts";
import { phaseOf, stateOf, step, worldAtRest } from "../model/world.ts";

const plan = {
  steps: [step("half", 50, { approval: true, hold: "48h" }), step("most", 75), step("all", 100)],
};
const quick = { steps: [step("half", 50), step("most", 75), step("all", 100)] };
const given = (more: Parameters<typeof worldAtRest>[0] = {}) =>
  storyOf(worldAtRest({ plan, needed: 4, ...more }));

describe("promote", () => {
  it("leaves the present step, whatever its hold, evidence and approval", () => {
    const story = given();
    canaryAt(story, 0);
    const outcome = commanded(story, { action: "promote", revision: "b", step: "half" });
    expect(outcome.commandResult).toMatchObject({ action: "promote", result: "Done" });
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "most" });
    expect(story.decisions.map(({ reason }) => reason)).toContain("Released");
  });

  it("releases one step only, and only once", () => {
    const story = given();
    canaryAt(story, 0);
    commanded(story, { action: "promote", revision: "b", step: "half" });
    podsBecomeReady(story);
    const again = reconcile(story);
    expect(again.commandResult).toBeUndefined();
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "most" });
  });

  it("waits for pods: it never overrides capacity", () => {
    const story = given();
    canaryAt(story, 0);
    podsFail(story, "b", 2);
    commanded(story, { action: "promote", revision: "b", step: "half" });
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "half", approvedStep: "half" });
    expect(story.last?.hold?.reason).toBe("PodsNotReady");
    podsBecomeReady(story);
    expect(stateOf(story.world).stepName).toBe("most");
  });

  it("fully goes to all of the traffic once the pods are ready, and becomes stable", () => {
    const story = given();
    canaryAt(story, 0);
    podsFail(story, "b", 1);
    commanded(story, { action: "promote", revision: "b", full: true });
    expect(stateOf(story.world)).toMatchObject({ phase: "Stepping", stepName: "all" });
    expect(story.world.services.main).toEqual(["a", "b"]);
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "b" });
  });

  it("fully before the canary's first pod is ready", () => {
    const story = given();
    specAsksFor(story, "b");
    commanded(story, { action: "promote", revision: "b", full: true });
    expect(phaseOf(story.world)).toBe("Preparing");
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "b" });
  });

  it("releases a canary that is held as proved worse", () => {
    const story = given();
    canaryAt(story, 0);
    planBecomes(story, { onFailure: "Pause" });
    story.world.verdicts = {
      kind: "Judged",
      errors: { category: "ProvedWorse", message: "+5pp" },
      gates: [],
      decidedAtMs: 0,
    };
    settle(story);
    commanded(story, { action: "promote", revision: "b", step: "half" });
    podsBecomeReady(story);
    expect(stateOf(story.world).stepName).toBe("most");
  });

  it.each<[string, Parameters<typeof commanded>[1], RegExp]>([
    [
      "another revision",
      { action: "promote", revision: "x", step: "half" },
      /revision x, but the canary is b/,
    ],
    [
      "another step",
      { action: "promote", revision: "b", step: "most" },
      /step most, but the present step is half/,
    ],
    [
      "another step, fully",
      { action: "promote", revision: "b", step: "most", full: true },
      /present step is half/,
    ],
    ["no step", { action: "promote", revision: "b" }, /names no step; the present one is half/],
  ])("is refused for %s", (_name, command, message) => {
    const story = given();
    canaryAt(story, 0);
    const { commandResult } = commanded(story, command);
    expect(commandResult).toMatchObject({ result: "Refused", message: expect.stringMatching(message) });
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "half" });
    expect(stateOf(story.world).approvedStep).toBeUndefined();
  });

  it("is refused while paused, while the spec is refused, and without a canary", () => {
    const story = given();
    expect(commanded(story, { action: "promote", revision: "a" }).commandResult?.message).toMatch(
      /no canary/,
    );
    canaryAt(story, 0);
    planBecomes(story, { paused: true });
    const paused = commanded(story, { action: "promote", revision: "b", step: "half" });
    expect(paused.commandResult?.message).toMatch(/paused/);
    planBecomes(story, { paused: false });
    story.world.accepted = false;
    const refused = commanded(story, { action: "promote", revision: "b", step: "half" });
    expect(refused.commandResult?.message).toMatch(/spec is refused/);
  });

  it("after an abort is refused, of a step and fully: what failed is retried from the first step, and then may be promoted fully", () => {
    const story = given();
    canaryAt(story, 0);
    commanded(story, { action: "abort", revision: "b" });
    for (const how of [{ step: "half" }, { full: true }, {}]) {
      expect(commanded(story, { action: "promote", revision: "b", ...how }).commandResult).toMatchObject({
        ...{ result: "Refused", message: expect.stringMatching(/no canary/) },
      });
      expect(stateOf(story.world)).toMatchObject({ phase: "Aborted", stableRevision: "a" });
    }
    expect(story.world.revisions).toMatchObject({ a: { wanted: 4 }, b: { wanted: 0 } });
    commanded(story, { action: "retry", revision: "b" });
    expect(commanded(story, { action: "promote", revision: "b", full: true }).commandResult?.result).toBe(
      "Done",
    );
    // No evidence was gathered again, and none is asked for; readiness is.
    expect(phaseOf(story.world)).toBe("Preparing");
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "b" });
  });

  it.each([
    [false, "`kubectl llmbridge promote`"],
    [true, "`kubectl llmbridge promote --full`"],
  ])("is refused with what to do first (full: %s)", (full, typed) => {
    const story = given();
    canaryAt(story, 0);
    const command = { action: "promote", revision: "b", ...(full ? { full } : { step: "half" }) } as const;
    const said = () => commanded(story, command).commandResult?.message;
    planBecomes(story, { paused: true });
    expect(said()).toBe(`The rollout is paused; \`kubectl llmbridge resume\` first, then ${typed}.`);
    planBecomes(story, { paused: false });
    commanded(story, { action: "abort", revision: "b" });
    expect(said()).toBe(
      `There is no canary to promote: revision b was rolled back. \`kubectl llmbridge retry\` starts it again from the first step, then ${typed}.`,
    );
    // What was named does what it says.
    commanded(story, { action: "retry", revision: "b" });
    podsBecomeReady(story);
    expect(commanded(story, { action: "promote", revision: "b", full: true }).commandResult?.result).toBe(
      "Done",
    );
  });

  it("that comes with a new spec does not hit the new revision", () => {
    const story = given();
    canaryAt(story, 0);
    story.world.desired = "c";
    const { commandResult } = commanded(story, { action: "promote", revision: "b", full: true });
    expect(commandResult?.result).toBe("Refused");
    expect(stateOf(story.world)).toMatchObject({ phase: "Preparing", canaryRevision: "c" });
  });
});

describe("abort", () => {
  it("rolls back and marks the revision, in the very pass", () => {
    const story = given();
    canaryAt(story, 0);
    const outcome = commanded(story, { action: "abort", revision: "b" });
    expect(outcome.services?.main).toEqual(["a"]);
    expect(outcome.commandResult?.result).toBe("Done");
    expect(stateOf(story.world)).toMatchObject({
      phase: "Aborted",
      failed: { revision: "b", reason: "Command" },
    });
    expect(story.decisions.filter(({ reason }) => reason === "Command")).toMatchObject([
      { action: "Rollback", message: "Revision b is rolled back: a person asked for it." },
    ]);
  });

  it("of another revision than the canary is refused", () => {
    const story = given();
    canaryAt(story, 0);
    expect(commanded(story, { action: "abort", revision: "a" }).commandResult).toMatchObject({
      ...{ result: "Refused", message: expect.stringContaining("the canary is b") },
    });
    expect(phaseOf(story.world)).toBe("Holding");
  });

  it("works while paused and while the spec is refused", () => {
    const story = given();
    canaryAt(story, 0);
    planBecomes(story, { paused: true });
    story.world.accepted = false;
    commanded(story, { action: "abort", revision: "b" });
    expect(phaseOf(story.world)).toBe("Aborted");
  });

  it("given twice does nothing more", () => {
    const story = storyOf(worldAtRest({ plan: quick, needed: 4 }));
    canaryAt(story, 1);
    commanded(story, { action: "abort", revision: "b" });
    expect(commanded(story, { action: "abort", revision: "b" }).commandResult).toMatchObject({
      ...{ result: "Done", message: "The canary is being withdrawn already." },
    });
    expect(stateOf(story.world).failed).toMatchObject({ revision: "b", reason: "Command" });
    podsBecomeReady(story);
    expect(phaseOf(story.world)).toBe("Aborted");
    expect(commanded(story, { action: "abort", revision: "b" }).commandResult?.result).toBe("Refused");
  });

  it("with nothing in progress leaves the stable version alone", () => {
    const story = given();
    const { commandResult, replicas } = commanded(story, { action: "abort", revision: "a" });
    expect(commandResult?.result).toBe("Refused");
    expect(replicas).toEqual({ a: 4 });
  });

  it("after the commit is refused and says how to return", () => {
    const story = given({ slowDrain: true });
    specAsksFor(story, "b");
    commanded(story, { action: "promote", revision: "b", full: true });
    podsBecomeReady(story);
    expect(phaseOf(story.world)).toBe("Draining");
    const { commandResult } = commanded(story, { action: "abort", revision: "b" });
    expect(commandResult?.message).toMatch(/set the spec back/);
  });
});

describe("of a promoted version that is watched", () => {
  const watched = () => {
    const story = given();
    planBecomes(story, { watchAfter: "10m" });
    specAsksFor(story, "b");
    commanded(story, { action: "promote", revision: "b", full: true });
    podsBecomeReady(story);
    expect(phaseOf(story.world)).toBe("Watching");
    return story;
  };
  const toldLast = (story: ReturnType<typeof watched>) =>
    story.decisions.filter(({ reason }) => reason === "Command").at(-1);

  it("abort gives the traffic back to the version before, and says so", () => {
    const story = watched();
    expect(commanded(story, { action: "abort", revision: "b" }).commandResult).toMatchObject({
      ...{ result: "Done", message: "Revision a takes the traffic back." },
    });
    expect(toldLast(story)).toMatchObject({
      ...{ action: "Rollback", message: "Revision b is rolled back to a: a person asked for it." },
    });
    expect(stateOf(story.world).stableRevision).toBe("a");
  });

  it("promote ends the watch, and says what is given up", () => {
    const story = watched();
    const message = "Revision a is given up before watchAfter is over.";
    expect(commanded(story, { action: "promote", revision: "b" }).commandResult).toMatchObject({
      ...{ result: "Done", message },
    });
    expect(toldLast(story)).toMatchObject({ action: "Finish" });
    expect(phaseOf(story.world)).not.toBe("Watching");
  });

  it.each<[string, Partial<Parameters<typeof commanded>[1]>]>([
    ["a step", { step: "all" }],
    ["all of the traffic", { full: true }],
  ])("promote for %s, which was meant for the canary, gives nothing up", (_name, meant) => {
    const story = watched();
    expect(commanded(story, { action: "promote", revision: "b", ...meant }).commandResult).toMatchObject({
      ...{ result: "Refused", message: expect.stringMatching(/promoted already and watched/) },
    });
    expect(stateOf(story.world)).toMatchObject({ phase: "Watching", previousRevision: "a" });
  });
});

describe("retry", () => {
  it("starts the failed revision from the first step", () => {
    const story = storyOf(worldAtRest({ plan: quick, needed: 4 }));
    canaryAt(story, 1);
    commanded(story, { action: "abort", revision: "b" });
    podsBecomeReady(story);
    expect(commanded(story, { action: "retry", revision: "b" }).commandResult).toMatchObject({
      ...{ result: "Done", message: "Revision b is tried again from the first step." },
    });
    expect(stateOf(story.world)).toMatchObject({ phase: "Preparing", stepName: "half", weight: 0 });
    expect(stateOf(story.world).failed).toBeUndefined();
  });

  it("is refused where the spec asks for something else by now", () => {
    const story = given();
    canaryAt(story, 0);
    commanded(story, { action: "abort", revision: "b" });
    story.world.accepted = false;
    story.world.desired = "c";
    expect(commanded(story, { action: "retry", revision: "b" }).commandResult).toMatchObject({
      ...{ result: "Refused", message: expect.stringContaining("the spec asks for c") },
    });
  });

  it("given while the rollback is still going on waits for its end", () => {
    const story = storyOf(worldAtRest({ plan: quick, needed: 4 }));
    canaryAt(story, 1);
    commanded(story, { action: "abort", revision: "b" });
    commanded(story, { action: "retry", revision: "b" });
    expect(phaseOf(story.world)).toBe("Aborting");
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", canaryRevision: "b", stepName: "half" });
  });

  it.each([
    ["nothing failed", undefined, /No revision is marked/],
    ["another revision failed", "b", /the failed one is b/],
  ])("is refused where %s", (_name, failing, message) => {
    const story = given();
    if (failing !== undefined) {
      specAsksFor(story, failing);
      podFault(story, failing, "CrashLoop");
    }
    const { commandResult } = commanded(story, { action: "retry", revision: "x" });
    expect(commandResult).toMatchObject({ result: "Refused", message: expect.stringMatching(message) });
  });
});
