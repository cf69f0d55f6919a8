import { describe, expect, it } from "vitest";
import {
  canaryAt,
  commanded,
  evidenceSays,
  planBecomes,
  podFault,
  podsAreGone,
  podsBecomeReady,
  reconcile,
  settle,
  specAsksFor,
  storyOf,
  timePasses,
} from "./model/story.ts";
import { copyOf, phaseOf, stateOf, step, worldAtRest } from "./model/world.ts";

const plan = { steps: [step("half", 50), step("most", 75), step("all", 100)] };
const given = (more: Parameters<typeof worldAtRest>[0] = {}) =>
  storyOf(worldAtRest({ plan, needed: 4, ...more }));

describe("a new revision while a canary runs", () => {
  it("takes the old canary out at once, unblamed, and starts from the first step", () => {
    const story = given();
    canaryAt(story, 0);
    story.world.desired = "c";
    const outcome = reconcile(story);
    expect(outcome.services?.main).toEqual(["a"]);
    expect(outcome.decisions).toMatchObject([{ action: "Withdraw", reason: "Superseded" }]);
    settle(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Preparing", canaryRevision: "c", stepName: "half" });
    expect(stateOf(story.world).failed).toBeUndefined();
    expect(story.world.revisions).toMatchObject({ a: { wanted: 4 }, b: { wanted: 0 }, c: { wanted: 4 } });
  });

  it("takes the old canary out though it is paused, and waits for the pause to end", () => {
    const story = given();
    canaryAt(story, 0);
    planBecomes(story, { paused: true });
    specAsksFor(story, "c");
    podsBecomeReady(story);
    timePasses(story, 600);
    expect(story.world.services.main).toEqual(["a"]);
    expect(story.world.revisions).toMatchObject({ a: { wanted: 4, ready: 4 }, b: { wanted: 0 } });
    expect(story.world.revisions).not.toHaveProperty("c");
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "a" });
    expect(stateOf(story.world).failed).toBeUndefined();
    expect(story.last?.hold).toMatchObject({ reason: "Paused" });
    planBecomes(story, { paused: false });
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", canaryRevision: "c", stepName: "half" });
  });

  it("above half and paused gives the traffic back first, and then waits all the same", () => {
    const story = given();
    canaryAt(story, 1);
    planBecomes(story, { paused: true });
    specAsksFor(story, "c");
    expect(phaseOf(story.world)).toBe("Aborting");
    podsBecomeReady(story);
    expect(story.world.services.main).toEqual(["a"]);
    expect(story.world.revisions).not.toHaveProperty("c");
    expect(story.last?.hold?.reason).toBe("Paused");
  });

  it("above half waits for stable pods first", () => {
    const story = given();
    canaryAt(story, 1);
    specAsksFor(story, "c");
    expect(phaseOf(story.world)).toBe("Aborting");
    expect(story.world.revisions).not.toHaveProperty("c");
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ canaryRevision: "c" });
  });

  it("takes the mark off a failed one that is still leaving", () => {
    const story = given();
    canaryAt(story, 1);
    evidenceSays(story, "ProvedWorse");
    expect(stateOf(story.world)).toMatchObject({ phase: "Aborting", failed: { revision: "b" } });
    specAsksFor(story, "c");
    expect(stateOf(story.world).failed).toBeUndefined();
    story.world.verdicts = { kind: "NotStarted", message: "nothing was counted yet" };
    specAsksFor(story, "b");
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", canaryRevision: "b", stepName: "half" });
  });

  it("good, bad, another bad: the stable pods stay through all of it", () => {
    const story = given();
    for (const revision of ["b", "c", "d"]) {
      specAsksFor(story, revision);
      podFault(story, revision, "CrashLoop");
      expect(stateOf(story.world)).toMatchObject({ phase: "Aborted", failed: { revision } });
      expect(story.world.revisions.a).toMatchObject({ wanted: 4, ready: 4 });
    }
    specAsksFor(story, "e");
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", canaryRevision: "e" });
  });

  it("waits for room where older revisions still drain and the pods are counted", () => {
    const story = given({ maxPods: 8, slowDrain: true });
    canaryAt(story, 0);
    specAsksFor(story, "c");
    expect(story.last?.hold?.reason).toBe("NoRoom");
    timePasses(story, 120);
    expect(phaseOf(story.world)).toBe("Stable");
    podsAreGone(story);
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", canaryRevision: "c" });
  });

  it("does not wait for pods that drain after a promotion", () => {
    const story = given({ slowDrain: true });
    canaryAt(story, 2);
    timePasses(story, 5);
    evidenceSays(story, "ProvedBelow");
    expect(phaseOf(story.world)).toBe("Draining");
    specAsksFor(story, "c");
    expect(stateOf(story.world)).toMatchObject({
      phase: "Preparing",
      stableRevision: "b",
      canaryRevision: "c",
    });
  });

  it("rests only when the old pods are gone", () => {
    const story = given({ slowDrain: true });
    canaryAt(story, 2);
    timePasses(story, 5);
    evidenceSays(story, "ProvedBelow");
    expect(story.world.revisions.a).toMatchObject({ wanted: 0, terminating: 4 });
    podsAreGone(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "b" });
  });
});

