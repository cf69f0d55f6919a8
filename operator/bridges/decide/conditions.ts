import { durationMs } from "../../api/v1alpha1/scalars.ts";
import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import type { Phase } from "../../api/v1alpha1/status.ts";
import { faultText } from "../../rollout/faults.ts";
import { full } from "../../rollout/sentence.ts";
import type { HoldReason, RevisionFacts, RolloutInput, RolloutOutcome } from "../../rollout/types.ts";
import type { ConditionState } from "../conditions.ts";
import type { Snapshot } from "../snapshot.ts";
import { takenOver } from "../take-over/condition.ts";
import type { TakeOverView } from "../take-over/view.ts";
import type { Acceptance } from "./acceptance.ts";

export interface ConditionsInput {
  readonly snapshot: Snapshot;
  readonly spec: LLMBridgeSpec | undefined;
  readonly acceptance: Acceptance;
  readonly outcome: RolloutOutcome;
  readonly route: Omit<ConditionState, "type"> | undefined;
  /** Whether there is all that a rollout under way is judged by. */
  readonly metrics: RolloutInput["metrics"];
  readonly takeOver: TakeOverView | undefined;
  readonly phase: Phase;
  readonly stable: RevisionFacts | undefined;
  readonly stableRevision: string | undefined;
}

/** Every condition of the bridge. They satisfy `kubectl wait --for=condition=Ready` and readers of kstatus (Reconciling, Stalled). */
export function conditions(input: ConditionsInput): ConditionState[] {
  const ready = readiness(input);
  const stalled = stalling(input);
  return [
    ready,
    accepted(input),
    progressing(input),
    metricsAvailable(input),
    scalingActive(input),
    tuningApplied(input),
    ...podMonitorApplied(input),
    ...routeAccepted(input),
    ...takenOver(input.snapshot, input.takeOver, input.outcome.state),
    reconciling(input, ready, stalled),
    stalled,
  ];
}

/** Moving between these two is work in progress; the others are rest. */
const AT_REST: ReadonlySet<Phase> = new Set(["Stable", "Aborted"]);

/** Of a change that these keep from starting no pods are wanted, so that what runs is what is wanted. */
const WANTS_NO_PODS: ReadonlySet<string> = new Set<HoldReason>(["NoPodsNeeded"]);

/** As a Deployment's own availability: a quarter of the pods may be missing while the rest serves. */
const AVAILABLE_SHARE = 0.75;

function readiness({ stable, stableRevision, outcome }: ConditionsInput): ConditionState {
  const type = "Ready";
  if (!stable || stableRevision === undefined) {
    return { type, status: "False", reason: "NoStableVersion", message: outcome.summary };
  }
  // A Deployment that was scaled by somebody else, or is seen as it was made, wants no pods although we do.
  const wanted = stable.wantedReplicas || (outcome.replicas[stableRevision] ?? 0);
  const pods = `${stable.ready} of ${wanted} pods of revision ${stableRevision} are ready.`;
  if (wanted === 0) return { type, status: "True", reason: "ScaledToZero", message: "No pods are wanted." };
  return stable.ready >= Math.max(1, Math.floor(wanted * AVAILABLE_SHARE))
    ? { type, status: "True", reason: "Serving", message: `Serving: ${pods}` }
    : { type, status: "False", reason: "PodsNotReady", message: `${pods}${firstFault(stable)}` };
}

function firstFault(facts: RevisionFacts): string {
  const [fault] = facts.faults;
  return fault ? ` ${full(faultText(fault))}` : "";
}

function accepted({ acceptance, outcome, snapshot: { problem } }: ConditionsInput): ConditionState {
  const type = "Accepted";
  // Said of the bridge, and tried again all the same: what conflicts is found out by writing.
  if (acceptance.accepted && problem?.kind === "NameConflict") {
    return { type, status: "False", reason: "NameConflict", message: problem.message };
  }
  if (acceptance.accepted && outcome.refusal) {
    const message = `${outcome.refusal.path}: ${outcome.refusal.message}`;
    return { type, status: "False", reason: "UnreachableWeight", message };
  }
  return {
    type,
    status: acceptance.accepted ? "True" : "False",
    reason: acceptance.reason,
    message: acceptance.message,
  };
}

function progressing({ outcome, phase }: ConditionsInput): ConditionState {
  const type = "Progressing";
  const failed = outcome.state?.failed;
  if (phase === "Aborted" && failed) {
    return { type, status: "False", reason: "RolledBack", message: `${failed.reason}: ${failed.message}` };
  }
  // What waits for the fleet goes on by itself; what anything else keeps from starting does not progress, and is not complete either.
  if (AT_REST.has(phase) && !outcome.state?.queued)
    return { type, status: "False", reason: outcome.hold?.reason ?? "Complete", message: outcome.summary };
  return { type, status: "True", reason: outcome.hold?.reason ?? phase, message: outcome.summary };
}

function metricsAvailable({ snapshot, metrics }: ConditionsInput): ConditionState {
  const type = "MetricsAvailable";
  if (snapshot.fleet.kind === "ok" && !metrics.available) {
    return { type, status: "False", reason: "EvidenceMissing", message: metrics.message };
  }
  if (snapshot.fleet.kind === "ok") {
    return { type, status: "True", reason: "Answering", message: "The metric source answers." };
  }
  if (snapshot.fleet.reason === "Waiting") return asBefore(snapshot, type, snapshot.fleet.message);
  const { reason, message } = snapshot.fleet;
  return { type, status: "False", reason, message: `${message} Weight and replicas are held.` };
}

