import { describe, expect, it } from "vitest";
import { servedBy } from "../model/served.ts";
import {
  canaryAt,
  commanded,
  evidenceSays,
  planBecomes,
  podsBecomeReady,
  podsFail,
  reconcile,
  type Story,
  settle,
  specAsksFor,
  storyOf,
  timePasses,
} from "../model/story.ts";
import { gatewayActs, phaseOf, stateOf, step, type World, worldAtRest } from "../model/world.ts";

/** What router Gateway does beyond what every router promises. */

const atQuarter = (route: object) => {
  const traffic = { router: "Gateway", route: { parentRefs: [{ name: "public" }], ...route } };
  const steps = [step("quarter", 25), step("all", 100)];
  const story = storyOf(worldAtRest({ needed: 4, plan: { traffic, steps } }));
  specAsksFor(story, "b");
  podsBecomeReady(story);
  return story;
};

describe("a weight is in effect", () => {
  it("when the share of the requests is nearer to it than to the weight before", () => {
    expect(stateOf(atQuarter({}).world)).toMatchObject({ phase: "Holding", servedSince: expect.anything() });
  });

  it("where clients keep their version, when the gateway has had the time to follow it, whatever the share", () => {
    const story = atQuarter({ affinity: {} });
    timePasses(story, 5 / 60);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", routedWeight: 25 });
    expect(stateOf(story.world).servedSince).toBeUndefined();
    timePasses(story, 5 / 60);
    expect(stateOf(story.world).servedSince).toBeDefined();
  });
});

describe("where clients draw lots", () => {
  it("the first weight waits until the gateway knows the canary's endpoints, and no later one does", () => {
    const story = atQuarter({ affinity: {} });
    expect(story.world.services.canary).toEqual(["b"]);
    expect(stateOf(story.world)).toMatchObject({ phase: "Stepping", routedWeight: 0 });
    expect(story.last).toMatchObject({ routeWeight: 0, hold: { reason: "WeightNotApplied" } });
    timePasses(story, 4.9 / 60);
    expect(story.last?.routeWeight).toBe(0);
    timePasses(story, 0.1 / 60);
    expect(story.last?.routeWeight).toBe(25);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", weight: 25, routedWeight: 25 });
    commanded(story, { action: "promote", revision: "b", full: true });
    podsBecomeReady(story);
    expect(story.last?.routeWeight).toBe(100);
  });
});

describe("a step that mirrors", () => {
  const mirroring = (more: Partial<World> = {}) => {
    const traffic = { router: "Gateway", route: { parentRefs: [{ name: "public" }] } };
    const steps = [step("copies", 0, { mirror: 50 }), step("all", 100)];
    const story = storyOf(worldAtRest({ needed: 4, plan: { traffic, steps }, ...more }));
    specAsksFor(story, "b");
    podsBecomeReady(story);
    return story;
  };

  it("has the pods that the copies need, gives the canary no weight, and holds from its first copies", () => {
    const story = mirroring();
    expect(story.world).toMatchObject({ mirrored: 50, services: { canary: ["b"] } });
    expect(story.world.revisions).toMatchObject({ a: { ready: 4 }, b: { ready: 2 } });
    expect(story.last).toMatchObject({ desiredWeights: { a: 100, b: 0 }, routeWeight: 0 });
    expect(stateOf(story.world)).toMatchObject({
      phase: "Holding",
      weight: 0,
      servedSince: expect.anything(),
    });
    expect(story.last?.summary).toContain("at step copies (0%, 50% mirrored)");
    expect(story.decisions.map(({ message }) => message)).toContainEqual(
      "Canary b is ready; at step copies (0%, 50% mirrored) it gets copies of requests, and nobody gets its answers.",
    );
  });

  it("waits for copies that do not come, as a weight waits for requests", () => {
    const story = mirroring({ traffic: false });
    timePasses(story, 30);
    expect(story.last?.hold).toMatchObject({ reason: "NoRequests" });
  });

  it("is judged by the canary's answers to the copies, which no client gets", () => {
    const story = mirroring();
    expect(story.last?.evidence).toMatchObject({ revision: "b" });
    evidenceSays(story, "ProvedWorse");
    timePasses(story, 1);
    expect(stateOf(story.world)).toMatchObject({ phase: "Aborted", failed: { reason: "ErrorsProvedWorse" } });
    expect(servedBy(story.world)).toEqual({ revisions: { a: 100 }, nobody: 0 });
  });

  it("copies no more than the ready pods carry, nothing to none, and nothing after the step or an abort", () => {
    const story = mirroring();
    podsFail(story, "b");
    expect(story.world.mirrored).toBe(25);
    podsFail(story, "b");
    expect(story.world).toMatchObject({ mirrored: 0, services: { canary: ["a"] } });
    podsBecomeReady(story);
    expect(story.world.mirrored).toBe(50);
    commanded(story, { action: "promote", revision: "b", step: "copies" });
    podsBecomeReady(story);
    expect(story.world).toMatchObject({ mirrored: 0, state: { stepName: "all", weight: 100 } });

    const other = mirroring();
    commanded(other, { action: "abort", revision: "b" });
    expect(other.world.mirrored).toBe(0);
    timePasses(other, 1);
    expect(phaseOf(other.world)).toBe("Aborted");
  });

  it("stays with its copies until the gateway has said that it takes them, and takes them out for good when it refuses", () => {
    const story = mirroring();
    story.world.slowGateway = true;
    story.world.route = { ...story.world.route, accepted: -1 };
    settle(story);
    expect([story.world.mirrored, story.last?.hold?.reason]).toEqual([50, "RouteNotReady"]);
    story.world.refusal = "UnsupportedValue: no mirrors here.";
    settle(story);
    expect(story.world.mirrored).toBe(0);
    story.world.refusal = undefined;
    story.world.route = { ...story.world.route, accepted: 0 };
    expect(settle(story).hold?.message).toBe(
      "The copies that step copies asks for were taken out of the route: UnsupportedValue: no mirrors here. Remove mirror from the step, or abort and retry.",
    );
    expect(story.world.mirrored).toBe(0);
    commanded(story, { action: "abort", revision: "b" });
    timePasses(story, 1);
    commanded(story, { action: "retry", revision: "b" });
    podsBecomeReady(story);
    timePasses(story, 1);
    podsBecomeReady(story);
    expect(story.world.mirrored).toBe(50);
  });

  it("starts only where the administrator allows it, and copies nothing once that is taken back", () => {
    const story = mirroring({ mayMirror: false });
    expect(phaseOf(story.world)).toBe("Stable");
    expect(story.last?.hold?.message).toContain("settings.httpRoutes.mirroring: Allowed");
    story.world.mayMirror = true;
    podsBecomeReady(story);
    expect(story.world.mirrored).toBe(50);
    story.world.mayMirror = false;
    reconcile(story);
    expect(story.world.mirrored).toBe(0);
    expect(settle(story).hold?.message).toContain("settings.httpRoutes.mirroring: Allowed");
  });
});

