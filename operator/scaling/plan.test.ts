import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AlertAction } from "./alerts.ts";
import { OBSERVATION_WINDOW_MS, scalePlan } from "./plan.ts";
import type { ScalePlanInput } from "./proposals.ts";
import type { PodReading } from "./reading.ts";
import type { ScalingSettings } from "./settings.ts";
import { INITIAL_SCALING_STATE, type ScalingState } from "./state.ts";

const NOW = 5_000_000;
const WINDOW = 600_000;
const SETTINGS: ScalingSettings = {
  mode: "Managed",
  minReplicas: 2,
  maxReplicas: 10,
  target: 0.7,
  scaleDownWindowMs: WINDOW,
  scaleDownIntervalMs: 60_000,
};

const SEEN: ScalingState = {
  ...INITIAL_SCALING_STATE,
  seenSinceMs: NOW - WINDOW,
  lastKnownMs: NOW - 15_000,
  history: [{ atMs: NOW - 15_000, replicas: 4 }],
};
const QUIET: ScalingState = { ...SEEN, history: [{ atMs: NOW - 15_000, replicas: 2 }] };
const WAITING: ScalingState = { ...SEEN, workersWaitingSinceMs: NOW - 30_000 };

function fleet(count: number, streams: number, over: Partial<PodReading> = {}): PodReading[] {
  return Array.from({ length: count }, (_, index) => ({
    pod: `p${index}`,
    revision: "r",
    ready: true,
    stale: false,
    atMs: NOW,
    inFlight: streams / count,
    inFlightRecent: streams / count,
    capacity: 10,
    elu: 0.1,
    workerUtilization: 0.5,
    workerQueue: 0,
    workerWaitP95Seconds: 0,
    cpuCores: 0.5,
    ...over,
  }));
}

function input(
  over: Partial<Omit<ScalePlanInput, "settings">> & { settings?: Partial<ScalingSettings> } = {},
): ScalePlanInput {
  const { settings, ...rest } = over;
  return {
    specReplicas: 3,
    readings: fleet(4, 26),
    current: { replicas: 4, workers: 1 },
    workerBounds: { min: 1, cap: 2 },
    cpuLimit: 2,
    alerts: [],
    rolloutRunning: false,
    nowMs: NOW,
    state: SEEN,
    ...rest,
    settings: { ...SETTINGS, ...settings },
  };
}

const up: AlertAction = {
  alert: "busy",
  action: "ScaleUp",
  due: true,
  message: "WorkerUtilization is 95.0%, above 90%",
};
const down: AlertAction = {
  ...up,
  alert: "idle",
  action: "ScaleDown",
  message: "Utilization is 5.0%, below 10%",
};
const slow = { workerWaitP95Seconds: 0.1 };

