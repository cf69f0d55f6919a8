import { describe, expect, it } from "vitest";
import {
  canaryAt,
  commanded,
  evidenceSays,
  planBecomes,
  podFault,
  podsBecomeReady,
  podsFail,
  type Story,
  settle,
  specAsksFor,
  storyOf,
  timePasses,
} from "./model/story.ts";
import { phaseOf, stateOf, step, type World, worldAtRest } from "./model/world.ts";

const given = (plan: object, more: Partial<World> = {}): Story =>
  storyOf(
    worldAtRest({ needed: 3, plan: { steps: [step("half", 50), step("all", 100)], ...plan }, ...more }),
  );
const pods = ({ world }: Story, revision: string) => world.revisions[revision]?.wanted ?? 0;
const services = ({ world }: Story) => world.services;

describe("BlueGreen", () => {
  const blueGreen = { strategy: "BlueGreen", preview: { hold: "10m", approval: true } };

  /** The new version has all its pods, and none of the traffic. */
  function previewed(plan: object = {}, more: Partial<World> = {}): Story {
    const story = given({ ...blueGreen, ...plan }, more);
    specAsksFor(story, "b");
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "preview", weight: 0 });
    return story;
  }

  it("shows the new version whole through its own Service, beside a stable version that keeps all of the traffic", () => {
    const story = previewed();
    expect([pods(story, "a"), pods(story, "b")]).toEqual([3, 3]);
    expect(services(story)).toEqual({ main: ["a"], stable: ["a"], canary: ["b"] });
    expect(story.last?.desiredWeights).toEqual({ a: 100, b: 0 });
    expect(story.traffic).toEqual([["a"]]);
  });

  it("waits for its hold, which needs no request, and for approval; then switches in one change", () => {
    const story = previewed();
    expect(story.last?.hold?.reason).toBe("HoldTime");
    timePasses(story, 10);
    expect(story.last?.hold?.reason).toBe("Approval");
    commanded(story, { action: "promote", revision: "b", step: "preview" });
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "all", weight: 100 });
    expect(story.traffic).toEqual([["a"], ["b"]]);
    expect([pods(story, "a"), pods(story, "b")]).toEqual([3, 3]);
    timePasses(story, 5);
    evidenceSays(story, "ProvedBelow");
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "b" });
  });

  it("is back in one change of the selector after the switch", () => {
    const story = previewed();
    commanded(story, { action: "promote", revision: "b", step: "preview" });
    commanded(story, { action: "abort", revision: "b" });
    expect(story.traffic).toEqual([["a"], ["b"], ["a"]]);
    expect(stateOf(story.world)).toMatchObject({ phase: "Aborted", stableRevision: "a" });
  });

  it("never puts a version that is withdrawn before the switch into the Service, not even for missing stable pods", () => {
    const story = previewed();
    podsFail(story, "a", 2);
    podFault(story, "b", "OOMKilled");
    expect(stateOf(story.world)).toMatchObject({ phase: "Aborted", failed: { reason: "OOMKilled" } });
    expect(story.traffic).toEqual([["a"]]);
  });

  it("mixes no versions on its way: it switches when all pods are ready", () => {
    const story = previewed();
    podsFail(story, "b", 1);
    commanded(story, { action: "jump", revision: "b", step: "preview", to: "all" });
    expect(services(story).main).toEqual(["a"]);
    podsBecomeReady(story);
    expect(services(story).main).toEqual(["b"]);
  });

  it("goes back to the preview at a person's word, when the stable version can take all", () => {
    const story = previewed();
    commanded(story, { action: "promote", revision: "b", step: "preview" });
    podsFail(story, "a", 1);
    commanded(story, { action: "jump", revision: "b", step: "all", to: "preview" });
    expect(services(story).main).toEqual(["a", "b"]);
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "preview", weight: 0 });
    expect(services(story).main).toEqual(["a"]);
  });

  it("follows the size of the stable version", () => {
    const story = previewed();
    story.world.needed = 5;
    podsBecomeReady(story);
    expect([pods(story, "a"), pods(story, "b")]).toEqual([5, 5]);
  });

  it("gives way to a stable version that has to grow and no room to, and says what to raise", () => {
    const story = previewed({ preview: { approval: true } }, { maxPods: 9 });
    story.world.needed = 6;
    podsBecomeReady(story);
    expect([pods(story, "a"), pods(story, "b")]).toEqual([6, 3]);
    expect(story.last?.hold).toMatchObject({
      reason: "NoRoom",
      message: expect.stringContaining(
        "Step preview needs 6 pods beside the 6 that serve, but 9 fit within spec.budget.cpu; raise spec.budget.cpu to fit 12.",
      ),
    });
    for (const needed of [8, 9]) {
      story.world.needed = needed;
      podsBecomeReady(story);
      expect([pods(story, "a"), pods(story, "b")]).toEqual([needed, 9 - needed]);
    }
    timePasses(story, 600);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "preview" });
    story.world.needed = 3;
    podsBecomeReady(story);
    expect([pods(story, "a"), pods(story, "b")]).toEqual([3, 3]);
    expect(story.last?.hold?.reason).toBe("Approval");
  });

  it("starts nothing where the pods do not fit twice, and says what to raise", () => {
    const story = given(blueGreen, { maxPods: 5 });
    specAsksFor(story, "b");
    expect(phaseOf(story.world)).toBe("Stable");
    expect(story.last?.hold).toMatchObject({
      reason: "NoRoom",
      message: expect.stringContaining(
        "BlueGreen needs 3 pods beside the 3 that serve, but 5 fit within spec.budget.cpu; raise spec.budget.cpu to fit 6,",
      ),
    });
  });

  it.each([
    ["by itself", undefined, "Stable"],
    ["not with a gate that has not passed", [{ name: "p95", metric: "CpuShare", below: "50%" }], "Holding"],
  ])("is promoted without a proof that nobody could give, %s", (_name, gates, phase) => {
    const story = given({ strategy: "BlueGreen", ...(gates ? { analysis: { gates } } : {}) });
    specAsksFor(story, "b");
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "all", weight: 100 });
    timePasses(story, 5);
    expect(story.last?.hold?.reason).toBe("NoData");
    evidenceSays(story, "Undecided");
    podsBecomeReady(story);
    expect(phaseOf(story.world)).toBe(phase);
  });

  it("asks for proof from the preview's own requests only where the spec says so", () => {
    const story = previewed({ preview: { analysis: "Required" } });
    expect(story.last?.hold?.reason).toBe("NoData");
    evidenceSays(story, "Undecided", { decidedAtMs: story.world.nowMs + 60_000 });
    expect(story.last?.hold?.reason).toBe("Undecided");
    evidenceSays(story, "ProvedBelow", { decidedAtMs: story.world.nowMs + 60_000 });
    expect(stateOf(story.world)).toMatchObject({ stepName: "all" });
  });
});

