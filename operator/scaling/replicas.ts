import {
  type Demand,
  isBurst,
  type Load,
  loadForGrowth,
  loadForShrinking,
  podsNeeded,
  readDemand,
} from "./demand.ts";
import type { PodReading } from "./reading.ts";
import { headroomZ, type ScalingSettings } from "./settings.ts";
import {
  hasSeenWindow,
  highestRecommendation,
  noteRecommendation,
  type ScalingState,
  sawDemand,
} from "./state.ts";

type ReplicaReason =
  | "DemandAboveTarget"
  | "Burst"
  | "DemandBelowTarget"
  | "BelowMinimum"
  | "AboveMaximum"
  | "AtMaximum"
  | "WithinTolerance"
  | "WithinWindow"
  | "WindowNotSeen"
  | "RolloutRunning"
  | "ScaleDownInterval"
  | "TooLittleToRemove"
  | "WouldOverload"
  | "MetricsMissing";

/** How many pods there should be, and why. */
export interface Recommendation {
  action: "ScaleUp" | "ScaleDown" | "Hold";
  reason: ReplicaReason;
  replicas: number;
  /** Requests and streams in progress in all; undefined if unknown. */
  demand: number | undefined;
  /** Requests that one pod takes at full utilisation; undefined if unknown. */
  capacityPerPod: number | undefined;
  message: string;
  state: ScalingState;
}

export interface ReplicaInput {
  settings: ScalingSettings;
  /**
   * Every pod that carries the demand. During a rollout that is both versions: the stable version must be able to take
   * all of it back.
   */
  readings: readonly PodReading[];
  /** Pods wanted now, starting ones included: they count as capacity. */
  current: number;
  rolloutRunning: boolean;
  nowMs: number;
  state: ScalingState;
}

/** No change while the pods needed are within this of the pods there are. */
const TOLERANCE = 0.1;
/** A shrink begins only if it removes this share of the pods, rounded down, so that a small version can lose one. */
const LEAST_REMOVED_SHARE = 0.15;

/**
 * Replicas from the total demand (F5, F6, F7), shrinking by F9, holding by F10; always within the bounds of the spec,
 * but that a lowered maximum waits for the end of a rollout. What is done is to be noted with `scaled`.
 */
export function recommendReplicas(input: ReplicaInput): Recommendation {
  const { settings, current, nowMs, state } = input;
  const demand = readDemand(input.readings, nowMs);
  const outside = outsideBounds(input);
  if (demand.kind === "Missing") {
    return {
      ...(outside ?? {
        action: "Hold",
        reason: "MetricsMissing",
        replicas: current,
        message: missing(demand.ready, current),
      }),
      demand: undefined,
      capacityPerPod: undefined,
      state,
    };
  }
  const known = sawDemand(state, nowMs);
  const growth = grow(input, demand);
  const load = growth?.load ?? loadForShrinking(demand, demand.streams, settings.target);
  const wanted = growth ? clamp(growth.wanted, settings) : shrunk(load, input);
  const noted = noteRecommendation(known, nowMs, wanted, settings.scaleDownWindowMs);
  const step = outside ?? (growth ? growUp(input, growth) : shrink(input, demand, wanted, noted));
  return {
    action: step.action,
    reason: step.reason,
    replicas: step.replicas,
    message: step.message,
    demand: load.streams,
    capacityPerPod: load.capacity,
    state: { ...noted, shrinking: step.shrinking ?? false },
  };
}

type Step = Pick<Recommendation, "action" | "reason" | "replicas" | "message"> & { shrinking?: boolean };

function outsideBounds({ settings, current, rolloutRunning }: ReplicaInput): Step | undefined {
  const { minReplicas, maxReplicas } = settings;
  if (current < minReplicas) {
    const message = `${current} pods are fewer than spec.scaling.minReplicas of ${minReplicas}.`;
    return { action: "ScaleUp", reason: "BelowMinimum", replicas: minReplicas, message };
  }
  if (current <= maxReplicas) return undefined;
  const message = `${current} pods are more than spec.scaling.maxReplicas of ${maxReplicas}`;
  return rolloutRunning
    ? {
        action: "Hold",
        reason: "RolloutRunning",
        replicas: current,
        message: `${message}; no pod is taken away during a rollout.`,
      }
    : { action: "ScaleDown", reason: "AboveMaximum", replicas: maxReplicas, message: `${message}.` };
}

interface Growth {
  load: Load;
  wanted: number;
  burst: boolean;
}

function clamp(replicas: number, { minReplicas, maxReplicas }: ScalingSettings): number {
  return Math.min(maxReplicas, Math.max(minReplicas, replicas));
}

/** Rounded up; a sum of measurements that is a hair above a whole number is that number. */
function wholePods(needed: number): number {
  return Math.ceil(needed - 1e-9);
}

function grow({ settings, current }: ReplicaInput, demand: Demand): Growth | undefined {
  const z = headroomZ(settings.scaleDownWindowMs);
  const burst = isBurst(demand);
  const load = loadForGrowth(demand, burst ? demand.recentStreams : demand.streams);
  const needed = podsNeeded(load, settings.target, z);
  return needed > current * (1 + TOLERANCE) ? { load, wanted: wholePods(needed), burst } : undefined;
}

