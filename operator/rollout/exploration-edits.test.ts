import { readFileSync } from "node:fs";
import { describe, it } from "vitest";
import { editsOf } from "./model/edits.ts";
import { EVENTS } from "./model/events.ts";
import { explore } from "./model/explore.ts";
import { PAGE, publisher } from "./model/published.ts";
import { BOUND, beside, small, withPlan } from "./model/small.ts";
import { stagesOf } from "./model/stages.ts";
import type { World } from "./model/world.ts";

const publish = publisher(readFileSync(PAGE, "utf8"), BOUND);

describe("every small world whose plan and demand are edited on the way keeps the promises", () => {
  it.each<[string, World]>([
    ["three pods above half", small(3, [10, 75, 100])],
    ["three pods above half, Deployments that lag", small(3, [75, 100], { slowDeployments: true })],
    ["three pods above half and two to spare", small(3, [75, 100], { maxPods: 5 })],
    [
      "two pods, blue and green, and two to spare",
      withPlan(small(2, [100], { maxPods: 6 }), { strategy: "BlueGreen" }),
    ],
    ["three pods and a baseline above half", beside(small(3, [25, 75, 100]))],
    ["three pods by a gateway", small(3, [50, 100], {}, "Gateway")],
  ])("%s", (name, world) => {
    const found = explore(stagesOf(world), {
      bound: BOUND,
      events: { ...EVENTS, ...editsOf(world) },
    });
    publish(`${name}, edited`, found);
  });
});
