import { type Considered, type Proposal, propose, type ScalePlanInput } from "./proposals.ts";
import { type Recommendation, recommendReplicas } from "./replicas.ts";
import { type ScalingState, scaled } from "./state.ts";
import { recommendWorkers, type WorkerRecommendation } from "./worker-threads.ts";

/** An automatic change: what, why, the numbers, and what else was considered. */
interface ScalingDecision {
  action: "ScaleUp" | "ScaleDown" | "Hold";
  reason: string;
  message: string;
  refused: string[];
}

export interface ScalePlan {
  replicas: number;
  workers: number;
  /** What was changed, or what was wanted and could not be (Hold); absent when nothing is wanted. */
  decision: ScalingDecision | undefined;
  /** Alerts whose action was carried out; to be noted with `alertsActed`. */
  acted: string[];
  /** Absent in Fixed and External mode. */
  recommendation: Recommendation | undefined;
  workerRecommendation: WorkerRecommendation;
  state: ScalingState;
}

/** One automatic change per object in this time: two scrapes, so that its effect is in the numbers before the next. */
export const OBSERVATION_WINDOW_MS = 30_000;

/**
 * Replicas and worker threads by demand, waiting jobs and alerts, in this order: bounds of the spec, growth by demand,
 * growth by alerts, growth for waiting jobs, then shrinking, which yields to anything that asks for more. Alerts move worker
 * threads first, then replicas. One automatic change per observation window, but that growth by demand may follow growth by
 * demand: the sum that it rests on does not depend on the number of pods.
 */
export function scalePlan(input: ScalePlanInput): ScalePlan {
  const managed = input.settings.mode === "Managed";
  const replicas = managed ? input.current.replicas : input.specReplicas;
  const recommendation = managed
    ? recommendReplicas({ ...input, current: replicas, state: input.state })
    : undefined;
  const workerRecommendation = recommendWorkers({
    readings: input.readings,
    bounds: input.workerBounds,
    current: input.current.workers,
    cpuLimit: input.cpuLimit,
    scaleDownWindowMs: input.settings.scaleDownWindowMs,
    nowMs: input.nowMs,
    state: recommendation?.state ?? input.state,
  });
  const considered: Considered = {
    ...input,
    current: { ...input.current, replicas },
    recommendation,
    workers: workerRecommendation,
  };
  const proposals = propose(considered);
  const chosen = proposals.find((proposal) => proposal.refused === undefined && !waits(proposal, input));
  return {
    replicas: chosen?.what === "Replicas" ? chosen.to : replicas,
    workers: chosen?.what === "Workers" ? chosen.to : input.current.workers,
    decision: decisionOf(chosen, proposals, input),
    acted: chosen ? actedAlerts(chosen, input) : [],
    recommendation,
    workerRecommendation,
    state: stateAfter(chosen, replicas, workerRecommendation.state, input),
  };
}

/** True while a change must wait for the effect of the last one. */
function waits(proposal: Proposal, { state, nowMs, otherChangeAtMs }: ScalePlanInput): boolean {
  if (proposal.byBounds) return false;
  const recent = (atMs: number | undefined) => atMs !== undefined && nowMs - atMs < OBSERVATION_WINDOW_MS;
  if (recent(otherChangeAtMs)) return true;
  if (!state.lastChange || !recent(state.lastChange.atMs)) return false;
  return !(isDemandGrowth(proposal) && state.lastChange.kind === "DemandGrowth");
}

function isDemandGrowth({ reason }: Proposal): boolean {
  return reason === "DemandAboveTarget" || reason === "Burst";
}

function decisionOf(
  chosen: Proposal | undefined,
  proposals: readonly Proposal[],
  input: ScalePlanInput,
): ScalingDecision | undefined {
  const waiting = proposals.find((proposal) => proposal.refused === undefined);
  const first = chosen ?? waiting ?? proposals[0];
  if (!first) return undefined;
  const before = chosen ? proposals.slice(0, proposals.indexOf(chosen)) : proposals;
  const refused = before.map(
    (each) => `${describe(each)}: ${each.refused ?? "the last change is not observed yet"}`,
  );
  const from = first.what === "Replicas" ? input.current.replicas : input.current.workers;
  const change = `${first.what === "Replicas" ? "Replicas" : "Worker threads"} ${from} → ${first.to}: `;
  return {
    action: chosen ? chosen.direction : "Hold",
    reason: chosen || !waiting ? first.reason : "ObservationWindow",
    message: chosen ? `${change}${first.message}` : first.message,
    refused: [...new Set(refused)].slice(0, 6).map((text) => text.slice(0, 200)),
  };
}

function describe({ direction, what }: Proposal): string {
  const amount = direction === "ScaleUp" ? "more" : "fewer";
  return what === "Replicas" ? `${amount} pods` : `${amount} worker threads`;
}

/** Growth by demand answers every alert that asks for more: their cooldowns start with it. */
function actedAlerts(chosen: Proposal, { alerts }: ScalePlanInput): string[] {
  if (chosen.direction === "ScaleUp" && !chosen.byBounds)
    return alerts.filter(({ action, due }) => due && action === "ScaleUp").map(({ alert }) => alert);
  return chosen.alert === undefined ? [] : [chosen.alert];
}

function stateAfter(
  chosen: Proposal | undefined,
  fromReplicas: number,
  state: ScalingState,
  { settings, nowMs }: ScalePlanInput,
): ScalingState {
  if (!chosen) return state;
  const rested = { ...state, workersWaitingSinceMs: undefined, workersIdleSinceMs: undefined };
  const kind = isDemandGrowth(chosen) ? "DemandGrowth" : "Other";
  if (chosen.what === "Workers")
    return chosen.byBounds ? rested : { ...rested, lastChange: { atMs: nowMs, kind } };
  const made = {
    fromReplicas,
    toReplicas: chosen.to,
    kind,
    nowMs,
    windowMs: settings.scaleDownWindowMs,
  } as const;
  const after = scaled(rested, made);
  return chosen.byBounds ? { ...after, lastChange: state.lastChange } : after;
}