describe("Immediate", () => {
  it("takes no steps and no evidence, waits for pods, and is not watched", () => {
    const story = given({ strategy: "Immediate", watchAfter: "10m" });
    story.world.metrics = { available: false, message: "no source" };
    specAsksFor(story, "b");
    expect(phaseOf(story.world)).toBe("Preparing");
    expect(services(story).main).toEqual(["a"]);
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "b" });
    expect(story.traffic).toEqual([["a"], ["b"]]);
  });

  it("never falls below the capacity needed where there is room for one more pod only", () => {
    const story = given({ strategy: "Immediate" }, { maxPods: 4 });
    specAsksFor(story, "b");
    // The invariants are checked in each of these passes.
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "b" });
  });

  it("is rolled back when its pods fail or are never ready", () => {
    const story = given({ strategy: "Immediate" });
    specAsksFor(story, "b");
    timePasses(story, 11);
    expect(stateOf(story.world)).toMatchObject({ phase: "Aborted", failed: { reason: "NeverReady" } });
  });
});

describe("a step of weight 0", () => {
  const dark = { steps: [step("dark", 0), step("half", 50), step("all", 100)] };

  it("gives the canary a pod and no traffic, and holds without requests", () => {
    const story = given(dark);
    specAsksFor(story, "b");
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "dark", weight: 0 });
    expect([pods(story, "a"), pods(story, "b")]).toEqual([3, 1]);
    expect(services(story)).toMatchObject({ main: ["a"], canary: ["b"] });
    expect(story.last?.hold?.reason).toBe("HoldTime");
  });

  it("has the pods that the step pins", () => {
    const story = given({ steps: [step("dark", 0, { replicas: 2 }), step("all", 100)] });
    specAsksFor(story, "b");
    podsBecomeReady(story);
    expect([pods(story, "a"), pods(story, "b")]).toEqual([3, 2]);
    story.world.needed = 5;
    podsBecomeReady(story);
    expect([pods(story, "a"), pods(story, "b")]).toEqual([5, 2]);
  });
});

