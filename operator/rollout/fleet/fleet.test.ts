import { describe, expect, it } from "vitest";
import {
  canaryAt,
  commanded,
  evidenceSays,
  planBecomes,
  podFault,
  podsAreGone,
  podsBecomeReady,
  type Story,
  settle,
  specAsksFor,
  storyOf,
  timePasses,
} from "../model/story.ts";
import { phaseOf, stateOf, step, T0, worldAtRest } from "../model/world.ts";
import type { FleetFacts } from "./facts.ts";

/** What the fleet does to one rollout, held against the invariants of every pass. */

const steps = [step("half", 50, { hold: "10m" }), step("all", 100, { hold: "0s" })];
const given = (more: Parameters<typeof worldAtRest>[0] = {}) =>
  storyOf(worldAtRest({ needed: 2, plan: { steps }, ...more }));

const none: FleetFacts = { freeze: undefined, order: undefined, limit: undefined };
const END = T0 + 7 * 86_400_000;
const frozen = (promote: "Refuse" | "Allow" = "Refuse"): FleetFacts => ({
  ...none,
  freeze: { name: "year-end", promote, untilMs: END },
});
const says = (story: Story, fleet: FleetFacts) => {
  story.world.fleet = fleet;
  return settle(story);
};
const full = { ...none, limit: "There is no place." };

describe("a change without a place", () => {
  it("waits, says why, and starts by itself when there is one", () => {
    const story = given({ fleet: full });
    specAsksFor(story, "b");
    expect(phaseOf(story.world)).toBe("Stable");
    expect(story.last).toMatchObject({
      hold: { reason: "FleetLimit" },
      summary: expect.stringContaining("no place"),
    });
    expect(story.world.revisions.b).toBeUndefined();
    expect(story.decisions.map(({ reason }) => reason)).toEqual(["FleetLimit"]);
    says(story, none);
    expect(phaseOf(story.world)).toBe("Preparing");
    expect(stateOf(story.world).queued).toBeUndefined();
  });

  it("keeps its time whatever revision the spec comes to ask for, and loses it where nothing is asked for", () => {
    const story = given({ fleet: full });
    specAsksFor(story, "b");
    const { queued } = stateOf(story.world);
    expect(queued).toEqual({ revision: "b", since: new Date(T0).toISOString() });
    timePasses(story, 30);
    says(story, { ...none, order: "Others first." });
    specAsksFor(story, "c");
    expect(stateOf(story.world).queued).toEqual({ ...queued, revision: "c" });
    specAsksFor(story, "a");
    expect(stateOf(story.world).queued).toBeUndefined();
  });

  it("gives up its turn while its own spec keeps it from starting", () => {
    const story = given({ fleet: full });
    specAsksFor(story, "b");
    planBecomes(story, { paused: true });
    expect(story.last?.hold?.reason).toBe("Paused");
    expect(stateOf(story.world).queued).toBeUndefined();
  });

  it("queues already while the version before it is watched, and lets that watch go on", () => {
    const story = given({ plan: { steps, watchAfter: "10m" } });
    canaryAt(story, 1);
    timePasses(story, 10);
    evidenceSays(story, "ProvedBelow");
    podsBecomeReady(story);
    expect(phaseOf(story.world)).toBe("Watching");
    says(story, full);
    specAsksFor(story, "c");
    expect(story.last?.hold?.reason).toBe("FleetLimit");
    const { queued } = stateOf(story.world);
    timePasses(story, 10);
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", queued });
    says(story, none);
    expect(stateOf(story.world)).toMatchObject({ phase: "Preparing", canaryRevision: "c" });
  });

  it("queues already while pods of the version before end their streams", () => {
    const story = given({ slowDrain: true });
    canaryAt(story, 1);
    timePasses(story, 10);
    evidenceSays(story, "ProvedBelow");
    podsBecomeReady(story);
    expect(phaseOf(story.world)).toBe("Draining");
    says(story, full);
    specAsksFor(story, "c");
    const { queued } = stateOf(story.world);
    expect(queued?.revision).toBe("c");
    timePasses(story, 5);
    podsAreGone(story);
    expect(phaseOf(story.world)).toBe("Stable");
    expect(stateOf(story.world).queued).toEqual(queued);
  });

  it("is no matter for a first version", () => {
    const story = given({ state: undefined, revisions: {}, desired: "a", fleet: { ...full, ...frozen() } });
    podsBecomeReady(story);
    expect(phaseOf(story.world)).toBe("Stable");
  });

  it("is no matter for a canary that runs", () => {
    const story = given();
    canaryAt(story, 0);
    says(story, full);
    timePasses(story, 10);
    evidenceSays(story, "ProvedBelow");
    podsBecomeReady(story);
    expect(stateOf(story.world).stepName).toBe("all");
  });
});

