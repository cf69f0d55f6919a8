import { afterAll, describe, expect, it } from "vitest";
import { editsOf } from "./model/edits.ts";
import { explore, stagesOfPromotion } from "./model/explore.ts";
import { step, T0, type World, worldAtRest } from "./model/world.ts";

/** Worlds seen per row. `EXPLORE_WORLDS=100000` looks further (about a minute a row). */
const BOUND = Number(process.env.EXPLORE_WORLDS ?? 1200);

const told: string[] = [];
afterAll(() => console.log(told.join("\n")));

const small = (needed: number, weights: number[], more: Partial<World> = {}, router = "Replicas"): World =>
  worldAtRest({
    needed,
    plan: {
      traffic: { router },
      progressDeadline: "10m",
      watchAfter: "10m",
      analysis: { inconclusive: { after: "10m", action: "Pause" } },
      steps: weights.map((weight, index) => step(`s${index}`, weight)),
    },
    ...more,
  });

const withPlan = (world: World, change: Partial<World["spec"]>): World => ({
  ...world,
  spec: { ...world.spec, ...change },
});

/** The first step names a gate that is asked with it, the last one that is asked after the evidence. */
const gated = (world: World): World => {
  const gate = { webhook: { receiver: "evals" }, deadline: "10m" };
  const { gates } = worldAtRest({
    plan: {
      gates: [
        { name: "first", ...gate },
        { name: "last", ...gate, begin: "AfterEvidence" },
      ],
    },
  }).spec;
  const steps = world.spec.steps.map((one, index) => ({ ...one, gates: [index === 0 ? "first" : "last"] }));
  return withPlan(world, { gates, steps });
};
const beside = (world: World): World => withPlan(world, { baseline: "SameAge" });

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
    const found = explore(stagesOfPromotion(world), BOUND);
    told.push(`${name}: ${found.worlds} worlds, ${found.passes} passes, ${found.depth} events deep`);
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
  ])("%s, edited and scaled on the way", (name, world) => {
    const found = explore(stagesOfPromotion(world), BOUND, editsOf(world));
    told.push(`${name}, edited: ${found.worlds} worlds, ${found.passes} passes, ${found.depth} events deep`);
  });

  it("a first version", () => {
    const nothing = { main: [], stable: [], canary: [] };
    const state = { phase: "Pending" as const, phaseSince: new Date(T0).toISOString() };
    const found = explore([small(2, [50, 100], { revisions: {}, services: nothing, state })], BOUND);
    expect(found.phases).toHaveProperty("Pending");
    expect(found.phases).toHaveProperty("Preparing");
  });
});