describe("analysis of a step", () => {
  it("Background: no proof is waited for, and what is proved worse leaves all the same", () => {
    const plan = { steps: [step("half", 50, { analysis: "Background" }), step("all", 100)] };
    const story = given(plan);
    canaryAt(story, 0);
    timePasses(story, 6);
    expect(stateOf(story.world).stepName).toBe("all");
    const other = given(plan);
    canaryAt(other, 0);
    evidenceSays(other, "ProvedWorse");
    expect(stateOf(other.world)).toMatchObject({ phase: "Aborted", failed: { reason: "ErrorsProvedWorse" } });
  });

  it("None: what is proved worse does not count, and no request is waited for", () => {
    const story = given(
      { steps: [step("half", 50, { analysis: "None" }), step("all", 100)] },
      { traffic: false },
    );
    canaryAt(story, 0);
    evidenceSays(story, "ProvedWorse");
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "half" });
    timePasses(story, 6);
    // At the next step it counts again.
    expect(stateOf(story.world)).toMatchObject({ failed: { reason: "ErrorsProvedWorse" } });
  });
});

it("a strategy that is changed in the middle goes on where the plan has the same step, or before it", () => {
  const story = given({});
  canaryAt(story, 0);
  const preview = { ...story.world.spec.preview, approval: true };
  planBecomes(story, { strategy: "BlueGreen", preview });
  podsBecomeReady(story);
  settle(story);
  expect(stateOf(story.world)).toMatchObject({ phase: "Holding", canaryRevision: "b", stepName: "preview" });
  expect(services(story).main).toEqual(["a"]);
});

describe("a canary above half whose plan is edited", () => {
  const preview = { hold: "0s", approval: true, analysis: "Background" } as const;
  const most = { preview, steps: [step("most", 90), step("all", 100)] };
  const atMost = (): Story => {
    const story = given(most, { needed: 9 });
    canaryAt(story, 0);
    expect([pods(story, "a"), pods(story, "b")]).toEqual([1, 9]);
    return story;
  };
  const routed = worldAtRest({
    plan: { traffic: { router: "Gateway", route: { parentRefs: [{ name: "public" }] } } },
  });

  it.each<[string, Partial<World["spec"]>, string]>([
    ["to BlueGreen", { strategy: "BlueGreen" }, "preview"],
    ["to router Gateway", { traffic: routed.spec.traffic }, "most"],
  ])("%s stays in the Service until the stable version can take all", (_name, change, stepName) => {
    const story = atMost();
    planBecomes(story, change);
    expect([pods(story, "a"), services(story).main]).toEqual([9, ["a", "b"]]);
    podsBecomeReady(story);
    expect(services(story).main).toEqual(["a"]);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName });
    expect(stateOf(story.world)).not.toHaveProperty("sharesService");
  });

  it("to BlueGreen in a pause stays where it is until that is over", () => {
    const story = atMost();
    planBecomes(story, { strategy: "BlueGreen", paused: true });
    podsBecomeReady(story);
    expect([pods(story, "a"), pods(story, "b"), services(story).main]).toEqual([1, 9, ["a", "b"]]);
    planBecomes(story, { paused: false });
    podsBecomeReady(story);
    expect(services(story).main).toEqual(["a"]);
  });

  it("to BlueGreen on its way to its first weight stays in the Service too", () => {
    const story = given({ preview });
    specAsksFor(story, "b");
    podsBecomeReady(story, "b");
    podsFail(story, "b", 1);
    Object.assign(story.world, { state: { ...stateOf(story.world), phase: "Stepping", weight: 0 } });
    podsFail(story, "a", 1);
    planBecomes(story, { strategy: "BlueGreen" });
    expect([phaseOf(story.world), services(story).main]).toEqual(["Stepping", ["a", "b"]]);
    podsBecomeReady(story);
    expect(services(story).main).toEqual(["a"]);
  });
});

it("BlueGreen without the room for its switch takes no pod from the version that serves", () => {
  const story = given({ strategy: "BlueGreen", preview: { approval: true } }, { needed: 2, maxPods: 6 });
  specAsksFor(story, "b");
  podsBecomeReady(story);
  story.world.needed = 4;
  podsBecomeReady(story);
  commanded(story, { action: "promote", revision: "b", full: true });
  podsBecomeReady(story);
  expect([pods(story, "a"), pods(story, "b"), services(story).main]).toEqual([4, 2, ["a"]]);
  expect(story.last?.hold).toMatchObject({
    reason: "NoRoom",
    message: expect.stringContaining("6 fit within spec.budget.cpu; raise spec.budget.cpu to fit 8."),
  });
});