describe("what is done", () => {
  it.each<[string, Parameters<typeof input>[0], { replicas: number; workers: number }, string | undefined]>([
    ["nothing", {}, { replicas: 4, workers: 1 }, undefined],
    ["growth by demand", { readings: fleet(4, 60) }, { replicas: 9, workers: 1 }, "DemandAboveTarget"],
    ["a worker thread before a pod, by an alert", { alerts: [up] }, { replicas: 4, workers: 2 }, "Alert"],
    [
      "a pod at the cap of worker threads",
      { alerts: [up], current: { replicas: 4, workers: 2 } },
      { replicas: 5, workers: 2 },
      "Alert",
    ],
    [
      "a pod where the CPU is at its limit",
      { alerts: [up], readings: fleet(4, 26, { cpuCores: 1.9 }) },
      { replicas: 5, workers: 1 },
      "Alert",
    ],
    [
      "a worker thread for waiting jobs",
      { readings: fleet(4, 26, slow), state: WAITING },
      { replicas: 4, workers: 2 },
      "JobsWaiting",
    ],
    [
      "a pod for waiting jobs at the cap",
      { readings: fleet(4, 26, slow), state: WAITING, current: { replicas: 4, workers: 2 } },
      { replicas: 5, workers: 2 },
      "JobsWaiting",
    ],
    [
      "demand before alerts",
      { readings: fleet(4, 60), alerts: [up] },
      { replicas: 9, workers: 1 },
      "DemandAboveTarget",
    ],
    [
      "shrinking by demand",
      { readings: fleet(4, 4), state: QUIET },
      { replicas: 3, workers: 1 },
      "DemandBelowTarget",
    ],
    [
      "no shrinking while an alert asks for more",
      { readings: fleet(4, 4), state: QUIET, alerts: [{ ...up, due: false }] },
      { replicas: 4, workers: 1 },
      "DemandBelowTarget",
    ],
    [
      "no shrinking during a rollout",
      { readings: fleet(4, 4), state: QUIET, rolloutRunning: true },
      { replicas: 4, workers: 1 },
      undefined,
    ],
    [
      "a worker thread less, by an alert",
      { alerts: [down], current: { replicas: 4, workers: 2 } },
      { replicas: 4, workers: 1 },
      "Alert",
    ],
    [
      "a pod less, by an alert",
      { alerts: [down], readings: fleet(4, 16) },
      { replicas: 3, workers: 1 },
      "Alert",
    ],
    [
      "no pod less where the rest would be overloaded",
      { alerts: [down] },
      { replicas: 4, workers: 1 },
      "Alert",
    ],
    [
      "no pod less during a rollout",
      { alerts: [down], readings: fleet(4, 16), rolloutRunning: true },
      { replicas: 4, workers: 1 },
      "Alert",
    ],
    ["more before less", { alerts: [down, up] }, { replicas: 4, workers: 2 }, "Alert"],
    [
      "nothing beyond the maximum",
      { alerts: [up], current: { replicas: 10, workers: 2 }, readings: fleet(10, 70) },
      { replicas: 10, workers: 2 },
      "Alert",
    ],
    [
      "the bounds of the spec before all",
      { alerts: [up], current: { replicas: 1, workers: 1 } },
      { replicas: 2, workers: 1 },
      "BelowMinimum",
    ],
    [
      "the cap of worker threads",
      { current: { replicas: 4, workers: 5 } },
      { replicas: 4, workers: 2 },
      "AboveCap",
    ],
    [
      "spec.replicas when Fixed",
      { settings: { mode: "Fixed" }, readings: fleet(4, 60) },
      { replicas: 3, workers: 1 },
      undefined,
    ],
    [
      "spec.replicas when External",
      { settings: { mode: "External" }, readings: fleet(4, 60) },
      { replicas: 3, workers: 1 },
      undefined,
    ],
    [
      "worker threads when Fixed",
      { settings: { mode: "Fixed" }, alerts: [up] },
      { replicas: 3, workers: 2 },
      "Alert",
    ],
    [
      "no pods by alerts when Fixed",
      { settings: { mode: "Fixed" }, alerts: [up], current: { replicas: 3, workers: 2 } },
      { replicas: 3, workers: 2 },
      "Alert",
    ],
    [
      "nothing without data",
      { readings: fleet(4, 26, { stale: true }), alerts: [down] },
      { replicas: 4, workers: 1 },
      "Alert",
    ],
  ])("%s", (_, over, expected, reason) => {
    const { replicas, workers, decision } = scalePlan(input(over));
    expect({ replicas, workers }).toEqual(expected);
    expect(decision?.reason).toBe(reason);
  });
});

describe("decisions", () => {
  it("say what, why, the numbers and what else was considered", () => {
    const { decision } = scalePlan(input({ alerts: [up], readings: fleet(4, 26, { cpuCores: 1.9 }) }));
    expect(decision).toEqual({
      action: "ScaleUp",
      reason: "Alert",
      message: "Replicas 4 → 5: Alert busy: WorkerUtilization is 95.0%, above 90%.",
      refused: ["more worker threads: CPU is at its limit"],
    });
  });

  it("say what was wanted and could not be", () => {
    const { decision, acted } = scalePlan(
      input({ alerts: [up], current: { replicas: 10, workers: 2 }, readings: fleet(10, 70) }),
    );
    expect(decision).toEqual({
      action: "Hold",
      reason: "Alert",
      message: "Alert busy: WorkerUtilization is 95.0%, above 90%.",
      refused: ["more worker threads: the cap is 2", "more pods: spec.scaling.maxReplicas is 10"],
    });
    expect(acted).toEqual([]);
  });

  it("say that demand is above what the maximum can carry", () => {
    const { decision } = scalePlan(
      input({ readings: fleet(10, 200), current: { replicas: 10, workers: 1 } }),
    );
    expect(decision).toMatchObject({
      action: "Hold",
      reason: "AtMaximum",
      refused: ["more pods: 10 pods are spec.scaling.maxReplicas"],
    });
  });

  it("fit into status", () => {
    const long = { ...up, message: "x".repeat(290) };
    const { decision } = scalePlan(
      input({
        alerts: Array.from({ length: 9 }, () => long),
        current: { replicas: 10, workers: 2 },
        readings: fleet(10, 70),
      }),
    );
    expect(decision?.message.length).toBeLessThanOrEqual(600);
    expect(decision?.refused.length).toBeLessThanOrEqual(6);
  });
});