describe("a baseline of the same age", () => {
  const B = "a-baseline";
  const beside = (weights: number[], more: Parameters<typeof worldAtRest>[0] = {}, plan: object = {}) => {
    const traffic = { router: "Gateway", route: { parentRefs: [{ name: "public" }] } };
    const steps = [...weights.map((weight) => step(`w${weight}`, weight)), step("all", 100)];
    const told = { traffic, steps, baseline: "SameAge", ...plan };
    return storyOf(worldAtRest({ needed: 4, ...more, plan: told }));
  };
  const at = (weight: number, more: Parameters<typeof worldAtRest>[0] = {}, plan: object = {}) => {
    const story = beside([weight], more, plan);
    canaryAt(story, 0);
    return story;
  };
  const wanted = ({ world }: Story) => ["a", B, "b"].map((one) => world.revisions[one]?.wanted ?? 0);
  const routed = ({ world }: Story) => [world.route.followed, world.beside.followed];

  it.each([
    [1, 1, [4, 1, 1]],
    [20, 20, [4, 1, 1]],
    [33, 33, [4, 2, 2]],
    [34, 33, [4, 2, 2]],
    [50, 25, [4, 1, 2]],
    [75, 13, [4, 1, 3]],
    [98, 1, [4, 1, 4]],
    [99, 1, [4, 1, 4]],
  ])("has at %i%% a weight of %i%%, with the pods for it", (weight, share, pods) => {
    const story = at(weight);
    expect(routed(story)).toEqual([weight, share]);
    expect(wanted(story)).toEqual(pods);
    expect(story.last?.desiredWeights).toEqual({ a: 100 - weight - share, [B]: share, b: weight });
    expect(story.world.services).toEqual({ main: ["a"], stable: ["a"], canary: ["b"], baseline: [B] });
  });

  it("has as many pods as the canary where a step pins those", () => {
    const story = beside([], {}, { steps: [step("tenth", 10, { replicas: 3 }), step("all", 100)] });
    canaryAt(story, 0);
    expect(wanted(story)).toEqual([4, 3, 3]);
  });

  it("is in effect when the requests of both show their weights", () => {
    const story = beside([20], { slowGateway: true });
    specAsksFor(story, "b");
    podsBecomeReady(story);
    const told = () => [phaseOf(story.world), stateOf(story.world).servedSince !== undefined];
    gatewayActs(story.world);
    settle(story);
    expect(told()).toEqual(["Holding", false]);
    gatewayActs(story.world);
    story.world.beside = { ...story.world.beside, followed: 0 };
    settle(story);
    expect(told()).toEqual(["Holding", false]);
    gatewayActs(story.world);
    settle(story);
    expect(told()).toEqual(["Holding", true]);
  });

  it("has no more than its ready pods carry, nothing without one, and its Service never leads to nobody", () => {
    const story = at(33);
    podsFail(story, B, 1);
    expect(routed(story)).toEqual([33, 25]);
    podsFail(story, B, 1);
    expect(routed(story)).toEqual([33, 0]);
    expect(story.world.services.baseline).toEqual(["a"]);
    podsBecomeReady(story);
    expect(routed(story)).toEqual([33, 33]);
    // It follows a canary that loses pods.
    podsFail(story, "b", 1);
    expect(routed(story)).toEqual([25, 25]);
  });

  it("stands in for stable pods where there are none, before the canary does", () => {
    const story = at(20);
    podsFail(story, "a", 4);
    expect(story.world.services).toMatchObject({ main: [B], stable: [B], canary: ["b"], baseline: [B] });
    expect(servedBy(story.world)).toEqual({ revisions: { [B]: 80, b: 20 }, nobody: 0 });
  });

  it("keeps its pods after its last request until a gateway follows: at 100%, and in an abort", () => {
    const last = at(50);
    commanded(last, { action: "promote", revision: "b", step: "w50" });
    podsBecomeReady(last);
    expect(routed(last)).toEqual([100, 0]);
    expect([wanted(last), last.world.services.baseline, last.last?.hold?.reason]).toEqual([
      [4, 1, 4],
      ["a"],
      "WeightNotApplied",
    ]);
    expect(last.last?.wakeAtMs).toBe(last.world.nowMs + 5_000);
    timePasses(last, 5 / 60);
    expect([wanted(last), phaseOf(last.world)]).toEqual([[4, 0, 4], "Holding"]);

    const aborted = at(50);
    commanded(aborted, { action: "abort", revision: "b" });
    expect([routed(aborted), wanted(aborted)]).toEqual([
      [0, 0],
      [4, 1, 2],
    ]);
    timePasses(aborted, 5 / 60);
    expect([wanted(aborted), phaseOf(aborted.world)]).toEqual([[4, 0, 0], "Aborted"]);
  });

  it("serves in an abort in the place of a stable pod that is missing, until that is back", () => {
    const story = at(50);
    podsFail(story, "a", 1);
    commanded(story, { action: "abort", revision: "b" });
    expect(routed(story)).toEqual([0, 25]);
    timePasses(story, 1);
    expect([wanted(story), routed(story), phaseOf(story.world)]).toEqual([[4, 1, 0], [0, 25], "Aborting"]);
    podsBecomeReady(story);
    expect([wanted(story), routed(story)]).toEqual([
      [4, 1, 0],
      [0, 0],
    ]);
    timePasses(story, 5 / 60);
    expect([wanted(story), phaseOf(story.world)]).toEqual([[4, 0, 0], "Aborted"]);
  });

  it("waits for a place in a route of the user's, and says what to write", () => {
    const story = beside([20]);
    story.world.noBaseline = "Name chat-baseline in it.";
    expect(specAsksFor(story, "b").hold).toEqual({
      reason: "RouteNotReady",
      message: "Name chat-baseline in it.",
    });
    story.world.noBaseline = undefined;
    podsBecomeReady(story);
    expect(phaseOf(story.world)).toBe("Holding");
    story.world.noBaseline = "Name chat-baseline in it.";
    expect(settle(story).hold?.message).toBe("Name chat-baseline in it.");
    planBecomes(story, { baseline: "Stable" });
    expect(settle(story).hold?.reason).not.toBe("RouteNotReady");
  });

  it("has no weight raised while the gateways have not taken the route", () => {
    const story = at(20);
    story.world.slowGateway = true;
    podsFail(story, B, 1);
    expect(story.world.beside.written).toBe(0);
    podsBecomeReady(story);
    expect(story.world.beside).toMatchObject({ written: 0, accepted: 20 });
    gatewayActs(story.world);
    podsBecomeReady(story);
    expect(story.world.beside.written).toBe(20);
  });

  it("needs the room of its largest step, and says so", () => {
    const { hold } = specAsksFor(beside([98], { maxPods: 8 }), "b");
    expect(hold).toMatchObject({ reason: "NoRoom" });
    expect(hold?.message).toContain(
      "needs 9 with a baseline beside the canary, but 8 fit within spec.budget.cpu",
    );
    expect(hold?.message).toContain("or set spec.rollout.baseline to Stable.");
    expect(phaseOf(at(98, { maxPods: 9 }).world)).toBe("Holding");
  });
});
