import type { Router, Split, SplitInput, Target } from "./context.ts";
import type { PlanStep } from "./plan.ts";

/** Pods that a step asks for. */
export function targetAt(router: Router, step: PlanStep, asked: Omit<SplitInput, "weight">): Target {
  const split = router.split({ ...asked, weight: Math.max(step.weight, step.mirror) });
  return withBaseline(pinned(split, step, asked.needed), step, asked.baseline === true);
}

/**
 * The pods that a step asks for, never fewer than its weight needs. At weight 0 no router gives the canary a pod, and one is there to be looked at.
 */
function pinned(split: Split, { replicas, weight }: PlanStep, needed: number): Split {
  if (needed <= 0 || (replicas === undefined && weight > 0)) return split;
  const asked = replicas === "All" ? needed : (replicas ?? 1);
  const canary = Math.max(split.canary, asked);
  if (!split.baseline) return { ...split, canary };
  // As many for as much of the traffic.
  return { ...split, canary, baseline: Math.ceil((canary * split.baseline) / split.canary) };
}

/** At weight 0 nobody serves beside a canary that does not serve either; its baseline waits with it, so that they are of the same age. */
function withBaseline(split: Split, { weight }: PlanStep, isAsked: boolean): Target {
  return { ...split, baseline: isAsked && weight === 0 ? split.canary : (split.baseline ?? 0) };
}
