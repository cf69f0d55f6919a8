import { describe, expect, it } from "vitest";
import { rolloutStatus } from "../api/v1alpha1/status.ts";
import { advanceRollout } from "./advance.ts";
import { canaryAt, podsBecomeReady, reconcile, settle, storyOf, timePasses } from "./model/story.ts";
import { copyOf, inputOf, judged, phaseOf, stateOf, step, worldAtRest, write } from "./model/world.ts";
import { recoverState } from "./recover.ts";

const plan = { steps: [step("half", 50), step("most", 75), step("all", 100)] };
const given = (more: Parameters<typeof worldAtRest>[0] = {}) =>
  storyOf(worldAtRest({ plan, needed: 4, ...more }));

describe("an operator that restarts", () => {
  it("decides the same from the same input, and changes nothing of it", () => {
    const story = given();
    canaryAt(story, 1);
    const input = inputOf(story.world);
    const before = JSON.stringify(input);
    expect(advanceRollout(input)).toEqual(advanceRollout(structuredClone(input)));
    expect(JSON.stringify(input)).toBe(before);
  });

  it("that died before it stored the state decides the same again", () => {
    const story = given();
    canaryAt(story, 0);
    story.world.verdicts = judged(story.world, "ProvedWorse");
    const lost = copyOf(story.world);
    const outcome = advanceRollout(inputOf(lost));
    write(lost, { ...outcome, state: undefined });
    expect(stateOf(lost).phase).toBe("Holding");
    const again = advanceRollout(inputOf(lost));
    expect(again.state?.phase).toBe("Aborting");
    expect(again.replicas).toEqual(outcome.replicas);
    expect(again.services).toEqual(outcome.services);
  });

  it("that died after any of its writes in a promotion ends it with the same versions", () => {
    for (const done of [0, 1, 2]) {
      const story = given();
      canaryAt(story, 2);
      story.world.nowMs += 600_000;
      story.world.verdicts = judged(story.world, "ProvedBelow");
      const { state, ...rest } = advanceRollout(inputOf(story.world));
      if (done > 0) write(story.world, { ...rest, state: undefined });
      if (done > 1) write(story.world, { ...rest, state });
      settle(story);
      expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "b" });
    }
  });

  it("neither lengthens nor shortens a hold", () => {
    const story = given();
    canaryAt(story, 0);
    timePasses(story, 3);
    const stored = JSON.parse(JSON.stringify(story.world.state));
    story.world.state = rolloutStatus.parse(stored);
    expect(reconcile(story).step?.holdUntilMs).toBe(story.world.nowMs + 2 * 60_000);
  });
});

describe("a stored state", () => {
  it("of an older operator, with fewer fields, is gone on with", () => {
    const old = {
      phase: "Holding",
      phaseSince: "2026-01-01T00:00:00Z",
      stepIndex: 0,
      stableRevision: "a",
      canaryRevision: "b",
    };
    const story = given({ state: rolloutStatus.parse(old), desired: "b" });
    story.world.revisions.b = { wanted: 4, ready: 4, unready: 0, terminating: 0, fault: undefined };
    story.world.services = { main: ["a", "b"], stable: ["a"], canary: ["b"] };
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "half", weight: 50 });
  });

  it("of a newer operator keeps what is known of it", () => {
    const newer = {
      phase: "Stable",
      phaseSince: "2026-01-01T00:00:00Z",
      stableRevision: "a",
      invented: { later: 1 },
    };
    expect(rolloutStatus.parse(newer)).toEqual({
      phase: "Stable",
      phaseSince: "2026-01-01T00:00:00Z",
      stableRevision: "a",
    });
  });

  it("with an unknown phase moves nothing, in any direction", () => {
    const story = given();
    canaryAt(story, 1);
    const before = { services: story.world.services, revisions: structuredClone(story.world.revisions) };
    expect(rolloutStatus.safeParse({ ...stateOf(story.world), phase: "Baking" }).success).toBe(false);
    story.world.state = { unreadable: "the phase Baking is not known" };
    story.world.verdicts = judged(story.world, "ProvedWorse");
    story.world.needed = 9;
    const outcome = settle(story);
    expect(outcome.hold).toMatchObject({
      reason: "UnreadableState",
      message: expect.stringContaining("Baking"),
    });
    expect(outcome).toMatchObject({ state: undefined, services: undefined, tracks: undefined });
    expect({ services: story.world.services, revisions: story.world.revisions }).toEqual(before);
  });
});

