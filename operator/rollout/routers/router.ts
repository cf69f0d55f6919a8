import type { Rollout } from "../../api/v1alpha1/rollout.ts";
import type { Context } from "../context.ts";
import type { Refusal, ServiceTargets } from "../types.ts";

/**
 * How a weight becomes traffic. One file per router, all of them pure; `routers.test.ts` holds every one against the same promises.
 *
 * The engine decides when the canary goes on and when it leaves, a router what that means for pods and Services.
 */
export interface Router {
  /** Pods of both versions that give a weight. Together never fewer than are needed. */
  split(input: SplitInput): Split;
  /** A weight of the plan that the pods cannot give, where the user wants neither other pods nor another weight. */
  refusal(context: Context): Refusal | undefined;
  /** Revisions that each Service selects in this pass. */
  services(context: Context): ServiceTargets;
}

export interface SplitInput {
  /** Stable pods needed without a rollout. */
  needed: number;
  /** Percent of the traffic for the canary, 0 to 100. */
  weight: number;
  /** Most pods of both versions together. */
  maxPods: number;
  whenTooFewPods: Rollout["traffic"]["whenTooFewPods"];
}

export interface Split {
  /** Pods of the stable version that serve; 0 at 100 % where it serves no more. */
  stable: number;
  canary: number;
  /** Why the weight is not what was asked for; undefined if it is, within one pod. */
  limit?: "TooFewPods" | "MaxPods";
}