describe("the spec goes back to the stable revision", () => {
  it("while a canary runs: a quick return without a mark", () => {
    const story = given();
    canaryAt(story, 0);
    story.world.desired = "a";
    expect(reconcile(story).decisions).toMatchObject([{ action: "Withdraw", reason: "Reverted" }]);
    settle(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "a" });
    expect(story.last?.hold).toBeUndefined();
  });

  it("before the canary was ever ready", () => {
    const story = given();
    specAsksFor(story, "b");
    specAsksFor(story, "a");
    expect(phaseOf(story.world)).toBe("Stable");
    expect(story.traffic).toEqual([["a"]]);
  });

  it("after a rollback: the mark goes, and the same bad version is tried again when it is asked for again", () => {
    const story = given();
    specAsksFor(story, "b");
    podFault(story, "b", "CrashLoop");
    specAsksFor(story, "a");
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable" });
    expect(stateOf(story.world).failed).toBeUndefined();
    specAsksFor(story, "b");
    expect(phaseOf(story.world)).toBe("Preparing");
  });
});

describe("a failed revision", () => {
  it("is not tried again by itself, whatever happens to pods, load or time", () => {
    const story = given();
    specAsksFor(story, "b");
    podFault(story, "b", "CrashLoop");
    story.world.needed = 6;
    timePasses(story, 10_000);
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Aborted", failed: { revision: "b" } });
    expect(story.world.revisions).toMatchObject({ a: { wanted: 6 }, b: { wanted: 0 } });
    expect(story.last?.summary).toContain("was rolled back (CrashLoop");
  });
});

describe("an edited plan", () => {
  it("finds its step again by name and counts its new hold from the same moment", () => {
    const story = given();
    canaryAt(story, 0);
    timePasses(story, 4);
    planBecomes(story, { steps: [step("tenth", 10), step("half", 50, { hold: "1m" }), step("all", 100)] });
    evidenceSays(story, "ProvedBelow");
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ stepName: "all", stepIndex: 2 });
  });

  it("with a lower weight for the present step goes back without losing capacity", () => {
    const story = given();
    canaryAt(story, 1);
    planBecomes(story, { steps: [step("half", 50), step("most", 60), step("all", 100)] });
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "most", weight: 60 });
    expect(story.world.revisions).toMatchObject({ a: { wanted: 3 }, b: { wanted: 4 } });
    planBecomes(story, { steps: [step("half", 50), step("most", 20), step("all", 100)] });
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", weight: 20 });
    expect(story.world.revisions).toMatchObject({ a: { wanted: 4 }, b: { wanted: 1 } });
  });

  it("without the present step falls to the last one that is not above the weight in force", () => {
    const story = given();
    canaryAt(story, 1);
    planBecomes(story, { steps: [step("half", 50), step("nine tenths", 90), step("all", 100)] });
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "half", weight: 50 });
    expect(story.decisions.at(-1)).toMatchObject({ reason: "PlanEdited" });
  });

  const freeze = { name: "year-end", promote: "Refuse" as const, untilMs: undefined };
  const frozen = { freeze, order: undefined, limit: undefined };
  const tenth = step("tenth", 10, { approval: true });
  const rest = [step("half", 50), step("all", 100)];

  it.each([
    ["in a freeze", frozen, "FleetFreeze"],
    ["without one", undefined, "Approval"],
  ])("that leaves only steps above the weight in force leads nobody on, %s", (_name, fleet, reason) => {
    const story = storyOf(worldAtRest({ needed: 4, plan: { steps: [tenth, ...rest] } }));
    canaryAt(story, 0);
    const { revisions } = copyOf(story.world);
    story.world.fleet = fleet;
    planBecomes(story, { steps: rest });
    evidenceSays(story, "ProvedBelow");
    timePasses(story, 600);
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "tenth", weight: 10 });
    expect([story.last?.hold?.reason, story.last?.step?.index]).toEqual([reason, 0]);
    expect(story.world.revisions).toMatchObject({ b: { ready: revisions.b?.ready } });
    story.world.fleet = undefined;
    commanded(story, { action: "promote", revision: "b", step: "tenth" });
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "half", weight: 50 });
  });

  it("that leaves only steps above the weight in force still lets what is worse leave", () => {
    const story = storyOf(worldAtRest({ needed: 4, plan: { steps: [tenth, ...rest] } }));
    canaryAt(story, 0);
    planBecomes(story, { steps: rest });
    evidenceSays(story, "ProvedWorse");
    expect(stateOf(story.world).failed?.reason).toBe("ErrorsProvedWorse");
  });

  /** A step half whose weight was raised from 50 to 75 in a freeze. */
  const goesOnAfterFreeze = (story: ReturnType<typeof given>) => {
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "half", weight: 50 });
    expect(story.last?.hold?.reason).toBe("FleetFreeze");
    story.world.fleet = undefined;
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "half", weight: 75 });
  };

  it("with a higher weight for the present step goes there, but not before a freeze is over", () => {
    const story = given();
    canaryAt(story, 0);
    story.world.fleet = frozen;
    planBecomes(story, { steps: [step("half", 75), step("all", 100)] });
    goesOnAfterFreeze(story);
  });

  it("with a higher weight for the step on the way to it does not go above what it was in a freeze", () => {
    const plan = (weight: number) => ({
      steps: [step("quarter", 25), step("half", weight), step("all", 100)],
    });
    const story = storyOf(worldAtRest({ needed: 4, plan: plan(50) }));
    canaryAt(story, 0);
    story.world.nowMs += 600_000;
    evidenceSays(story, "ProvedBelow");
    expect(stateOf(story.world)).toMatchObject({ phase: "Stepping", stepName: "half" });
    story.world.fleet = frozen;
    planBecomes(story, plan(75));
    goesOnAfterFreeze(story);
  });

  it("that loses a step while it is being taken goes on with what is left", () => {
    const story = given();
    canaryAt(story, 0);
    story.world.nowMs += 600_000;
    evidenceSays(story, "ProvedBelow");
    planBecomes(story, { steps: [step("half", 50), step("all", 100)] });
    podsBecomeReady(story);
    expect(phaseOf(story.world)).toBe("Holding");
    expect(["half", "all"]).toContain(stateOf(story.world).stepName);
  });
});

