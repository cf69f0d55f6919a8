import { knownValues, mean, type PodReading } from "./reading.ts";
import type { ScalingState } from "./state.ts";

type WorkerReason =
  | "JobsWaiting"
  | "WorkersIdle"
  | "BelowMinimum"
  | "AboveCap"
  | "AtCap"
  | "CpuSaturated"
  | "Settling"
  | "NothingWaiting"
  | "MetricsMissing";

/** How many worker threads each pod should run, and why. */
export interface WorkerRecommendation {
  action: "ScaleUp" | "ScaleDown" | "Hold";
  reason: WorkerReason;
  workers: number;
  /** Why one more worker thread would not help or is not allowed; undefined where it is possible. */
  cannotGrow: "AtCap" | "CpuSaturated" | "MetricsMissing" | undefined;
  /** Jobs have been waiting, and only another pod can take them. */
  wantsReplica: boolean;
  message: string;
  state: ScalingState;
}

export interface WorkerInput {
  readings: readonly PodReading[];
  /** spec.workers.min, and the cap that heap and CPU allow (a minimum above the cap counts as the cap). */
  bounds: { min: number; cap: number };
  /** Worker threads that the runtime file asks for now. */
  current: number;
  /** CPU limit of a pod, in CPUs. */
  cpuLimit: number;
  /** Worker threads must have been idle for this long before one is taken away. */
  scaleDownWindowMs: number;
  nowMs: number;
  state: ScalingState;
}

/** Jobs wait too long when the slowest twentieth waits for more than this. */
const WAIT_SECONDS = 0.05;
/** Worker threads are busy above this share, and one fewer must stay below the second, the lower end of a healthy 60-80%. */
const BUSY_SHARE = 0.9;
const IDLE_SHARE = 0.6;
/**
 * Below this share jobs wait for something else than a free thread: for a thread to start and to load its vocabulary, which
 * every new pod does once (about a second). Neither another thread nor another pod would shorten that.
 */
const TELLING_BUSY_SHARE = 0.3;
/** Jobs must have been waiting for this long: two scrapes. */
const WAITING_FOR_MS = 30_000;
/** Above this share of its limit a pod is about to be throttled: one more thread would only wait for CPU. */
const CPU_SATURATED = 0.85;

/**
 * Worker threads before replicas, within [min, cap], one at a time, only on measured waiting and while the CPU has room; else
 * it asks for a replica. Waiting is a p95 of the queue above 50 ms in threads above 30%, or threads above 90% with jobs queued,
 * on the mean of the ready pods, for 30 s. Missing data holds.
 */
export function recommendWorkers(input: WorkerInput): WorkerRecommendation {
  const { current, nowMs, readings } = input;
  const cap = input.bounds.cap;
  const min = Math.min(input.bounds.min, cap);
  const busy = mean(knownValues(readings, "workerUtilization", nowMs));
  const wait = mean(knownValues(readings, "workerWaitP95Seconds", nowMs)) ?? 0;
  const queue = mean(knownValues(readings, "workerQueue", nowMs)) ?? 0;
  const cpu = mean(knownValues(readings, "cpuCores", nowMs));
  const waiting =
    busy !== undefined &&
    ((wait > WAIT_SECONDS && busy > TELLING_BUSY_SHARE) || (busy > BUSY_SHARE && queue > 0));
  const idle = busy !== undefined && !waiting && current > 1 && (busy * current) / (current - 1) < IDLE_SHARE;
  const state: ScalingState = {
    ...input.state,
    workersWaitingSinceMs: waiting ? (input.state.workersWaitingSinceMs ?? nowMs) : undefined,
    workersIdleSinceMs: idle ? (input.state.workersIdleSinceMs ?? nowMs) : undefined,
  };
  const saturated = cpu !== undefined && cpu / input.cpuLimit > CPU_SATURATED;
  const cannotGrow =
    current >= cap
      ? "AtCap"
      : busy === undefined || cpu === undefined
        ? "MetricsMissing"
        : saturated
          ? "CpuSaturated"
          : undefined;
  const answer = (
    action: WorkerRecommendation["action"],
    reason: WorkerReason,
    workers: number,
    message: string,
    wantsReplica = false,
  ): WorkerRecommendation => ({ action, reason, workers, cannotGrow, wantsReplica, message, state });

  if (current < min)
    return answer(
      "ScaleUp",
      "BelowMinimum",
      min,
      `${current} worker threads are fewer than the least of ${min}.`,
    );
  if (current > cap)
    return answer("ScaleDown", "AboveCap", cap, `${current} worker threads are more than the cap of ${cap}.`);
  if (busy === undefined)
    return answer("Hold", "MetricsMissing", current, "No ready pod reports its worker threads.");
  const seen = `${Math.round(busy * 100)}% busy, ${Math.round(wait * 1000)} ms p95 wait`;
  if (waiting && nowMs - (state.workersWaitingSinceMs ?? nowMs) < WAITING_FOR_MS)
    return answer("Hold", "Settling", current, `Worker threads: ${seen}; not yet for 30 s.`);
  if (waiting && cannotGrow === undefined)
    return answer("ScaleUp", "JobsWaiting", current + 1, `Worker threads: ${seen}.`);
  if (waiting && cannotGrow !== undefined) {
    const why =
      cannotGrow === "AtCap"
        ? `the cap is ${cap}`
        : `CPU is at ${Math.round(((cpu ?? 0) / input.cpuLimit) * 100)}% of its limit`;
    const known = cannotGrow !== "MetricsMissing";
    return answer(
      "Hold",
      cannotGrow,
      current,
      `Worker threads: ${seen}; ${known ? why : "CPU is unknown"}.`,
      known,
    );
  }
  if (idle && current > min && nowMs - (state.workersIdleSinceMs ?? nowMs) >= input.scaleDownWindowMs)
    return answer(
      "ScaleDown",
      "WorkersIdle",
      current - 1,
      `Worker threads: ${seen}, for all of spec.scaling.scaleDownWindow.`,
    );
  return answer("Hold", "NothingWaiting", current, `Worker threads: ${seen}.`);
}
