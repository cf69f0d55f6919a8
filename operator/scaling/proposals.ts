import type { AlertAction } from "./alerts.ts";
import type { PodReading } from "./reading.ts";
import { mayLoseOne, type Recommendation } from "./replicas.ts";
import type { ScalingSettings } from "./settings.ts";
import type { ScalingState } from "./state.ts";
import type { WorkerRecommendation } from "./worker-threads.ts";

export interface ScalePlanInput {
  settings: ScalingSettings;
  /** spec.replicas: followed in Fixed and External mode. */
  specReplicas: number;
  /**
   * Every pod that carries the demand: the stable version, and the canary during a rollout. Replicas are what one version
   * needs to take all of it.
   */
  readings: readonly PodReading[];
  current: { replicas: number; workers: number };
  workerBounds: { min: number; cap: number };
  /** CPU limit of a pod, in CPUs. */
  cpuLimit: number;
  /** Firing alerts, as `evaluateAlerts` returns them. */
  alerts: readonly AlertAction[];
  rolloutRunning: boolean;
  /** The last automatic change of the object by another part, such as a step of a rollout. */
  otherChangeAtMs?: number | undefined;
  nowMs: number;
  state: ScalingState;
}

/** Something that may be done, and why not if it may not. */
export interface Proposal {
  direction: "ScaleUp" | "ScaleDown";
  what: "Replicas" | "Workers";
  to: number;
  reason: string;
  message: string;
  /** Bounds of the spec are the user's change, not an automatic one: they wait for no observation window. */
  byBounds?: true;
  alert?: string;
  refused?: string;
}

/** A plan's input with what demand and waiting jobs recommend. */
export type Considered = ScalePlanInput & {
  recommendation: Recommendation | undefined;
  workers: WorkerRecommendation;
};

/** Everything that is asked for, in the order in which it is tried, with the reason where it may not be done. */
export function propose(considered: Considered): Proposal[] {
  const bounds = [...byDemand(considered, true), ...byJobs(considered, true)];
  if (bounds.length > 0) return bounds;
  const growth = [
    ...byDemand(considered, false, "ScaleUp"),
    ...byAlerts(considered, "ScaleUp"),
    ...byJobs(considered, false, "ScaleUp"),
  ];
  const wantsMore = growth.length > 0 || considered.alerts.some(({ action }) => action === "ScaleUp");
  const shrinking = [
    ...byDemand(considered, false, "ScaleDown"),
    ...byAlerts(considered, "ScaleDown"),
    ...byJobs(considered, false, "ScaleDown"),
  ];
  return [
    ...growth,
    ...shrinking.map((each) =>
      wantsMore ? { ...each, refused: each.refused ?? "something else asks for more" } : each,
    ),
  ];
}

function byDemand(
  { recommendation, current }: Considered,
  byBounds: boolean,
  direction?: string,
): Proposal[] {
  if (!recommendation) return [];
  const { action, reason, replicas, message } = recommendation;
  const atMaximum = reason === "AtMaximum";
  const outside = reason === "BelowMinimum" || reason === "AboveMaximum";
  const wanted = atMaximum ? "ScaleUp" : action;
  if (wanted === "Hold" || byBounds !== outside || (direction !== undefined && direction !== wanted))
    return [];
  return [
    {
      direction: wanted,
      what: "Replicas",
      to: replicas,
      reason,
      message,
      ...(byBounds ? { byBounds } : {}),
      ...(atMaximum ? { refused: `${current.replicas} pods are spec.scaling.maxReplicas` } : {}),
    },
  ];
}

function byJobs(considered: Considered, byBounds: boolean, direction?: string): Proposal[] {
  const { action, reason, workers, message, wantsReplica } = considered.workers;
  const outside = reason === "BelowMinimum" || reason === "AboveCap";
  if (byBounds !== outside) return [];
  if (action !== "Hold" && (direction === undefined || direction === action))
    return [
      { direction: action, what: "Workers", to: workers, reason, message, ...(byBounds ? { byBounds } : {}) },
    ];
  return wantsReplica && direction === "ScaleUp" ? [oneMorePod(considered, "JobsWaiting", message)] : [];
}

function byAlerts(considered: Considered, direction: "ScaleUp" | "ScaleDown"): Proposal[] {
  return considered.alerts
    .filter(({ action, due }) => due && action === direction)
    .flatMap(({ alert, message }) => {
      const reason = `Alert ${alert}: ${message}.`;
      const each =
        direction === "ScaleUp"
          ? [oneMoreWorker(considered, reason), oneMorePod(considered, "Alert", reason)]
          : [oneWorkerLess(considered, reason), onePodLess(considered, reason)];
      return each.map((proposal) => ({ ...proposal, alert }));
    });
}

function oneMoreWorker({ workers, current, workerBounds }: Considered, message: string): Proposal {
  const why = {
    AtCap: `the cap is ${workerBounds.cap}`,
    CpuSaturated: "CPU is at its limit",
    MetricsMissing: "the use of CPU and worker threads is unknown",
  };
  const proposal: Proposal = {
    direction: "ScaleUp",
    what: "Workers",
    to: current.workers + 1,
    reason: "Alert",
    message,
  };
  return workers.cannotGrow ? { ...proposal, refused: why[workers.cannotGrow] } : proposal;
}

function oneMorePod({ settings, current }: Considered, reason: string, message: string): Proposal {
  const proposal: Proposal = {
    direction: "ScaleUp",
    what: "Replicas",
    to: current.replicas + 1,
    reason,
    message,
  };
  if (settings.mode !== "Managed") return { ...proposal, refused: `spec.scaling.mode is ${settings.mode}` };
  if (current.replicas >= settings.maxReplicas)
    return { ...proposal, refused: `spec.scaling.maxReplicas is ${settings.maxReplicas}` };
  return proposal;
}

function oneWorkerLess({ current, workerBounds }: Considered, message: string): Proposal {
  const least = Math.min(workerBounds.min, workerBounds.cap);
  const proposal: Proposal = {
    direction: "ScaleDown",
    what: "Workers",
    to: current.workers - 1,
    reason: "Alert",
    message,
  };
  return current.workers <= least ? { ...proposal, refused: `the least is ${least}` } : proposal;
}

function onePodLess(considered: Considered, message: string): Proposal {
  const { settings, current } = considered;
  const proposal: Proposal = {
    direction: "ScaleDown",
    what: "Replicas",
    to: current.replicas - 1,
    reason: "Alert",
    message,
  };
  if (settings.mode !== "Managed") return { ...proposal, refused: `spec.scaling.mode is ${settings.mode}` };
  const why = mayLoseOne({
    ...considered,
    current: current.replicas,
    state: considered.recommendation?.state ?? considered.state,
  });
  return why === undefined ? proposal : { ...proposal, refused: why };
}