describe("shrinking yields", () => {
  const idle: ScalingState = { ...WAITING, history: [{ atMs: NOW - 15_000, replicas: 2 }] };

  it("to jobs that wait, even where nothing more can be done for them", () => {
    const plan = scalePlan(
      input({ readings: fleet(10, 10, slow), current: { replicas: 10, workers: 2 }, state: idle }),
    );
    expect(plan.replicas).toBe(10);
    expect(plan.decision?.refused).toEqual([
      "more pods: spec.scaling.maxReplicas is 10",
      "fewer pods: something else asks for more",
    ]);
  });

  it.each<[string, Parameters<typeof input>[0], string]>([
    [
      "the minimum",
      { readings: fleet(2, 0), current: { replicas: 2, workers: 1 } },
      "fewer pods: spec.scaling.minReplicas is 2",
    ],
    [
      "the last seconds",
      { readings: fleet(4, 16, { inFlightRecent: 5.5 }) },
      "fewer pods: 3 pods would be above the target",
    ],
    ["missing data", { readings: fleet(4, 16, { stale: true }) }, "fewer pods: demand is unknown"],
    [
      "a window not seen yet",
      { readings: fleet(4, 16), state: INITIAL_SCALING_STATE },
      "fewer pods: demand is not known yet for all of spec.scaling.scaleDownWindow",
    ],
    [
      "a minimum of worker threads above their cap",
      { workerBounds: { min: 8, cap: 1 } },
      "fewer worker threads: the least is 1",
    ],
  ])("to %s, though an alert asks for less", (_, over, refused) => {
    const plan = scalePlan(input({ alerts: [down, { ...down, alert: "again" }], ...over }));
    expect(plan.decision).toMatchObject({ action: "Hold" });
    expect(plan.decision?.refused.filter((text) => text === refused)).toHaveLength(1);
  });
});

describe("one change per observation window", () => {
  it("waits after any change, and says so", () => {
    const first = scalePlan(input({ alerts: [up] }));
    const again = { alerts: [up], current: { replicas: 4, workers: 2 }, state: first.state };
    const held = scalePlan(input({ ...again, nowMs: NOW + OBSERVATION_WINDOW_MS - 1 }));
    expect(held).toMatchObject({
      replicas: 4,
      acted: [],
      decision: { action: "Hold", reason: "ObservationWindow" },
    });
    expect(held.decision?.refused).toContain("more pods: the last change is not observed yet");
    expect(scalePlan(input({ ...again, nowMs: NOW + OBSERVATION_WINDOW_MS })).replicas).toBe(5);
  });

  it("looks for waiting jobs anew after a change", () => {
    const { workers, state } = scalePlan(input({ readings: fleet(4, 26, slow), state: WAITING }));
    expect(workers).toBe(2);
    expect(state.workersWaitingSinceMs).toBeUndefined();
  });

  it("waits after a change by another part", () => {
    expect(scalePlan(input({ readings: fleet(4, 60), otherChangeAtMs: NOW - 1 })).replicas).toBe(4);
  });

  it("lets growth by demand follow growth by demand", () => {
    const first = scalePlan(input({ readings: fleet(4, 40) }));
    expect(first.replicas).toBe(6);
    const more = { readings: fleet(4, 60), current: { replicas: 6, workers: 1 }, nowMs: NOW + 5_000 };
    expect(scalePlan(input({ ...more, state: first.state })).replicas).toBe(9);
    expect(
      scalePlan(input({ ...more, state: { ...first.state, lastChange: { atMs: NOW, kind: "Other" } } }))
        .replicas,
    ).toBe(6);
  });

  it("does not hold back the bounds of the spec, nor count them as a change", () => {
    const state: ScalingState = { ...SEEN, lastChange: { atMs: NOW, kind: "Other" } };
    const bounded = scalePlan(input({ current: { replicas: 1, workers: 1 }, state }));
    expect(bounded.replicas).toBe(2);
    const fewPods = scalePlan(input({ current: { replicas: 1, workers: 1 }, alerts: [up] }));
    expect(fewPods.state.lastChange).toBeUndefined();
    expect(fewPods.acted).toEqual([]);
    expect(scalePlan(input({ current: { replicas: 4, workers: 0 } })).state.lastChange).toBeUndefined();
  });
});