function growUp({ settings, current }: ReplicaInput, { load, wanted, burst }: Growth): Step {
  const replicas = clamp(wanted, settings);
  const message = `${describe(load, settings)} need ${wanted} pods`;
  if (replicas <= current) {
    return {
      action: "Hold",
      reason: "AtMaximum",
      replicas: current,
      message: `${message}, and spec.scaling.maxReplicas is ${settings.maxReplicas}; raise it.`,
    };
  }
  return {
    action: "ScaleUp",
    reason: burst ? "Burst" : "DemandAboveTarget",
    replicas,
    message: `${message}${burst ? ", by the last seconds" : ""}${replicas < wanted ? `; spec.scaling.maxReplicas allows ${replicas}` : ""}.`,
  };
}

/** What the demand would shrink to if nothing held it. */
function shrunk(load: Load, { settings, current }: ReplicaInput): number {
  const needed = podsNeeded(load, settings.target, headroomZ(settings.scaleDownWindowMs));
  return clamp(needed < current * (1 - TOLERANCE) ? wholePods(needed) : current, settings);
}

function shrink(input: ReplicaInput, demand: Demand, wanted: number, state: ScalingState): Step {
  const { settings, current, nowMs } = input;
  const { target, scaleDownWindowMs } = settings;
  const highest = highestRecommendation(state, nowMs, scaleDownWindowMs) ?? current;
  const load = loadForShrinking(demand, Math.max(demand.streams, demand.recentStreams), target);
  const described = describe(load, settings);
  const hold = (reason: ReplicaReason, why: string, shrinking = state.shrinking): Step => ({
    action: "Hold",
    reason,
    replicas: current,
    message: `${described}; ${why}.`,
    shrinking,
  });

  if (wanted >= current) return hold("WithinTolerance", `${current} pods are right for it`, false);
  if (highest >= current)
    return hold("WithinWindow", "more were needed within spec.scaling.scaleDownWindow", false);
  if (!state.shrinking && current - highest < Math.max(1, Math.floor(LEAST_REMOVED_SHARE * current)))
    return hold("TooLittleToRemove", `${current - highest} of ${current} pods are too few to take away`);
  const obstacle = cannotLoseOne(input, load, state);
  if (obstacle) return hold(obstacle.reason, obstacle.why);
  return {
    action: "ScaleDown",
    reason: "DemandBelowTarget",
    replicas: current - 1,
    message: `${described} need ${highest} pods; one is taken away at a time.`,
    shrinking: true,
  };
}

/** What keeps a pod from being taken away now, whoever asks for it. */
function cannotLoseOne(
  { settings, current, nowMs, rolloutRunning }: ReplicaInput,
  load: Load,
  state: ScalingState,
): { reason: ReplicaReason; why: string } | undefined {
  const { target, scaleDownWindowMs, scaleDownIntervalMs } = settings;
  if (rolloutRunning) return { reason: "RolloutRunning", why: "no pod is taken away during a rollout" };
  if (!hasSeenWindow(state, nowMs, scaleDownWindowMs))
    return {
      reason: "WindowNotSeen",
      why: "demand is not known yet for all of spec.scaling.scaleDownWindow",
    };
  if (load.pods / (current - 1) >= target)
    return { reason: "WouldOverload", why: `${current - 1} pods would be above the target` };
  if (state.lastShrinkMs !== undefined && nowMs - state.lastShrinkMs < scaleDownIntervalMs)
    return { reason: "ScaleDownInterval", why: "a pod was taken away within spec.scaling.scaleDownInterval" };
  return undefined;
}

/** "66.0 requests in progress, 7.0 a pod at the target of 70%". */
function describe({ streams, capacity, boundBy }: Load, { target }: ScalingSettings): string {
  const limit = boundBy === "EventLoop" ? " by the event loop" : "";
  return `${streams.toFixed(1)} requests in progress at ${(capacity * target).toFixed(1)} a pod (${Math.round(target * 100)}% of ${capacity.toFixed(1)}${limit})`;
}

function missing(ready: number, current: number): string {
  return ready === 0
    ? `No pod is ready, so that demand is unknown; ${current} pods are kept.`
    : `None of ${ready} ready pods has a fresh reading; ${current} pods are kept.`;
}

/**
 * Why a pod may not be taken away at the wish of an alert; undefined if it may. The rules of shrinking hold but for what
 * the demand recommends: N - 1 pods must stay below the target, no rollout runs, a full window was seen, the interval has passed.
 */
export function mayLoseOne(input: ReplicaInput): string | undefined {
  const { settings, current, nowMs, state } = input;
  const demand = readDemand(input.readings, nowMs);
  if (demand.kind === "Missing") return "demand is unknown";
  if (current <= settings.minReplicas) return `spec.scaling.minReplicas is ${settings.minReplicas}`;
  const load = loadForShrinking(demand, Math.max(demand.streams, demand.recentStreams), settings.target);
  return cannotLoseOne(input, load, state)?.why;
}
