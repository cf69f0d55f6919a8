import type { Rollout, Step } from "../api/v1alpha1/rollout.ts";
import { durationMs } from "../api/v1alpha1/scalars.ts";
import type { RolloutStatus } from "../api/v1alpha1/status.ts";

/** A step of the plan, in numbers. */
export interface PlanStep {
  name: string;
  index: number;
  /** Steps in all. */
  count: number;
  weight: number;
  /** Percent of the requests that are copied to the canary; 0: none. */
  mirror: number;
  holdMs: number;
  approval: boolean;
  analysis: Step["analysis"];
  /** Proof that the canary is no worse can be asked for, since the two versions serve at the same time, here or at a step before. */
  provable: boolean;
  /** Names of gates whose verdict comes from outside. */
  gates: readonly string[];
  /** Pods of the canary, where the step says so. All: as many as the stable version needs. */
  replicas: number | "All" | undefined;
}

/** BlueGreen's steps: before the switch, and after it. */
const PREVIEW = "preview";

type Planned = Omit<Step, "replicas"> & { replicas?: number | "All" | undefined };

/** The steps that a strategy takes. */
export function stepsOf({ strategy, steps, preview }: Rollout): readonly Planned[] {
  const last = steps.at(-1);
  if (!last) throw new Error("a plan has at least one step");
  switch (strategy) {
    case "Canary":
      return steps;
    case "BlueGreen":
      return [{ ...preview, name: PREVIEW, weight: 0, replicas: "All" }, last];
    case "Immediate":
      return [{ name: last.name, weight: 100, hold: "0s", approval: false, analysis: "None" }];
  }
}

/** Whether both versions get requests at a step, of clients or copies of them. */
export const servesBoth = ({ weight, mirror = 0 }: Planned): boolean =>
  weight < 100 && (weight > 0 || mirror > 0);

/** Whether requests of the two versions can be compared at a step: those of another moment prove nothing, and at 100% only the canary has any. */
const isCompared = (step: Planned): boolean =>
  servesBoth(step) || (step.weight < 100 && step.analysis === "Required");

const isProvable = (steps: readonly Planned[], index: number): boolean =>
  steps.slice(0, index + 1).some(isCompared);

/** The step at which the proof that the plan asks for is to be gathered; undefined where it asks for none, or no step could give it. */
export function provingStep(spec: Rollout): PlanStep | undefined {
  const steps = stepsOf(spec).map((_, index) => stepAt(spec, index));
  const asking = steps.find(({ weight, analysis }) => weight > 0 && analysis === "Required");
  return asking?.weight === 100 ? steps.find(({ weight }) => weight > 0 && weight < 100) : asking;
}

export function stepAt(spec: Rollout, index: number): PlanStep {
  const steps = stepsOf(spec);
  const at = Math.max(0, Math.min(index, steps.length - 1));
  const step = steps[at];
  if (!step) throw new Error("a plan has at least one step");
  return {
    name: step.name,
    index: at,
    count: steps.length,
    weight: step.weight,
    mirror: step.mirror ?? 0,
    holdMs: durationMs(step.hold),
    approval: step.approval,
    analysis: step.analysis,
    provable: isProvable(steps, at),
    gates: step.gates ?? [],
    replicas: step.replicas,
  };
}

/**
 * The canary has pods and none of the traffic: a step of weight 0 is in force, or being prepared. It is reached through its own Service.
 */
export const isDark = (at: { readonly step: PlanStep; readonly state: RolloutStatus }): boolean =>
  at.step.weight === 0 && !serves(at.state);

/** The canary has some of the traffic, by a weight in force or on its way to its first one. */
export const serves = ({ weight, sharesService }: RolloutStatus): boolean =>
  (weight ?? 0) > 0 || sharesService === true;

/** BlueGreen's canary on its way to the switch, where traffic goes by pods: nobody is led to it before all of them are ready. */
export const waitsForSwitch = ({
  input,
  state,
}: {
  readonly input: { readonly spec: Rollout };
  readonly state: RolloutStatus;
}): boolean =>
  input.spec.strategy === "BlueGreen" && input.spec.traffic.router === "Replicas" && !serves(state);

/** A hold counts from the canary's first requests, where it is to have some. */
export const needsRequests = ({ weight, mirror, analysis }: PlanStep): boolean =>
  (weight > 0 || mirror > 0) && analysis !== "None";

/** "25%", or "0%, 10% mirrored". */
export const shareText = ({ weight, mirror }: PlanStep): string =>
  mirror > 0 ? `${weight}%, ${mirror}% mirrored` : `${weight}%`;

export const lastStep = (spec: Rollout): PlanStep => stepAt(spec, stepsOf(spec).length - 1);

/**
 * The step a rollout is at, found by its name, since a plan may be edited while it runs. A step that was removed is taken to be the last one whose
 * weight is not above the weight in force, so that the removal never raises the weight by itself. Where each has more, a canary that holds stays where it
 * is until a person leads it on; on its way it goes to the first, as what was to be proved before was.
 */
export function presentStep(spec: Rollout, state: RolloutStatus): PlanStep {
  const steps = stepsOf(spec);
  const named = steps.findIndex((step) => step.name === state.stepName);
  if (named >= 0) return stepAt(spec, named);
  const { weight: inForce = 0, stepName } = state;
  const notAbove = steps.findLastIndex((step) => step.weight <= inForce);
  if (notAbove >= 0 || state.phase !== "Holding" || stepName === undefined) return stepAt(spec, notAbove);
  return removed(stepName, inForce, steps.length);
}

/** Before the first step of the plan there is. What is proved worse at it acts. */
const removed = (name: string, weight: number, count: number): PlanStep => ({
  ...{ name, index: -1, count, weight, mirror: 0, holdMs: 0 },
  ...{ approval: true, analysis: "Background", provable: false, gates: [], replicas: undefined },
});

export const isRemoved = ({ index }: PlanStep): boolean => index < 0;