describe("a freeze", () => {
  it("lets nothing start, and says until when", () => {
    const story = given({ fleet: frozen() });
    specAsksFor(story, "b");
    expect(story.last?.hold).toEqual({
      reason: "FleetFreeze",
      message: 'Freeze "year-end" of the administrator holds rollouts until 2026-01-08T00:00:00Z.',
    });
    expect(story.last?.wakeAtMs).toBe(END);
  });

  it("holds a canary at its step, whose clocks and evidence go on", () => {
    const story = given();
    canaryAt(story, 0);
    says(story, frozen());
    timePasses(story, 60);
    evidenceSays(story, "ProvedBelow");
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "half" });
    expect(story.last).toMatchObject({ hold: { reason: "FleetFreeze" }, wakeAtMs: expect.any(Number) });
    expect(story.traffic.at(-1)).toEqual(["a", "b"]);
    says(story, none);
    expect(stateOf(story.world).stepName).toBe("all");
  });

  it("keeps a canary whose pods are ready out of the Service", () => {
    const story = given();
    specAsksFor(story, "b");
    says(story, frozen());
    podsBecomeReady(story);
    expect(phaseOf(story.world)).toBe("Preparing");
    expect(story.last?.hold?.reason).toBe("FleetFreeze");
    says(story, none);
    expect(phaseOf(story.world)).toBe("Holding");
  });

  it("keeps no canary from leaving", () => {
    const worse = given();
    canaryAt(worse, 0);
    says(worse, frozen());
    evidenceSays(worse, "ProvedWorse");
    expect(phaseOf(worse.world)).toBe("Aborted");

    const broken = given();
    canaryAt(broken, 1);
    says(broken, frozen());
    podFault(broken, "b", "OOMKilled");
    podsBecomeReady(broken);
    expect(phaseOf(broken.world)).toBe("Aborted");

    const unwanted = given();
    canaryAt(unwanted, 0);
    says(unwanted, frozen());
    commanded(unwanted, { action: "abort", revision: "b" });
    expect(phaseOf(unwanted.world)).toBe("Aborted");
  });

  it("does not let what is undecided for long proceed, but end", () => {
    const plan = { steps, analysis: { inconclusive: { after: "1h", action: "Proceed" } } };
    const story = given({ plan });
    canaryAt(story, 0);
    says(story, frozen());
    timePasses(story, 24 * 60);
    expect(stateOf(story.world).stepName).toBe("half");
  });

  it("comes before a person's promote, unless the administrator allows that", () => {
    const story = given();
    canaryAt(story, 0);
    says(story, frozen());
    const promote = { action: "promote", revision: "b", step: "half" } as const;
    expect(commanded(story, promote).commandResult).toMatchObject({
      result: "Refused",
      message: expect.stringContaining('Freeze "year-end" of the administrator holds rollouts until'),
    });
    says(story, frozen("Allow"));
    expect(commanded(story, promote).commandResult?.result).toBe("Done");
    expect(stateOf(story.world).stepName).toBe("all");
    // The next step is another one to release.
    expect(story.last?.hold?.reason).toBe("FleetFreeze");
  });

  it("that began after a release holds what was released", () => {
    const story = given();
    specAsksFor(story, "b");
    commanded(story, { action: "promote", revision: "b", step: "half" });
    says(story, frozen());
    podsBecomeReady(story);
    expect(phaseOf(story.world)).toBe("Preparing");
  });
});

describe("a promote of a change that waits", () => {
  const promote = { action: "promote", revision: "b" } as const;

  it("starts it in a freeze where the administrator allows that, and takes it into the Service", () => {
    const story = given({ fleet: frozen("Allow") });
    specAsksFor(story, "b");
    expect(commanded(story, promote).commandResult).toMatchObject({
      result: "Done",
      message: expect.stringContaining('released from freeze "year-end"'),
    });
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "half" });
    timePasses(story, 10);
    evidenceSays(story, "ProvedBelow");
    expect(story.last?.hold?.reason).toBe("FleetFreeze");
  });

  it("is worth nothing in another freeze, for another revision, or for a place", () => {
    const story = given({ fleet: frozen() });
    specAsksFor(story, "b");
    expect(commanded(story, promote).commandResult?.result).toBe("Refused");
    says(story, frozen("Allow"));
    const other = { ...promote, revision: "c" };
    expect(commanded(story, other).commandResult?.message).toContain("revision b waits");
    says(story, full);
    expect(commanded(story, promote).commandResult).toMatchObject({ result: "Refused", message: full.limit });
    expect(phaseOf(story.world)).toBe("Stable");
  });

  it("ends with the revision that it spoke of", () => {
    const story = given({ fleet: { ...frozen("Allow"), limit: full.limit } });
    specAsksFor(story, "b");
    commanded(story, promote);
    expect(story.last?.hold?.reason).toBe("FleetLimit");
    specAsksFor(story, "c");
    expect(story.last?.hold?.reason).toBe("FleetFreeze");
  });
});
