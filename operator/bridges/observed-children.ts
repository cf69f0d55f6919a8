import type { Ending } from "./ending.ts";
import type { ChildKind, ChildObject } from "./plan.ts";

export interface ObservedDeployment {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly revision: string;
  readonly replicas: number;
  readonly track: string | undefined;
  readonly image: string;
  readonly createdMs: number;
  readonly retiredAt: string | undefined;
  /** What was noted of its end when it was retired. */
  readonly ending?: Ending | undefined;
  /** Why the API server refuses its pods: a quota, a policy, Pod Security. */
  readonly refusal?: string;
}

/** Condition of a Deployment whose pods are refused (Kubernetes API, DeploymentConditionType). */
export const REPLICA_FAILURE = "ReplicaFailure";

export interface ObservedChild {
  readonly resource: ChildKind;
  readonly object: ChildObject;
}
