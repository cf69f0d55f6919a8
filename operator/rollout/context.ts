import type { RolloutStatus } from "../api/v1alpha1/status.ts";
import { baselineOf, hasBaseline } from "./baseline.ts";
import { clockMs } from "./clock.ts";
import { type PlanStep, presentStep } from "./plan.ts";
import { ROUTERS } from "./routers/index.ts";
import type { Router, Split, SplitInput } from "./routers/router.ts";
import type { RevisionFacts, RolloutInput } from "./types.ts";

/** One frozen look at a rollout: what policies and moves read. */
export interface Context {
  readonly input: RolloutInput;
  readonly state: RolloutStatus;
  readonly nowMs: number;
  /** Time by which waits are measured; stands still while paused. */
  readonly clockMs: number;
  /** No step forward and no clock running: paused, held by an alert, or the spec is refused. */
  readonly frozen: boolean;
  readonly needed: number;
  readonly stable: RevisionFacts;
  readonly canary: RevisionFacts;
  /** Pods of the stable version that were started with the canary, to compare it with. */
  readonly baseline: RevisionFacts;
  /** Their name as a revision; undefined without a canary that has a stable version beside it. */
  readonly baselineRevision: string | undefined;
  readonly router: Router;
  /** The present step, or the first one while there is no canary. */
  readonly step: PlanStep;
  /** Pods that give the present step's weight. */
  readonly target: Target;
  /** Pods that the stable version and the canary may have together, now that older revisions still hold theirs. */
  readonly room: number;
}

type Target = Split & { readonly baseline: number };

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

/** A refused spec's plan is not followed: the step stays as it was when the spec was good, as far as it can be known. */
function stepInForce(input: RolloutInput, state: RolloutStatus): PlanStep {
  const step = presentStep(input.spec, state);
  return input.accepted || state.phase !== "Holding" || state.weight === undefined
    ? step
    : { ...step, name: state.stepName ?? step.name, weight: state.weight };
}
