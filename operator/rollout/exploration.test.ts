import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checkedPass, explore } from "./model/explore.ts";
import { PAGE, publisher } from "./model/published.ts";
import { BOUND, beside, gated, small, withPlan } from "./model/small.ts";
import { stagesOf } from "./model/stages.ts";
import { copyOf, step, T0, type World } from "./model/world.ts";

const publish = publisher(readFileSync(PAGE, "utf8"), BOUND);

describe("every small world around every stage of a rollout keeps the promises, and an abort ends from it", () => {
  it.each<[string, World]>([
    ["one pod", small(1, [50, 100])],
    ["two pods with stable pods added for a small weight", small(2, [25, 100])],
    ["three pods", small(3, [50, 100])],
    ["three pods above half", small(3, [75, 100])],
    ["two pods and one to spare", small(2, [50, 100], { maxPods: 3 })],
    ["three pods above half and one to spare", small(3, [75, 100], { maxPods: 4 })],
    ["three pods at once", small(3, [100], { maxPods: 5 })],
    ["two pods, blue and green", withPlan(small(2, [100]), { strategy: "BlueGreen" })],
    [
      "two pods, blue and green, Deployments that lag",
      withPlan(small(2, [100], { slowDeployments: true }), { strategy: "BlueGreen" }),
    ],
    [
      "two pods, blue and green, by a gateway that lags",
      withPlan(small(2, [100], { slowGateway: true }, "Gateway"), { strategy: "BlueGreen" }),
    ],
    ["two pods with a step of weight 0", small(2, [0, 100])],
    ["two pods with a step of weight 0, by a gateway", small(2, [0, 100], {}, "Gateway")],
    ["two pods, Deployments that lag", small(2, [50, 100], { slowDeployments: true })],
    ["three pods above half, Deployments that lag", small(3, [75, 100], { slowDeployments: true })],
    [
      "three pods and one to spare, Deployments that lag",
      small(3, [75, 100], { maxPods: 4, slowDeployments: true }),
    ],
    [
      "two pods with a step that mirrors",
      withPlan(small(2, [0, 100], { slowGateway: true }, "Gateway"), {
        steps: [step("s0", 0, { mirror: 50 }), step("s1", 100)],
      }),
    ],
    ["two pods with gates outside", gated(small(2, [50, 100]))],
    ["one pod and a baseline", beside(small(1, [50, 100]))],
    ["two pods and a baseline", beside(small(2, [50, 100]))],
    ["three pods and a baseline at a small weight", beside(small(3, [25, 100]))],
    ["three pods and a baseline above half", beside(small(3, [25, 75, 100]))],
    ["three pods, a baseline and two to spare", beside(small(3, [50, 100], { maxPods: 5 }))],
    ["two pods and a baseline with a step of weight 0", beside(small(2, [0, 50, 100]))],
    [
      "two pods, a baseline and two to spare, Deployments that lag",
      beside(small(2, [50, 100], { maxPods: 4, slowDeployments: true })),
    ],
    [
      "three pods and a baseline, Deployments that lag",
      beside(small(3, [40, 100], { slowDeployments: true })),
    ],
    ["one pod and a baseline by a gateway", beside(small(1, [50, 100], {}, "Gateway"))],
    ["three pods and a baseline by a gateway", beside(small(3, [25, 100], {}, "Gateway"))],
    [
      "three pods and a baseline above half, by a gateway that lags",
      beside(small(3, [25, 75, 100], { slowGateway: true }, "Gateway")),
    ],
    [
      "two pods, a baseline and two to spare, by a gateway, all lag",
      beside(small(2, [40, 100], { maxPods: 4, slowGateway: true, slowDeployments: true }, "Gateway")),
    ],
    [
      "two pods and a baseline with a step of weight 0, by a gateway",
      beside(small(2, [0, 50, 100], {}, "Gateway")),
    ],
    ["one pod by a gateway", small(1, [50, 100], {}, "Gateway")],
    ["three pods by a gateway", small(3, [50, 100], {}, "Gateway")],
    ["three pods by a gateway that lags", small(3, [50, 100], { slowGateway: true }, "Gateway")],
    [
      "two pods by a gateway, all lag",
      small(2, [40, 100], { slowGateway: true, slowDeployments: true }, "Gateway"),
    ],
  ])("%s", (name, world) => {
    const found = explore(stagesOf(world), { bound: BOUND });
    publish(name, found);
    const phases = [
      "Stable",
      "Preparing",
      "Stepping",
      "Holding",
      "Promoting",
      "Watching",
      "Draining",
      "Aborting",
      "Aborted",
    ];
    for (const phase of phases) expect(found.phases).toHaveProperty(phase);
  });

  it("a first version", () => {
    const nothing = { main: [], stable: [], canary: [] };
    const state = { phase: "Pending" as const, phaseSince: new Date(T0).toISOString() };
    const first = small(2, [50, 100], { revisions: {}, services: nothing, state });
    const found = explore([first, ...servingInPart(first)], { bound: BOUND });
    expect(found.phases).toHaveProperty("Pending");
    expect(found.phases).toHaveProperty("Preparing");
  });
});

/** One of its pods is ready, and the spec asks for another version. */
function servingInPart(first: World): World[] {
  const started = copyOf(first);
  checkedPass(started);
  Object.assign(started.revisions.a ?? {}, { ready: 1, unready: 1 });
  started.desired = "b";
  return [started];
}
