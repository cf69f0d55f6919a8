import { expect, it } from "vitest";
import { commanded, podsBecomeReady, settle, specAsksFor, storyOf } from "../model/story.ts";
import { step, worldAtRest } from "../model/world.ts";

/** Pods and weights apart: only a gateway can give a weight that the pods do not. */

const traffic = { router: "Gateway", route: { parentRefs: [{ name: "public" }] } };
const steps = [
  step("dark", 0, { replicas: 2 }),
  step("tenth", 10, { replicas: 3 }),
  step("quarter", 25, { replicas: 3 }),
  step("half", 50),
  step("most", 75),
  step("all", 100),
];

it("weights change and a pinned canary does not move; without the pin its pods follow the weight again", () => {
  const story = storyOf(worldAtRest({ needed: 4, plan: { traffic, steps } }));
  specAsksFor(story, "b");
  podsBecomeReady(story);
  const look = () => {
    const { a, b } = story.world.revisions;
    return [story.world.route.followed, a?.ready, b?.ready];
  };
  const seen = [look()];
  for (const { name } of steps.slice(0, -1)) {
    commanded(story, { action: "promote", revision: "b", step: name });
    podsBecomeReady(story);
    settle(story);
    seen.push(look());
  }
  expect(seen).toEqual([
    [0, 4, 2],
    [10, 4, 3],
    [25, 4, 3],
    // Half of four: fewer than were pinned, for more of the traffic.
    [50, 4, 2],
    [75, 4, 3],
    [100, 4, 4],
  ]);
});