describe("a state that is lost", () => {
  it("at rest is read from the Deployments' tracks", () => {
    const story = given();
    const input = { ...inputOf(story.world), state: undefined };
    expect(advanceRollout(input).state).toMatchObject({ phase: "Stable", stableRevision: "a" });
  });

  it("during a canary leads it back without losing capacity, and starts it again", () => {
    const story = given();
    canaryAt(story, 1);
    const input = inputOf(story.world);
    const { a, b } = input.revisions;
    if (!a || !b) throw new Error("both versions run");
    const revisions = { a: { ...a, track: "production" as const }, b: { ...b, track: "canary" as const } };
    const outcome = advanceRollout({ ...input, revisions, state: undefined });
    expect(outcome.state).toMatchObject({ phase: "Aborting", stableRevision: "a", canaryRevision: "b" });
    expect(outcome.services?.main).toEqual(["a", "b"]);
    write(story.world, outcome);
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", canaryRevision: "b", stepName: "half" });
  });

  it("does not take a canary for the stable version because that one is down", () => {
    const story = given();
    canaryAt(story, 1);
    const input = inputOf(story.world);
    const { a, b } = input.revisions;
    if (!a || !b) throw new Error("both versions run");
    const revisions = {
      a: { ...a, ready: 0, track: "production" as const },
      b: { ...b, track: "canary" as const },
    };
    const { state, services } = advanceRollout({ ...input, revisions, state: undefined });
    expect(state).toMatchObject({ phase: "Aborting", stableRevision: "a" });
    expect(services?.main).toContain("b");
  });

  it("of a first version that never was ready is tried on", () => {
    const story = given({ needed: 2 });
    const { a } = inputOf(story.world).revisions;
    if (!a) throw new Error("a is known");
    const revisions = { a: { ...a, ready: 0, track: "production" as const } };
    const { state } = advanceRollout({ ...inputOf(story.world), revisions, state: undefined });
    expect(state).toMatchObject({ phase: "Pending", canaryRevision: "a" });
  });
});

describe("what is read from Deployments", () => {
  const facts = (wantedReplicas: number, ready: number, more: object = {}) => ({
    exists: true,
    wantedReplicas,
    pods: ready,
    ready,
    terminating: 0,
    image: "",
    faults: [],
    createdMs: 0,
    ...more,
  });
  const production = { track: "production" };
  it.each([
    ["nothing of a new bridge", {}, { phase: "Pending", canaryRevision: "c" }],
    ["one that serves", { a: facts(2, 2, production) }, { phase: "Stable", stableRevision: "a" }],
    ["one that serves and bears no label", { a: facts(2, 2) }, { phase: "Stable", stableRevision: "a" }],
    [
      "the labelled one, though another has more ready pods",
      { a: facts(4, 1, production), b: facts(4, 4) },
      { phase: "Aborting", stableRevision: "a", canaryRevision: "b", weight: 100 },
    ],
    [
      "of two without labels the one with more ready pods",
      { a: facts(1, 1), b: facts(4, 4) },
      { phase: "Aborting", stableRevision: "b", canaryRevision: "a" },
    ],
    [
      "the labelled one though it is down, beside one that runs",
      { a: facts(4, 0, production), b: facts(4, 0) },
      { phase: "Aborting", stableRevision: "a", canaryRevision: "b" },
    ],
    [
      "a first version that never was ready",
      { a: facts(4, 0, production) },
      { phase: "Pending", canaryRevision: "a" },
    ],
    [
      "nothing of what never was ready",
      { a: facts(4, 0), b: facts(4, 0) },
      { phase: "Pending", canaryRevision: "c" },
    ],
    [
      "no canary of one without pods",
      { a: facts(2, 2), b: facts(0, 0) },
      { phase: "Stable", stableRevision: "a" },
    ],
    [
      "nothing of one that is gone, nor of a baseline",
      { a: facts(2, 2), b: facts(4, 4, { exists: false }), "a-baseline": facts(4, 4) },
      { phase: "Stable", stableRevision: "a" },
    ],
  ])("is %s", (_, revisions, state) => {
    const input = { ...inputOf(worldAtRest({ desired: "c" })), state: undefined, revisions };
    const recovered = recoverState(input as Parameters<typeof recoverState>[0]);
    expect(recovered).toMatchObject(state);
    expect(recovered.phaseSince).toBe("2026-01-01T00:00:00.000Z");
    const waits = recovered.phase === "Stable" ? undefined : recovered.phaseSince;
    expect(recovered.waitingSince).toBe(waits);
  });

  it("tries nothing while the spec is refused", () => {
    const input = { ...inputOf(worldAtRest({ accepted: false })), state: undefined, revisions: {} };
    expect(recoverState(input)).not.toHaveProperty("canaryRevision");
  });
});

it("rests without asking to be woken", () => {
  const story = given();
  expect(settle(story).wakeAtMs).toBeUndefined();
  expect(phaseOf(story.world)).toBe("Stable");
});
