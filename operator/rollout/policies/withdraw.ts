import { durationMs } from "../../api/v1alpha1/scalars.ts";
import { atMs } from "../clock.ts";
import type { Context } from "../context.ts";
import { faultText } from "../faults.ts";
import { FAILED_OUTSIDE } from "../gates/withdrawals.ts";
import { clause } from "../sentence.ts";
import type { AbortReason, ContainerFault, FaultReason } from "../types.ts";
import { first, type Policy } from "./first.ts";
import { isInconclusive, isMissingTooLong } from "./inconclusive.ts";
import { awaited, firstHold } from "./proceed.ts";
import { signalVerdict, violatedGate } from "./verdicts.ts";
import type { Withdrawal } from "./withdrawal.ts";

/** Why the canary must leave now, if it must: the first policy that says so. None of them waits for a pause to end. */
export const whyWithdraw: Policy<Withdrawal> = (context) => first(POLICIES, context);

/** The spec has moved on. Not asked while the spec is refused: then it says nothing. */
const superseded: Policy<Withdrawal> = ({ input, state }) => {
  const { desired } = input;
  if (!input.accepted || desired.revision === state.canaryRevision) return undefined;
  return desired.revision === state.stableRevision
    ? { reason: "Reverted", message: `the spec is back at revision ${desired.revision}, which is stable` }
    : { reason: "Superseded", message: `the spec asks for revision ${desired.revision} instead` };
};

/**
 * A version whose containers fail is withdrawn whatever `onFailure` says: its pods give no capacity to hold on to.
 */
const containerFault: Policy<Withdrawal> = (context) => {
  const fault = decisiveFault(context.canary.faults, context.nowMs);
  return fault && { reason: fault.reason, message: faultText(fault) };
};

export function decisiveFault(faults: readonly ContainerFault[], nowMs: number): ContainerFault | undefined {
  return faults
    .filter((fault) => fault.decisiveAtMs <= nowMs)
    .sort((a, b) => a.decisiveAtMs - b.decisiveAtMs)[0];
}

/** An alert that fired before the canary served a request cannot be its doing, and must not stand in the way of the cure. */
export const alert: Policy<Withdrawal> = ({ input, state }) => {
  const { rollback } = input.alerts;
  const since = atMs(state.evidenceSince);
  if (!rollback || since === undefined) return undefined;
  if (rollback.sinceMs !== undefined && rollback.sinceMs < since) return undefined;
  return { reason: "Alert", message: `alert ${rollback.name} asks for it: ${rollback.message}` };
};

const provedWorse =
  (signal: "errors" | "latency", reason: AbortReason): Policy<Withdrawal> =>
  (context) => {
    if (!judgedToRollBack(context)) return undefined;
    const verdict = signalVerdict(context, signal);
    return verdict?.category === "ProvedWorse" ? { reason, message: verdict.message } : undefined;
  };

const gateViolated: Policy<Withdrawal> = (context) => {
  if (!judgedToRollBack(context)) return undefined;
  const gate = violatedGate(context);
  return gate && { reason: "GateViolated", message: `gate ${gate.name}: ${gate.message}` };
};

const judgedToRollBack = ({ input, state }: Context): boolean =>
  input.spec.onFailure === "Rollback" && state.evidenceSince !== undefined;

/** Readiness that does not come, or was lost and does not come back. */
const deadline: Policy<Withdrawal> = (context) => {
  const { canary, clockMs, state, input } = context;
  const ends = deadlineMs(context);
  if (ends === undefined || clockMs < ends) return undefined;
  const lost = state.phase === "Holding";
  const because = canary.faults[0] ? ` (${canary.faults[0].message})` : "";
  return {
    reason: lost ? "LostReadiness" : "NeverReady",
    message: `its pods ${lost ? "lost their readiness and did not regain it" : "were not ready"} within progressDeadline ${input.spec.progressDeadline}${because}`,
  };
};

const NO_PLACE: ReadonlySet<FaultReason> = new Set(["Unschedulable", "NotCreated"]);

/** Pods that lack no more than a place in the cluster, or a sandbox and volumes: one a fault, but of those that are refused there is none to name. */
function withoutPlace({ canary }: Context): number {
  const placeless = canary.faults.filter(({ reason }) => NO_PLACE.has(reason)).length;
  const isRefused = canary.faults.some(({ reason }) => reason === "PodsRefused");
  return placeless + (isRefused ? Math.max(0, canary.wantedReplicas - canary.pods) : 0);
}

/**
 * When the present wait for the canary's readiness is too long; undefined while nothing is waited for, or while all that is missing is a place for pods of a
 * version that has others ready. Pods beside them that lost their readiness are not excused by that.
 */
export function deadlineMs(context: Context): number | undefined {
  const { state, input, canary, target } = context;
  const since = atMs(state.waitingSince);
  const asked = Math.min(target.canary, canary.wantedReplicas || 1);
  if (since === undefined || canary.ready >= asked) return undefined;
  const isExcused = canary.ready > 0 && canary.ready + withoutPlace(context) >= asked;
  if (state.phase === "Holding" && isExcused) return undefined;
  return since + durationMs(input.spec.progressDeadline);
}

const inconclusive: Policy<Withdrawal> = (context) => {
  const { after, action } = context.input.spec.analysis.inconclusive;
  if (action !== "Rollback" || !isInconclusive(context)) return undefined;
  if (firstHold(context)?.reason !== "Inconclusive") return undefined;
  return { reason: "Inconclusive", message: `undecided for ${after} beyond the hold${lacking(context)}` };
};

const noData: Policy<Withdrawal> = (context) => {
  const { after, action } = context.input.spec.analysis.noData;
  if (action !== "Rollback" || !isMissingTooLong(context)) return undefined;
  if (!isHeldForData(context)) return undefined;
  return { reason: "NoData", message: `no evidence for ${after}${lacking(context)}` };
};

/** What is to be rolled back as proved worse once the source answers is held as such meanwhile, and lacks data all the same. */
function isHeldForData(context: Context): boolean {
  const held = firstHold(context)?.reason;
  const isWorse = held === "ProvedWorse" || held === "GateViolated";
  return held === "NoDataTooLong" || (isWorse && judgedToRollBack(context));
}

/** What was waited for in vain, without the hold's advice: a person decides nothing any more. */
function lacking(context: Context): string {
  const waited = awaited(context);
  return waited ? `: ${clause(waited.message)}` : "";
}

const POLICIES: readonly Policy<Withdrawal>[] = [
  superseded,
  containerFault,
  alert,
  provedWorse("errors", "ErrorsProvedWorse"),
  provedWorse("latency", "LatencyProvedWorse"),
  gateViolated,
  ...FAILED_OUTSIDE,
  deadline,
  inconclusive,
  noData,
];
