import type { Rollout } from "../api/v1alpha1/rollout.ts";
import { durationMs } from "../api/v1alpha1/scalars.ts";
import type { RolloutStatus } from "../api/v1alpha1/status.ts";

/** A step of the plan, in numbers. */
export interface PlanStep {
  name: string;
  index: number;
  /** Steps in all. */
  count: number;
  weight: number;
  holdMs: number;
  approval: boolean;
}

export function stepAt(spec: Rollout, index: number): PlanStep {
  const at = Math.max(0, Math.min(index, spec.steps.length - 1));
  const step = spec.steps[at];
  if (!step) throw new Error("a plan has at least one step");
  return {
    name: step.name,
    index: at,
    count: spec.steps.length,
    weight: step.weight,
    holdMs: durationMs(step.hold),
    approval: step.approval,
  };
}

export const lastStep = (spec: Rollout): PlanStep => stepAt(spec, spec.steps.length - 1);

/**
 * The step a rollout is at, found by its name, since a plan may be edited while it runs. A step that was removed is taken to be the last one whose
 * weight is not above the weight in force, so that an edit never raises the weight by itself.
 */
export function presentStep(spec: Rollout, state: RolloutStatus): PlanStep {
  const named = spec.steps.findIndex((step) => step.name === state.stepName);
  if (named >= 0) return stepAt(spec, named);
  const inForce = state.weight ?? 0;
  return stepAt(
    spec,
    spec.steps.findLastIndex((step) => step.weight <= inForce),
  );
}