describe("alerts that acted", () => {
  it("names the alert whose action was carried out", () => {
    expect(scalePlan(input({ alerts: [down, up] })).acted).toEqual(["busy"]);
    expect(scalePlan(input({ alerts: [down], readings: fleet(4, 16) })).acted).toEqual(["idle"]);
  });

  it("starts the cooldown of those that growth by demand answers", () => {
    expect(
      scalePlan(input({ readings: fleet(4, 60), alerts: [up, { ...up, alert: "later", due: false }] })).acted,
    ).toEqual(["busy"]);
  });

  it("keeps a pod that an alert added for a full window", () => {
    const { state } = scalePlan(
      input({ alerts: [up], current: { replicas: 4, workers: 2 }, readings: fleet(4, 4), state: QUIET }),
    );
    const later = (afterMs: number) =>
      scalePlan(
        input({
          readings: fleet(5, 4),
          current: { replicas: 5, workers: 2 },
          nowMs: NOW + afterMs,
          state: { ...state, lastKnownMs: NOW + afterMs },
        }),
      );
    expect(later(WINDOW - 1).replicas).toBe(5);
    expect(later(WINDOW).replicas).toBe(4);
  });
});

describe("properties", () => {
  const alertActions = fc.array(
    fc.record({
      alert: fc.constantFrom("a", "b"),
      action: fc.constantFrom(
        "ScaleUp" as const,
        "ScaleDown" as const,
        "Notify" as const,
        "Hold" as const,
        "Rollback" as const,
      ),
      due: fc.boolean(),
      message: fc.constant("m"),
    }),
    { maxLength: 3 },
  );
  const ticks = fc.array(
    fc.record({
      afterMs: fc.integer({ min: 1_000, max: 120_000 }),
      streams: fc.double({ min: 0, max: 200, noNaN: true }),
      busy: fc.double({ min: 0, max: 1, noNaN: true }),
      wait: fc.constantFrom(0, 0.2),
      cpu: fc.double({ min: 0, max: 2, noNaN: true }),
      stale: fc.boolean(),
      rolloutRunning: fc.boolean(),
      alerts: alertActions,
    }),
    { maxLength: 100 },
  );

  it("workers and replicas stay within their bounds, and change one at a time but for growth by demand", () => {
    fc.assert(
      fc.property(
        ticks,
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 0, max: 4 }),
        (steps, min, cap) => {
          const least = Math.min(min, cap);
          let state = INITIAL_SCALING_STATE;
          let current = { replicas: SETTINGS.minReplicas, workers: least };
          let nowMs = 0;
          let changedAtMs = Number.NEGATIVE_INFINITY;
          for (const { afterMs, streams, busy, wait, cpu, stale, rolloutRunning, alerts } of steps) {
            nowMs += afterMs;
            const readings = fleet(current.replicas, streams, {
              stale,
              workerUtilization: busy,
              workerQueue: 1,
              workerWaitP95Seconds: wait,
              cpuCores: cpu,
            });
            const plan = scalePlan(
              input({ readings, current, workerBounds: { min, cap }, alerts, rolloutRunning, nowMs, state }),
            );
            expect(plan.replicas).toBeGreaterThanOrEqual(SETTINGS.minReplicas);
            expect(plan.replicas).toBeLessThanOrEqual(SETTINGS.maxReplicas);
            expect(plan.workers).toBeGreaterThanOrEqual(least);
            expect(plan.workers).toBeLessThanOrEqual(cap);
            if (rolloutRunning || stale) expect(plan.replicas).toBeGreaterThanOrEqual(current.replicas);
            const byDemand = ["DemandAboveTarget", "Burst"].includes(plan.decision?.reason ?? "");
            const moved =
              Math.abs(plan.replicas - current.replicas) + Math.abs(plan.workers - current.workers);
            if (!byDemand) {
              expect(moved).toBeLessThanOrEqual(1);
              if (moved > 0) expect(nowMs - changedAtMs).toBeGreaterThanOrEqual(OBSERVATION_WINDOW_MS);
            }
            expect(plan.decision?.action ?? "Hold", "a change has a decision").toBe(
              plan.replicas + plan.workers > current.replicas + current.workers
                ? "ScaleUp"
                : moved > 0
                  ? "ScaleDown"
                  : "Hold",
            );
            if (moved > 0) changedAtMs = nowMs;
            current = { replicas: plan.replicas, workers: plan.workers };
            state = plan.state;
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
