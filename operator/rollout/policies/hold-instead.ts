import type { Rollout } from "../../api/v1alpha1/rollout.ts";
import type { AbortReason } from "../types.ts";

/** Why a canary that leaves does not hold where it is instead: the clause of a decision that says what was refused. */
export function whyNotHold({ onFailure }: Pick<Rollout, "onFailure">, reason: AbortReason): string {
  switch (reason) {
    case "ErrorsProvedWorse":
    case "LatencyProvedWorse":
    case "GateViolated":
    case "GateFailed":
      return `spec.rollout.onFailure is ${onFailure}`;
    case "Inconclusive":
      return "spec.rollout.analysis.inconclusive.action is Rollback";
    case "NoData":
      return "spec.rollout.analysis.noData.action is Rollback";
    case "GateNoData":
      return "noData of the gate is Rollback";
    case "Alert":
      return "the alert's action is Rollback";
    case "NeverReady":
    case "LostReadiness":
      return "spec.rollout.progressDeadline is over";
    default:
      return "pods that fail give no capacity to hold on to, whatever spec.rollout.onFailure says";
  }
}
