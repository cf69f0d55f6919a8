import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { EVENTS, type Event } from "./model/events.ts";
import { explore } from "./model/explore.ts";
import { ALERTS, DRAINS, FLEET, REFUSALS, RESTARTS, roomOf } from "./model/outside.ts";
import { PAGE, publisher } from "./model/published.ts";
import { BOUND, beside, gated, small, withAnalysis, withPlan } from "./model/small.ts";
import { stagesOf, wayThrough } from "./model/stages.ts";
import { phaseOf, step, type World } from "./model/world.ts";

const publish = publisher(readFileSync(PAGE, "utf8"), BOUND);

type Events = Readonly<Record<string, Event>>;
const two = (router?: string, more: Partial<World> = {}) => small(2, [50, 100], more, router);
const tight = { maxPods: 4, slowDrain: true };

/** Every pod of the stable version is replaced: a third one starts, and each of the two goes when it can be spared. */
const RESTARTED = [
  ...["restart", "ready a", "pass", "evicted", "ready a", "pass", "evicted", "ready a"],
  ...["pass", "pass"],
];
/** Pods of versions that a bound may not reach. */
const RARE = /gone (c|.*-baseline)/;

describe("every small world keeps the promises whatever is said and done outside of it", () => {
  it.each<[string, World, Events, decided: readonly string[], way?: readonly string[]]>([
    ["alerts", two(), ALERTS, ["Hold AlertHold", "Rollback Alert"]],
    ["alerts, by a gateway", two("Gateway"), ALERTS, ["Hold AlertHold", "Rollback Alert"]],
    ["a spec that is refused", two(), REFUSALS, ["Hold NotAccepted"]],
    ["a spec that is refused, by a gateway", two("Gateway"), REFUSALS, ["Hold NotAccepted"]],
    [
      "the fleet's order, limit and freezes",
      two(),
      FLEET,
      ["Hold FleetOrder", "Hold FleetLimit", "Hold FleetFreeze"],
    ],
    ["room that comes and goes", two(undefined, { maxPods: 5 }), roomOf(two()), ["Hold NoRoom"]],
    [
      "room that comes and goes, above half",
      small(3, [75, 100], { maxPods: 7 }),
      roomOf(small(3, [100])),
      ["Hold NoRoom"],
    ],
    [
      "room that comes and goes, by a gateway",
      two("Gateway", { maxPods: 5 }),
      roomOf(two()),
      ["Hold NoRoom"],
    ],
    [
      "room that comes and goes, with a baseline",
      beside(two(undefined, { maxPods: 5 })),
      roomOf(two()),
      ["Hold NoRoom"],
    ],
    [
      "a restart of the stable version",
      two(undefined, { maxPods: 5 }),
      RESTARTS,
      ["Restart Command", "Finish Restarted"],
      RESTARTED,
    ],
    ["pods that drain", two(undefined, tight), DRAINS, []],
    ["pods that drain, above half", small(3, [75, 100], { maxPods: 5, slowDrain: true }), DRAINS, []],
    ["pods that drain, by a gateway", two("Gateway", tight), DRAINS, []],
    ["pods that drain, and a baseline", beside(two(undefined, { maxPods: 5, slowDrain: true })), DRAINS, []],
    [
      "pods that drain, blue and green",
      withPlan(small(2, [100], { maxPods: 5, slowDrain: true }), { strategy: "BlueGreen" }),
      DRAINS,
      [],
    ],
    [
      "a restart while pods drain",
      two(undefined, tight),
      { ...RESTARTS, ...DRAINS },
      ["Restart Command", "Finish Restarted"],
      [...RESTARTED.slice(0, 4), "ready a", "tick"],
    ],
    ["a pause on failure", withPlan(two(), { onFailure: "Pause" }), {}, ["Hold ProvedWorse"]],
    [
      "a pause on failure, gates outside",
      withPlan(gated(two()), { onFailure: "Pause" }),
      {},
      ["Hold GateFailed"],
    ],
    [
      "missing data that may proceed",
      withAnalysis(two(), { noData: "Proceed" }),
      {},
      ["Step StepPassed"],
      ["missing", "tick", "tick"],
    ],
    [
      "missing data that rolls back",
      withAnalysis(two(), { noData: "Rollback" }),
      {},
      ["Rollback NoData"],
      ["missing", "tick", "tick"],
    ],
    [
      "undecided evidence that may proceed",
      withAnalysis(two(), { inconclusive: "Proceed" }),
      {},
      ["Step StepPassed"],
      ["undecided", "tick", "tick", "tick"],
    ],
    [
      "undecided evidence that rolls back",
      withAnalysis(two(), { inconclusive: "Rollback" }),
      {},
      ["Rollback Inconclusive"],
      ["undecided", "tick", "tick", "tick"],
    ],
    ["strategy Immediate", withPlan(small(2, [100]), { strategy: "Immediate" }), {}, ["Promote StepPassed"]],
    [
      "strategy Immediate, Deployments that lag",
      withPlan(small(3, [100], { maxPods: 4, slowDeployments: true }), { strategy: "Immediate" }),
      {},
      ["Hold NoRoom"],
    ],
    [
      "strategy Immediate, by a gateway that lags",
      withPlan(small(2, [100], { slowGateway: true }, "Gateway"), { strategy: "Immediate" }),
      {},
      ["Promote StepPassed"],
    ],
    [
      "steps that ask for no proof",
      withPlan(two(), {
        steps: [step("s0", 50, { analysis: "None" }), step("s1", 100, { analysis: "Background" })],
      }),
      ALERTS,
      ["Step StepPassed"],
    ],
  ])("%s", (name, world, more, decided, way = []) => {
    const events = { ...EVENTS, ...more };
    const stages = stagesOf(world);
    const from = way[0] === "restart" ? world : stages.find((one) => phaseOf(one) === "Holding");
    const starts = [...(from ? wayThrough(from, events, way) : []), ...stages];
    const found = explore(starts, { bound: BOUND, events });
    for (const one of decided) expect(found.decided).toContain(one);
    expect(Object.keys(more).filter((event) => !found.met.has(event) && !RARE.test(event))).toEqual([]);
    publish(name, found);
  });
});
