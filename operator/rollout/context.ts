import type { Rollout } from "../api/v1alpha1/rollout.ts";
import type { RolloutStatus } from "../api/v1alpha1/status.ts";
import type { PlanStep } from "./plan.ts";
import type { Hold, Refusal, RevisionFacts, RolloutInput, ServiceTargets } from "./types.ts";

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

/** Pods of every version that a step asks for. */
export type Target = Split & { readonly baseline: number };

/**
 * How a weight becomes traffic. One file per router, all of them pure; `routers/routers.test.ts` holds every one against the same promises.
 *
 * The engine decides when the canary goes on and when it leaves, a router what that means for pods and Services.
 */
export interface Router {
  /** Pods of both versions that give a weight. Together never fewer than are needed. */
  split(input: SplitInput): Split;
  /** A weight of the plan that the pods cannot give, where the user wants neither other pods nor another weight. */
  refusal(context: Context): Refusal | undefined;
  /** Percent of the traffic that the canary is to have in this pass. */
  canaryWeight(context: Context): number;
  /** Percent of the traffic that the pods of a baseline are to have in this pass, out of what the canary does not have. */
  baselineWeight(context: Context, canaryWeight: number): number;
  /** Revisions that each Service selects in this pass. */
  services(context: Context): ServiceTargets;
  /** Percent for the canary's Service in a route; undefined where the Services are all there is. */
  routeWeight(context: Context): number | undefined;
  /** Percent of the requests that a route copies to the canary; 0: none. */
  routeMirror(context: Context): number;
  /** Why no canary is started: this router could not give it its traffic. */
  whyNotStart(context: Context): Hold | undefined;
  /** Why a canary does not go on although its pods are ready: its traffic is not where it should be. */
  whyNotOn(context: Context): Hold | undefined;
  /** Whether the canary is seen to serve at its weight. */
  inEffect(context: Context): boolean;
  /** Whether an aborting canary gets no requests any more, so that its pods may be told to end. */
  hasLeft(context: Context): boolean;
  /** From when on a baseline that leaves gets no requests any more, so that its pods may be told to end. */
  baselineLeftAtMs(context: Context): number;
  /** Until when what was written in this phase may not have come through to clients yet; undefined where nothing is waited for. */
  settlesAtMs(context: Context): number | undefined;
}

export interface SplitInput {
  /** Stable pods needed without a rollout. */
  needed: number;
  /** Percent of the traffic for the canary, 0 to 100. */
  weight: number;
  /** Most pods of both versions together. */
  maxPods: number;
  whenTooFewPods: Rollout["traffic"]["whenTooFewPods"];
  /** Pods of the stable version are wanted that are as many and get as many requests as the canary's. */
  baseline?: boolean;
}

export interface Split {
  /** Pods of the stable version that serve; 0 at 100 % where it serves no more. */
  stable: number;
  canary: number;
  /** Pods of the stable version that the canary is compared with, where these are asked for; a part of its share. */
  baseline?: number;
  /** Why the weight is not what was asked for; undefined if it is, within one pod. */
  limit?: "TooFewPods" | "MaxPods";
}
