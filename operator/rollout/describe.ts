import type { Phase, RolloutStatus } from "../api/v1alpha1/status.ts";
import { atMs } from "./clock.ts";
import type { Context } from "./context.ts";
import { faultText } from "./faults.ts";
import { holdEndsMs } from "./policies/inconclusive.ts";
import { isReleased } from "./policies/proceed.ts";
import { decisiveFault } from "./policies/withdraw.ts";
import type { RolloutOutcome } from "./types.ts";
import { watchedRevision } from "./watch.ts";

/** Parts of an outcome that only describe. */

const FORWARD: readonly Phase[] = ["Preparing", "Stepping", "Holding"];

export const hasCanary = ({ state }: Context): boolean => FORWARD.includes(state.phase);

export function stepOf(context: Context): RolloutOutcome["step"] {
  if (!hasCanary(context)) return undefined;
  const { step, state } = context;
  return {
    name: step.name,
    index: Math.max(0, step.index),
    count: step.count,
    weight: step.weight,
    holdUntilMs: state.phase === "Holding" ? holdEndsMs(context) : undefined,
    needsApproval: step.approval && !isReleased(context),
  };
}

/** Evidence is gathered over all steps of one attempt, from the moment the canary entered the Service. */
export function evidenceOf({ state }: Context, before: RolloutStatus): RolloutOutcome["evidence"] {
  const sinceMs = atMs(state.evidenceSince);
  const watched = watchedRevision(state);
  if (watched !== undefined)
    return { action: "watch", revision: watched, sinceMs: atMs(state.phaseSince) ?? 0 };
  const gathers = state.phase === "Stepping" || state.phase === "Holding";
  if (!gathers || sinceMs === undefined || state.canaryRevision === undefined) return { action: "stop" };
  const action = before.evidenceSince === state.evidenceSince ? "continue" : "start";
  return { action, revision: state.canaryRevision, sinceMs };
}

export function canaryHealthOf(context: Context): RolloutOutcome["canaryHealth"] {
  if (!hasCanary(context)) return undefined;
  const { canary, target, nowMs } = context;
  const fault = decisiveFault(canary.faults, nowMs) ?? canary.faults[0];
  const healthy = canary.ready >= target.canary && fault === undefined;
  const message = fault ? faultText(fault) : healthy ? "all pods are ready" : "pods are not ready yet";
  return { ready: canary.ready, wanted: target.canary, healthy, message };
}
