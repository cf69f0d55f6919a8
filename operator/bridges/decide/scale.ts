import { quantityCpus } from "../../api/v1alpha1/scalars.ts";
import { type Alert, alert, DEFAULT_ALERTS } from "../../api/v1alpha1/scaling.ts";
import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import type { AlertStatus, DecisionStatus, LLMBridgeStatus } from "../../api/v1alpha1/status.ts";
import type { RolloutOutcome } from "../../rollout/types.ts";
import { watchedRevision } from "../../rollout/watch.ts";
import { type AlertAction, alertsActed, evaluateAlerts, resumeAlerts } from "../../scaling/alerts.ts";
import { type ScalePlan, scalePlan } from "../../scaling/plan.ts";
import { joinReadings, type PodReading } from "../../scaling/reading.ts";
import { scalingSettings } from "../../scaling/settings.ts";
import { INITIAL_SCALING_STATE } from "../../scaling/state.ts";
import type { Memory } from "../memory.ts";
import type { Snapshot } from "../snapshot.ts";
import { TAKEN_OVER } from "../take-over/observed.ts";
import type { Bounds } from "./bounds.ts";
import { memoryLimitBytes } from "./memory-limit.ts";
import type { StoredRevision } from "./runtime.ts";
import { withoutCopies } from "./without-copies.ts";

export interface ScaleInput {
  readonly snapshot: Snapshot;
  readonly spec: LLMBridgeSpec | undefined;
  readonly bounds: Bounds | undefined;
  readonly accepted: boolean;
  readonly stored: ReadonlyMap<string, StoredRevision>;
  /** What an autoscaler asked for and is not followed to at once. */
  readonly held: NonNullable<LLMBridgeStatus["scaling"]>["held"];
  readonly workerCap: number;
  /** Why the cap is what it is, in words. */
  readonly workerCapReason: string;
}

interface NamedReason {
  readonly name: string;
  readonly message: string;
}

/** How many pods the stable version needs, how many worker threads each, and what the alerts ask for. */
export interface Scale {
  readonly needed: number;
  readonly workers: number;
  readonly decisions: readonly DecisionStatus[];
  readonly hold: NamedReason | undefined;
  /** With the time since when it fires: one that fired before the canary served says nothing about it. */
  readonly rollback: (NamedReason & { readonly sinceMs: number | undefined }) | undefined;
  readonly alertStatuses: readonly AlertStatus[];
  readonly scalingStatus: LLMBridgeStatus["scaling"];
  readonly workersStatus: LLMBridgeStatus["workers"];
  readonly scalingState: Memory["scaling"];
  /** Without the rollback that is asked for: whether that is made is the rollout's to say (`alertsAfter`). */
  readonly alertsState: Memory["alerts"];
}

const DEFAULTS: readonly Alert[] = DEFAULT_ALERTS.map((one) => alert.parse(one));
const AT_REST: ReadonlySet<string | undefined> = new Set([undefined, "Pending", "Stable", "Aborted"]);

/** Scaling and alerts of this pass. While the spec is refused everything stays as it was. */
export function scale(input: ScaleInput): Scale {
  const { snapshot, spec, bounds } = input;
  const { status, memory } = snapshot;
  if (!spec || !bounds || !input.accepted) return unchanged(snapshot);
  const alerts = spec.alerts ?? DEFAULTS;
  const readings = readingsOf(snapshot);
  const canaryRevision = status.rollout?.canaryRevision ?? watchedRevision(status.rollout);
  const judged = evaluateAlerts({
    alerts,
    readings,
    canaryRevision,
    memoryLimitBytes: (revision) => memoryLimitBytes(input.stored.get(revision), spec),
    nowMs: snapshot.nowMs,
    state: memory.alerts ?? resumeAlerts(alerts, status.alerts),
  });
  const plan = scalePlan({
    settings: scalingSettings(spec.scaling),
    specReplicas: spec.replicas,
    readings: withoutCopies(readings, spec.rollout, status.rollout),
    current: {
      replicas: status.scaling?.recommended ?? replicasAtFirst(snapshot, bounds),
      workers: status.workers?.current ?? Math.min(spec.workers.min, input.workerCap),
    },
    workerBounds: { min: spec.workers.min, cap: input.workerCap },
    cpuLimit: quantityCpus(spec.resources.limits.cpu),
    alerts: judged.actions,
    rolloutRunning: !AT_REST.has(status.rollout?.phase),
    otherChangeAtMs: lastStepMs(status),
    nowMs: snapshot.nowMs,
    state: memory.scaling ?? INITIAL_SCALING_STATE,
  });
  const asking = (action: Alert["action"]) =>
    judged.actions.find((one) => one.action === action && (action === "Hold" || one.due));
  const hold = asking("Hold");
  const rollback = canaryRevision === undefined ? undefined : asking("Rollback");
  return {
    needed: plan.replicas,
    workers: plan.workers,
    decisions: [
      ...decisionsOf(plan, snapshot.nowMs),
      ...notices(judged.actions, judged.statuses, snapshot.nowMs),
    ],
    hold: hold && named(hold),
    rollback: rollback && { ...named(rollback), sinceMs: firingSince(rollback.alert, judged.statuses) },
    alertStatuses: judged.statuses,
    scalingStatus: scalingStatus(plan, spec, input.held),
    workersStatus: {
      current: plan.workers,
      cap: input.workerCap,
      // Where there can be no worker thread, what they are doing says nothing.
      reason: (input.workerCap === 0 ? input.workerCapReason : plan.workerRecommendation.message).slice(
        0,
        200,
      ),
    },
    scalingState: plan.state,
    alertsState: alertsActed(judged.state, plan.acted, snapshot.nowMs),
  };
}