describe("a refused spec", () => {
  it("starts nothing", () => {
    const story = given();
    story.world.accepted = false;
    specAsksFor(story, "b");
    expect(phaseOf(story.world)).toBe("Stable");
    expect(story.last?.hold?.reason).toBe("NotAccepted");
  });

  it("holds a canary where it is, and lets it leave when it fails", () => {
    const story = given();
    canaryAt(story, 1);
    story.world.accepted = false;
    planBecomes(story, { steps: [step("other", 1)] });
    specAsksFor(story, "nonsense");
    timePasses(story, 600);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", canaryRevision: "b", weight: 75 });
    expect(story.world.revisions).toMatchObject({ a: { wanted: 2 }, b: { wanted: 4 } });
    podFault(story, "b", "OOMKilled");
    podsBecomeReady(story);
    expect(stateOf(story.world).failed?.reason).toBe("OOMKilled");
  });

  it("with nothing running runs nothing", () => {
    const story = given({ revisions: {}, state: undefined, accepted: false, desired: "x" });
    story.world.services = { main: [], stable: [], canary: [] };
    settle(story);
    expect(story.last?.replicas).toEqual({});
    expect(story.last?.hold?.reason).toBe("NotAccepted");
  });
});

describe("whenTooFewPods: Refuse", () => {
  const refuse = { steps: [step("tenth", 10), step("all", 100)], traffic: { whenTooFewPods: "Refuse" } };

  it("refuses a weight that the pods cannot give, with path, value and remedy", () => {
    const story = storyOf(worldAtRest({ plan: refuse, needed: 2 }));
    const outcome = specAsksFor(story, "b");
    expect(phaseOf(story.world)).toBe("Stable");
    expect(outcome.hold?.reason).toBe("TooFewPods");
    expect(outcome.refusal).toEqual({
      path: "spec.rollout.steps[0].weight",
      message:
        "10 cannot be given by 2 pods of the stable version; have at least 9, change the weight, or set spec.rollout.traffic.whenTooFewPods to AddPods.",
    });
    expect(story.decisions.filter(({ reason }) => reason === "TooFewPods")).toHaveLength(1);
  });

  it("starts once there are enough pods", () => {
    const story = storyOf(worldAtRest({ plan: refuse, needed: 9 }));
    specAsksFor(story, "b");
    expect(phaseOf(story.world)).toBe("Preparing");
  });
});

it("a retry that is followed by a supersession does not come back", () => {
  const story = given();
  specAsksFor(story, "b");
  podFault(story, "b", "CrashLoop");
  commanded(story, { action: "retry", revision: "b" });
  expect(stateOf(story.world)).toMatchObject({ phase: "Preparing", canaryRevision: "b" });
  specAsksFor(story, "c");
  podsBecomeReady(story);
  expect(stateOf(story.world)).toMatchObject({ phase: "Holding", canaryRevision: "c" });
  expect(story.world.revisions.b).toMatchObject({ wanted: 0 });
});
