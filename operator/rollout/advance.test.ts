import { describe, expect, it } from "vitest";
import {
  canaryAt,
  commanded,
  evidenceSays,
  metricsGo,
  podsBecomeReady,
  reconcile,
  settle,
  specAsksFor,
  storyOf,
  timePasses,
} from "./model/story.ts";
import { phaseOf, stateOf, step, worldAtRest } from "./model/world.ts";

const plan = { steps: [step("quarter", 25), step("half", 50), step("all", 100)] };
const given = (more: Parameters<typeof worldAtRest>[0] = {}) => storyOf(worldAtRest({ plan, ...more }));

describe("a good version", () => {
  it("goes through every step and becomes stable without a stable pod ending before", () => {
    const story = given();
    specAsksFor(story, "b");
    expect(phaseOf(story.world)).toBe("Preparing");
    expect(story.world.revisions.b).toMatchObject({ wanted: 1, ready: 0 });
    expect(story.world.services.main).toEqual(["a"]);
    podsBecomeReady(story);
    expect(phaseOf(story.world)).toBe("Holding");
    expect(story.world.services.main).toEqual(["a", "b"]);
    evidenceSays(story, "ProvedBelow");
    timePasses(story, 5);
    evidenceSays(story, "ProvedBelow");
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "half", weight: 50 });
    expect(story.world.revisions).toMatchObject({ a: { wanted: 3 }, b: { wanted: 3 } });
    timePasses(story, 5);
    evidenceSays(story, "ProvedBelow");
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "all", weight: 100 });
    expect(story.world.services.main).toEqual(["b"]);
    timePasses(story, 5);
    evidenceSays(story, "ProvedBelow");
    settle(story);
    expect(stateOf(story.world)).toEqual({
      phase: "Stable",
      phaseSince: expect.any(String),
      stableRevision: "b",
      served: ["a"],
    });
    expect(story.world.revisions).toMatchObject({ a: { wanted: 0 }, b: { wanted: 3, ready: 3 } });
    expect(story.decisions.map(({ action, reason }) => `${action}/${reason}`)).toEqual([
      "Start/NewRevision",
      "Step/Prepared",
      "Step/StepPassed",
      "Step/StepPassed",
      "Promote/StepPassed",
    ]);
  });
});

describe("a transition", () => {
  it("is stored with what the new phase waits for, so that a pass later there is nothing to write", () => {
    const story = given();
    story.world.desired = "b";
    const started = reconcile(story);
    expect(started.state).toMatchObject({ phase: "Preparing", heldFor: "PodsNotReady" });
    expect(started.summary).toContain("Pods of the canary that step quarter needs are not ready.");
    expect(reconcile(story)).toMatchObject({ state: started.state, summary: started.summary });
  });

  it("into a weight for which the pods are there is one pass with the step that follows from it", () => {
    const story = given();
    specAsksFor(story, "b");
    const canary = story.world.revisions.b;
    if (canary) Object.assign(canary, { ready: canary.unready, unready: 0 });
    const entered = reconcile(story);
    expect(entered.state).toMatchObject({ phase: "Holding", stepName: "quarter", weight: 25 });
    expect(entered.services?.main).toEqual(["a", "b"]);
    expect(entered.decisions.map(({ reason }) => reason)).toEqual(["Prepared"]);
  });

  it("begins the clocks of what it waits for, so that the next pass has nothing to add", () => {
    const story = given();
    metricsGo(story, false);
    specAsksFor(story, "b");
    const canary = story.world.revisions.b;
    if (canary) Object.assign(canary, { ready: canary.unready, unready: 0 });
    const entered = reconcile(story);
    expect(entered.state).toMatchObject({ phase: "Holding", heldFor: "MetricsUnavailable" });
    expect(entered.state?.noDataSince).toBe(entered.state?.phaseSince);
    expect(reconcile(story).state).toEqual(entered.state);
  });

  it("into all of the traffic that a person asked for is one pass with the promotion, once the pods are there", () => {
    const story = given();
    canaryAt(story, 0);
    commanded(story, { action: "promote", revision: "b", full: true });
    expect(stateOf(story.world)).toMatchObject({ phase: "Stepping", stepName: "all" });
    const canary = story.world.revisions.b;
    if (canary) Object.assign(canary, { ready: canary.ready + canary.unready, unready: 0 });
    const promoted = reconcile(story);
    expect(promoted.state).toMatchObject({ phase: "Draining", stableRevision: "b" });
    expect(promoted.services?.main).toEqual(["b"]);
    // The predecessor keeps its pods until the promotion is stored.
    expect(story.world.revisions.a).toMatchObject({ wanted: 3, ready: 3 });
  });

  it("does not take requests of the step before for requests of its own", () => {
    const story = given();
    canaryAt(story, 0);
    timePasses(story, 5);
    evidenceSays(story, "ProvedBelow");
    story.world.traffic = false;
    podsBecomeReady(story);
    const holding = stateOf(story.world);
    expect(holding).toMatchObject({ phase: "Holding", stepName: "half", heldFor: "NoRequests" });
    expect(holding.servedSince).toBeUndefined();
  });
});

describe("a canary that is proved worse", () => {
  it.each([0, 1, 2])("leaves the Service at once at step %i and is not tried again", (index) => {
    const story = given();
    canaryAt(story, index);
    evidenceSays(story, "ProvedWorse");
    expect(phaseOf(story.world)).toBe("Aborted");
    expect(story.world.services.main).toEqual(["a"]);
    expect(story.world.revisions).toMatchObject({ a: { wanted: 3, ready: 3 }, b: { wanted: 0 } });
    expect(stateOf(story.world).failed).toMatchObject({ revision: "b", reason: "ErrorsProvedWorse" });
    expect(story.last?.hold?.reason).toBe("Failed");
  });
});
