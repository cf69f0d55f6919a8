import { step, type World, worldAtRest } from "./world.ts";

/** Worlds seen per row. `EXPLORE_WORLDS=100000` looks further (about a minute a row). */
export const BOUND = Number(process.env.EXPLORE_WORLDS ?? 1200);

export const small = (
  needed: number,
  weights: number[],
  more: Partial<World> = {},
  router = "Replicas",
): World =>
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

export const withPlan = (world: World, change: Partial<World["spec"]>): World => ({
  ...world,
  spec: { ...world.spec, ...change },
});

/** The first step names a gate that is asked with it, the last one that is asked after the evidence. */
export const gated = (world: World): World => {
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
export const beside = (world: World): World => withPlan(world, { baseline: "SameAge" });
