import type { RolloutStatus } from "../api/v1alpha1/status.ts";
import { baselineOf, hasBaseline } from "./baseline.ts";
import { clockMs } from "./clock.ts";
import type { Context } from "./context.ts";
import { type PlanStep, presentStep } from "./plan.ts";
import { ROUTERS } from "./routers/index.ts";
import { targetAt } from "./target.ts";
import type { RevisionFacts, RolloutInput } from "./types.ts";

const NO_PODS: RevisionFacts = {
  exists: false,
  wantedReplicas: 0,
  pods: 0,
  ready: 0,
  terminating: 0,
  image: "",
  faults: [],
  createdMs: 0,
};

/**
 * Facts of a revision. Of its ready pods only as many count as its Deployment asks for: the others have been told to end by our last write, whether
 * the pods are seen to do so yet or not.
 */
function factsOf(input: RolloutInput, revision: string | undefined): RevisionFacts {
  const facts = (revision === undefined ? undefined : input.revisions[revision]) ?? NO_PODS;
  return facts.ready <= facts.wantedReplicas ? facts : { ...facts, ready: facts.wantedReplicas };
}

/** Pods that exist and hold memory and connections, ready or not, ending or not. */
export const occupied = (facts: RevisionFacts): number =>
  Math.max(facts.wantedReplicas, facts.pods) + facts.terminating;

export const isFrozen = ({ accepted, spec, alerts }: RolloutInput): boolean =>
  !accepted || spec.paused || alerts.hold !== undefined;

/** Neither holds nor deadlines count: it is frozen, or there are no pods, which prove nothing and have failed at nothing. */
export const standsStill = (input: RolloutInput): boolean => isFrozen(input) || input.capacity.needed <= 0;

/** The weight by which an edit in a freeze is judged: that of the step on the way to it, from its entry or from before the freeze. */
export function steppingTo(input: RolloutInput, state: RolloutStatus): number | undefined {
  if (state.phase !== "Stepping") return undefined;
  const isKept = input.fleet?.freeze !== undefined || isFrozen(input);
  return (isKept ? state.stepWeight : undefined) ?? presentStep(input.spec, state).weight;
}

export function contextOf(input: RolloutInput, state: RolloutStatus): Context {
  const { needed, maxPods } = input.capacity;
  const step = stepInForce(input, state);
  const { router: name, whenTooFewPods } = input.spec.traffic;
  const router = ROUTERS[name];
  const { stableRevision, canaryRevision } = state;
  const baselineRevision =
    stableRevision === undefined || canaryRevision === undefined ? undefined : baselineOf(stableRevision);
  const baseline = hasBaseline(state, input.spec);
  const bystanders = Object.entries(input.revisions)
    .filter(([revision]) => ![stableRevision, canaryRevision, baselineRevision].includes(revision))
    .map(([, facts]) => occupied(facts));
  return {
    input,
    state,
    nowMs: input.nowMs,
    clockMs: clockMs(state, input.nowMs),
    frozen: isFrozen(input),
    needed,
    stable: factsOf(input, stableRevision),
    canary: factsOf(input, canaryRevision),
    baseline: factsOf(input, baselineRevision),
    baselineRevision,
    router,
    step,
    target: targetAt(router, step, { needed, maxPods, whenTooFewPods, baseline }),
    room: maxPods - bystanders.reduce((sum, pods) => sum + pods, 0),
  };
}

/**
 * An edited plan is not followed while the spec is refused or the rollout stands still: the step stays as it was, as far as it can be known. Nor does an
 * edit raise its weight in a freeze, nor that of a step on the way to it.
 */
function stepInForce(input: RolloutInput, state: RolloutStatus): PlanStep {
  const step = presentStep(input.spec, state);
  const { phase, weight, stepName, stepWeight } = state;
  if (phase === "Stepping" && input.fleet?.freeze && stepWeight !== undefined && step.weight > stepWeight)
    return { ...step, weight: stepWeight };
  if (phase !== "Holding" || weight === undefined) return step;
  const stays = isFrozen(input) || (input.fleet?.freeze !== undefined && step.weight > weight);
  return stays ? { ...step, name: stepName ?? step.name, weight } : step;
}