/** Nothing new is known: what was said last still holds. */
function asBefore({ status }: Snapshot, type: ConditionState["type"], message: string): ConditionState {
  const said = status.conditions.find((one) => one.type === type);
  return said ? { ...said, type } : { type, status: "Unknown", reason: "Waiting", message };
}

function scalingActive({ spec, snapshot }: ConditionsInput): ConditionState {
  const type = "ScalingActive";
  const mode = spec?.scaling.mode;
  if (mode === undefined)
    return { type, status: "Unknown", reason: "InvalidSpec", message: "The spec cannot be read." };
  if (mode === "Fixed") {
    return { type, status: "False", reason: "Fixed", message: "spec.replicas says how many pods there are." };
  }
  if (mode === "External") {
    return { type, status: "False", reason: "External", message: "Another autoscaler drives spec.replicas." };
  }
  if (snapshot.fleet.kind === "failing" && snapshot.fleet.reason === "Waiting")
    return asBefore(snapshot, type, snapshot.fleet.message);
  return snapshot.fleet.kind === "ok"
    ? { type, status: "True", reason: "Managed", message: "Replicas and worker threads follow demand." }
    : { type, status: "False", reason: "MetricsMissing", message: "Demand is not known; replicas are held." };
}

function tuningApplied({ acceptance, spec }: ConditionsInput): ConditionState {
  const type = "TuningApplied";
  if (spec && acceptance.reason !== "TuningRefused") {
    return {
      type,
      status: "True",
      reason: "Computed",
      message: "NODE_OPTIONS, worker threads and pools follow from the limits.",
    };
  }
  return { type, status: "False", reason: "Refused", message: acceptance.message };
}

/** Said where the administrator asks for PodMonitors; whether there is one stands in nobody's way. */
function podMonitorApplied({ snapshot: { podMonitor, status } }: ConditionsInput): ConditionState[] {
  const type = "PodMonitorApplied";
  if (!podMonitor) return [];
  if (podMonitor.status !== "Unknown") return [{ type, ...podMonitor }];
  return status.conditions.filter((one) => one.type === type).map((said) => ({ ...said, type }));
}

/** Said under router Gateway. While nothing is known of the route, what was said last still holds. */
function routeAccepted({ route, spec, snapshot: { status } }: ConditionsInput): ConditionState[] {
  const type = "RouteAccepted";
  if (route) return [{ type, ...route }];
  if (spec?.rollout.traffic.router === "Replicas") return [];
  return status.conditions.filter((one) => one.type === type).map((said) => ({ ...said, type }));
}

function stalling(input: ConditionsInput): ConditionState {
  const { acceptance, outcome, snapshot, stableRevision, phase } = input;
  const type = "Stalled";
  if (!acceptance.accepted)
    return { type, status: "True", reason: acceptance.reason, message: acceptance.message };
  if (outcome.refusal) {
    return { type, status: "True", reason: "UnreachableWeight", message: outcome.refusal.message };
  }
  if (snapshot.problem && snapshot.problem.kind !== "NotCleanedUp") {
    return { type, status: "True", reason: snapshot.problem.kind, message: snapshot.problem.message };
  }
  const failed = outcome.state?.failed;
  if (failed && (phase === "Aborted" || stableRevision === undefined)) {
    return { type, status: "True", reason: failed.reason, message: failed.message };
  }
  const late = lateFirst(input);
  if (late !== undefined) return { type, status: "True", reason: "NeverReady", message: late };
  return { type, status: "False", reason: "Moving", message: "Nothing stands in the way." };
}

/** Of a first version that is tried on after its deadline: whoever waits for it has to look, as with a Deployment's ProgressDeadlineExceeded. */
function lateFirst({ spec, outcome, snapshot, phase }: ConditionsInput): string | undefined {
  const { hold, state } = outcome;
  if (phase !== "Pending" || hold?.reason !== "PodsNotReady" || !spec) return undefined;
  const since = Date.parse(state?.waitingSince ?? "");
  return snapshot.nowMs >= since + durationMs(spec.rollout.progressDeadline) ? hold.message : undefined;
}

function reconciling(
  { phase, outcome }: ConditionsInput,
  ready: ConditionState,
  stalled: ConditionState,
): ConditionState {
  const type = "Reconciling";
  if (stalled.status === "True")
    return { type, status: "False", reason: "Stalled", message: stalled.message };
  const queued = outcome.state?.queued !== undefined;
  if (!AT_REST.has(phase) || queued)
    return { type, status: "True", reason: queued ? "Queued" : phase, message: outcome.summary };
  const { hold } = outcome;
  if (hold && !WANTS_NO_PODS.has(hold.reason))
    return { type, status: "True", reason: hold.reason, message: outcome.summary };
  return ready.status === "True"
    ? { type, status: "False", reason: "Settled", message: "What runs is what is wanted." }
    : { type, status: "True", reason: ready.reason, message: ready.message };
}
