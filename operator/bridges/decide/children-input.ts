import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import type { RolloutOutcome } from "../../rollout/types.ts";
import type { TuningResult } from "../../tuning/tune.ts";
import type { DesiredState } from "../difference.ts";
import type { KeptContent } from "../revision.ts";
import type { Snapshot } from "../snapshot.ts";
import type { TakeOverView } from "../take-over/view.ts";
import type { StoredRevision } from "./runtime.ts";

/** Hot numbers of a revision that the operator grants. */
export interface RuntimeGrant {
  readonly postgresConnections: number;
  readonly redisConnections: number;
  readonly workers: number;
  readonly postgresCeiling: number;
}

export interface ChildrenInput {
  readonly snapshot: Snapshot;
  readonly spec: LLMBridgeSpec | undefined;
  readonly tuning: TuningResult | undefined;
  /** Hash of the present spec, if that is what should run. */
  readonly desiredRevision: string | undefined;
  /** ConfigMaps and Secrets that the desired revision keeps a copy of. */
  readonly kept: KeptContent;
  readonly stored: ReadonlyMap<string, StoredRevision>;
  readonly outcome: RolloutOutcome;
  /** Replicas after the backends' budgets had their say. */
  readonly replicas: Readonly<Record<string, number>>;
  readonly grants: Readonly<Record<string, RuntimeGrant>>;
  readonly historyLimit: number;
  readonly route: DesiredState["route"];
  readonly takeOver: TakeOverView | undefined;
  /** Pods to be touched for another reason than a new generation of their own. */
  readonly touches: DesiredState["podAnnotations"];
}
