import { step, type World, worldAtRest } from "./world.ts";

/** Worlds seen per row: `EXPLORE_WORLDS`, of which 100000 takes about a minute a row, and `all` or 0 goes on until nothing new is found. */
export const BOUND = boundOf(process.env.EXPLORE_WORLDS);

export function boundOf(asked = "1200"): number {
  const bound = asked === "all" ? 0 : Number(asked);
  if (!Number.isInteger(bound) || bound < 0)
    throw new Error(`EXPLORE_WORLDS is ${asked}, not a number or all`);
  return bound === 0 ? Number.POSITIVE_INFINITY : bound;
}

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
      analysis: {
        inconclusive: { after: "10m", action: "Pause" },
        noData: { after: "10m", action: "Pause" },
      },
      steps: weights.map((weight, index) => step(`s${index}`, weight)),
    },
    ...more,
  });

export const withPlan = (world: World, change: Partial<World["spec"]>): World => ({
  ...world,
  spec: { ...world.spec, ...change },
});

type Action = World["spec"]["analysis"]["noData"]["action"];

/** What is done of too little evidence, and of none. */
export const withAnalysis = (
  world: World,
  { noData = "Pause", inconclusive = "Pause" }: { noData?: Action; inconclusive?: Action },
): World =>
  withPlan(world, {
    analysis: {
      ...world.spec.analysis,
      noData: { after: "10m", action: noData },
      inconclusive: { after: "10m", action: inconclusive },
    },
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
