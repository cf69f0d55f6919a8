import { readFileSync } from "node:fs";
import { describe, it } from "vitest";
import { EVENTS, type Event } from "./model/events.ts";
import { explore } from "./model/explore.ts";
import { ALERTS, DRAINS, FLEET, REFUSALS, RESTARTS, roomOf } from "./model/outside.ts";
import { PAGE, publisher } from "./model/published.ts";
import { BOUND, beside, gated, small, withAnalysis, withPlan } from "./model/small.ts";
import { stagesOf } from "./model/stages.ts";
import { step, type World } from "./model/world.ts";

const publish = publisher(readFileSync(PAGE, "utf8"), BOUND);

type Events = Readonly<Record<string, Event>>;
const two = (router?: string, more: Partial<World> = {}) => small(2, [50, 100], more, router);
const tight = { maxPods: 4, slowDrain: true };

describe("every small world keeps the promises whatever is said and done outside of it", () => {
  it.each<[string, World, Events]>([
    ["alerts", two(), ALERTS],
    ["alerts, by a gateway", two("Gateway"), ALERTS],
    ["a spec that is refused", two(), REFUSALS],
    ["a spec that is refused, by a gateway", two("Gateway"), REFUSALS],
    ["the fleet's order, limit and freezes", two(), FLEET],
    ["room that comes and goes", two(undefined, { maxPods: 5 }), roomOf(two())],
    ["room that comes and goes, above half", small(3, [75, 100], { maxPods: 7 }), roomOf(small(3, [100]))],
    ["room that comes and goes, by a gateway", two("Gateway", { maxPods: 5 }), roomOf(two())],
    ["room that comes and goes, with a baseline", beside(two(undefined, { maxPods: 5 })), roomOf(two())],
    ["a restart of the stable version", two(undefined, { maxPods: 5 }), RESTARTS],
    ["pods that drain", two(undefined, tight), DRAINS],
    ["pods that drain, above half", small(3, [75, 100], { maxPods: 5, slowDrain: true }), DRAINS],
    ["pods that drain, by a gateway", two("Gateway", tight), DRAINS],
    ["pods that drain, and a baseline", beside(two(undefined, { maxPods: 5, slowDrain: true })), DRAINS],
    [
      "pods that drain, blue and green",
      withPlan(small(2, [100], { maxPods: 5, slowDrain: true }), { strategy: "BlueGreen" }),
      DRAINS,
    ],
    ["a restart while pods drain", two(undefined, tight), { ...RESTARTS, ...DRAINS }],
    ["a pause on failure", withPlan(two(), { onFailure: "Pause" }), {}],
    ["a pause on failure, gates outside", withPlan(gated(two()), { onFailure: "Pause" }), {}],
    ["missing data that may proceed", withAnalysis(two(), { noData: "Proceed" }), {}],
    ["missing data that rolls back", withAnalysis(two(), { noData: "Rollback" }), {}],
    ["undecided evidence that may proceed", withAnalysis(two(), { inconclusive: "Proceed" }), {}],
    ["undecided evidence that rolls back", withAnalysis(two(), { inconclusive: "Rollback" }), {}],
    ["strategy Immediate", withPlan(small(2, [100]), { strategy: "Immediate" }), {}],
    [
      "strategy Immediate, Deployments that lag",
      withPlan(small(3, [100], { maxPods: 4, slowDeployments: true }), { strategy: "Immediate" }),
      {},
    ],
    [
      "strategy Immediate, by a gateway that lags",
      withPlan(small(2, [100], { slowGateway: true }, "Gateway"), { strategy: "Immediate" }),
      {},
    ],
    [
      "steps that ask for no proof",
      withPlan(two(), {
        steps: [step("s0", 50, { analysis: "None" }), step("s1", 100, { analysis: "Background" })],
      }),
      ALERTS,
    ],
  ])("%s", (name, world, more) => {
    const found = explore(stagesOf(world), { bound: BOUND, events: { ...EVENTS, ...more } });
    publish(name, found);
  });
});
