import { describe, expect, it } from "vitest";
import { servedBy } from "../model/served.ts";
import {
  commanded,
  evidenceSays,
  podsBecomeReady,
  podsFail,
  reconcile,
  settle,
  specAsksFor,
  storyOf,
  timePasses,
} from "../model/story.ts";
import { phaseOf, stateOf, step, type World, worldAtRest } from "../model/world.ts";

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
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", routedWeight: 25 });
    expect(stateOf(story.world).servedSince).toBeUndefined();
    timePasses(story, 5 / 60);
    expect(stateOf(story.world).servedSince).toBeDefined();
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