/** The alerts' clocks once it is known what the rollout did: one that asked for a rollback has acted if that was made for it. */
export function alertsAfter(
  { alertsState, rollback }: Scale,
  { decisions }: Pick<RolloutOutcome, "decisions">,
  nowMs: number,
): Memory["alerts"] {
  const isObeyed = decisions.some(({ action, reason }) => action === "Rollback" && reason === "Alert");
  return alertsState && rollback && isObeyed ? alertsActed(alertsState, [rollback.name], nowMs) : alertsState;
}

/** Where something is taken over, what serves is as large as it was until demand says otherwise. */
function replicasAtFirst({ deployments }: Snapshot, { minReplicas, maxReplicas }: Bounds): number {
  const old = deployments.find(({ revision }) => revision === TAKEN_OVER)?.replicas ?? 0;
  return Math.max(minReplicas, Math.min(old, maxReplicas));
}

function unchanged({ status, memory, deployments }: Snapshot): Scale {
  const stable = deployments.find((one) => one.revision === status.rollout?.stableRevision);
  return {
    needed: status.scaling?.recommended ?? stable?.replicas ?? 0,
    workers: status.workers?.current ?? 0,
    decisions: [],
    hold: undefined,
    rollback: undefined,
    alertStatuses: status.alerts,
    scalingStatus: status.scaling,
    workersStatus: status.workers,
    scalingState: memory.scaling,
    alertsState: memory.alerts,
  };
}

/** Pods that are ready or may become so, with what the metrics know of them. */
function readingsOf(snapshot: Snapshot): PodReading[] {
  const pods = snapshot.pods
    .filter((pod) => !pod.finished && !pod.terminating)
    .map((pod) => ({ pod: pod.name, revision: pod.revision, ready: pod.ready }));
  return joinReadings(pods, snapshot.fleet.kind === "ok" ? snapshot.fleet.value : []);
}

function named(action: { alert: string; message: string }): NamedReason {
  return { name: action.alert, message: action.message };
}

function firingSince(alert: string, statuses: readonly AlertStatus[]): number | undefined {
  const since = statuses.find((one) => one.name === alert)?.since;
  return since === undefined ? undefined : Date.parse(since);
}

/** When the rollout last changed something: one automatic change per object and observation window. */
function lastStepMs(status: LLMBridgeStatus): number | undefined {
  const { rollout } = status;
  return rollout && !AT_REST.has(rollout.phase) ? Date.parse(rollout.phaseSince) : undefined;
}

/** What was held stands in status.scaling; a decision is a change. */
function decisionsOf(plan: ScalePlan, nowMs: number): DecisionStatus[] {
  const { decision } = plan;
  if (!decision || decision.action === "Hold") return [];
  return [{ time: isoTime(nowMs), ...decision, message: decision.message.slice(0, 600) }];
}

/** An alert that only reports does so once, when it begins to fire: to the Events and the last decisions. */
function notices(
  actions: readonly AlertAction[],
  statuses: readonly AlertStatus[],
  nowMs: number,
): DecisionStatus[] {
  return actions
    .filter(({ action, due }) => action === "Notify" && due)
    .map(({ alert: name, message }) => {
      const remedy = statuses.find((one) => one.name === name)?.recommendation;
      const text = `Alert ${name}: ${message}.${remedy ? ` ${remedy}` : ""}`;
      return {
        time: isoTime(nowMs),
        action: "Alert",
        reason: "AlertFiring",
        message: text.slice(0, 600),
        refused: [],
      };
    });
}

const isoTime = (ms: number) => new Date(ms).toISOString();

function scalingStatus(
  plan: ScalePlan,
  spec: LLMBridgeSpec,
  lowered: ScaleInput["held"],
): NonNullable<LLMBridgeStatus["scaling"]> {
  const { recommendation, replicas, decision } = plan;
  const isNews = decision?.action === "Hold" && decision.message !== recommendation?.message;
  const held = isNews ? ` Held: ${decision.message}` : "";
  const fallback =
    lowered === undefined
      ? `spec.replicas is followed in ${spec.scaling.mode} mode.`
      : `spec.replicas was lowered to ${lowered.replicas} while the autoscaler saw a part of the pods; after the rollout it is gone down to one pod at a time.`;
  return {
    recommended: replicas,
    ...(lowered ? { held: lowered } : {}),
    ...(recommendation?.demand === undefined ? {} : { demand: recommendation.demand.toFixed(1) }),
    ...(recommendation?.capacityPerPod === undefined
      ? {}
      : { capacityPerPod: recommendation.capacityPerPod.toFixed(1) }),
    message: `${recommendation?.message ?? fallback}${held}`.slice(0, 300),
  };
}
