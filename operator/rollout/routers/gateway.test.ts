import { describe, expect, it } from "vitest";
import { podsBecomeReady, specAsksFor, storyOf, timePasses } from "../model/story.ts";
import { stateOf, step, worldAtRest } from "../model/world.ts";

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
