import { describe, expect, it } from "vitest";
import type { PodReading } from "./reading.ts";
import { INITIAL_SCALING_STATE, type ScalingState } from "./state.ts";
import { recommendWorkers, type WorkerInput } from "./worker-threads.ts";

const NOW = 2_000_000;
const WINDOW = 600_000;

function pod(over: Partial<PodReading> = {}): PodReading {
  return {
    pod: "p",
    revision: "r",
    ready: true,
    atMs: NOW,
    workerUtilization: 0.7,
    workerQueue: 0,
    workerWaitP95Seconds: 0.001,
    cpuCores: 0.5,
    ...over,
  };
}

const WAITING: ScalingState = { ...INITIAL_SCALING_STATE, workersWaitingSinceMs: NOW - 30_000 };
const IDLE: ScalingState = { ...INITIAL_SCALING_STATE, workersIdleSinceMs: NOW - WINDOW };

function recommend(over: Partial<WorkerInput> = {}) {
  return recommendWorkers({
    readings: [pod()],
    bounds: { min: 1, cap: 4 },
    current: 2,
    cpuLimit: 2,
    scaleDownWindowMs: WINDOW,
    nowMs: NOW,
    state: INITIAL_SCALING_STATE,
    ...over,
  });
}

const slow = pod({ workerWaitP95Seconds: 0.06 });

describe("recommendWorkers", () => {
  it.each<[string, Partial<WorkerInput>, number, string, boolean]>([
    ["nothing waits", {}, 2, "NothingWaiting", false],
    ["jobs wait, not for long yet", { readings: [slow] }, 2, "Settling", false],
    ["jobs have been waiting", { readings: [slow], state: WAITING }, 3, "JobsWaiting", false],
    [
      "jobs wait for threads that start, not for busy ones",
      { readings: [pod({ workerUtilization: 0.02, workerWaitP95Seconds: 1.1 })], state: WAITING },
      2,
      "NothingWaiting",
      false,
    ],
    [
      "busy threads with a queue",
      { readings: [pod({ workerUtilization: 0.95, workerQueue: 2 })], state: WAITING },
      3,
      "JobsWaiting",
      false,
    ],
    [
      "busy threads alone are no waiting",
      { readings: [pod({ workerUtilization: 0.95 })], state: WAITING },
      2,
      "NothingWaiting",
      false,
    ],
    [
      "one pod of four does not make the mean",
      { readings: [slow, pod(), pod(), pod()], state: WAITING },
      2,
      "NothingWaiting",
      false,
    ],
    [
      "the CPU is at its limit: another pod",
      { readings: [pod({ ...slow, cpuCores: 1.8 })], state: WAITING },
      2,
      "CpuSaturated",
      true,
    ],
    ["at the cap: another pod", { readings: [slow], state: WAITING, current: 4 }, 4, "AtCap", true],
    [
      "CPU unknown",
      { readings: [pod({ ...slow, cpuCores: undefined })], state: WAITING },
      2,
      "MetricsMissing",
      false,
    ],
    ["nothing known", { readings: [pod({ atMs: undefined })], state: WAITING }, 2, "MetricsMissing", false],
    [
      "no threads at all, jobs run on the main thread",
      { readings: [pod({ workerUtilization: undefined })], bounds: { min: 1, cap: 0 }, current: 0 },
      0,
      "MetricsMissing",
      false,
    ],
    ["below the minimum", { current: 0 }, 1, "BelowMinimum", false],
    ["above the cap", { current: 9 }, 4, "AboveCap", false],
    [
      "a minimum above the cap counts as the cap",
      { bounds: { min: 8, cap: 3 }, current: 2 },
      3,
      "BelowMinimum",
      false,
    ],
    [
      "idle, not for a window yet",
      { readings: [pod({ workerUtilization: 0.2 })] },
      2,
      "NothingWaiting",
      false,
    ],
    [
      "idle for a window",
      { readings: [pod({ workerUtilization: 0.2 })], state: IDLE },
      1,
      "WorkersIdle",
      false,
    ],
    [
      "idle at the minimum",
      { readings: [pod({ workerUtilization: 0.2 })], state: IDLE, bounds: { min: 2, cap: 4 } },
      2,
      "NothingWaiting",
      false,
    ],
    [
      "one fewer would be busy",
      { readings: [pod({ workerUtilization: 0.35 })], state: IDLE },
      2,
      "NothingWaiting",
      false,
    ],
  ])("%s", (_, over, workers, reason, wantsReplica) => {
    expect(recommend(over)).toMatchObject({ workers, reason, wantsReplica });
  });

  it("starts the wait anew when jobs stopped waiting", () => {
    const calm = recommend({ state: WAITING }).state;
    expect(calm.workersWaitingSinceMs).toBeUndefined();
    expect(recommend({ readings: [slow], state: calm }).reason).toBe("Settling");
  });

  it("keeps the time of the first sight of idleness", () => {
    const idle = pod({ workerUtilization: 0.1 });
    const first = recommend({ readings: [idle] }).state;
    expect(
      recommend({ readings: [{ ...idle, atMs: NOW + WINDOW }], nowMs: NOW + WINDOW, state: first }).workers,
    ).toBe(1);
  });
});
