import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scaling } from "../api/v1alpha1/scaling.ts";
import type { PodReading } from "./reading.ts";
import { type Recommendation, recommendReplicas } from "./replicas.ts";
import { headroomZ, type ScalingSettings, scalingSettings } from "./settings.ts";
import { INITIAL_SCALING_STATE, type ScalingState, scaled } from "./state.ts";

const WINDOW = 600_000;
const SETTINGS: ScalingSettings = {
  mode: "Managed",
  minReplicas: 1,
  maxReplicas: 20,
  target: 0.7,
  scaleDownWindowMs: WINDOW,
  scaleDownIntervalMs: 60_000,
};

interface Scene {
  pods: number;
  /** Requests in progress in all. */
  streams: number;
  recent?: number;
  current?: number;
  unscraped?: number;
  elu?: number;
  settings?: Partial<ScalingSettings>;
  rolloutRunning?: boolean;
  nowMs?: number;
  state?: ScalingState;
}

function readings(
  { pods, streams, recent = streams, unscraped = 0, elu = 0 }: Scene,
  nowMs: number,
): PodReading[] {
  const scraped = pods - unscraped;
  return Array.from({ length: pods }, (_, index) => {
    const pod = { pod: `p${index}`, revision: "r", ready: true };
    return index >= scraped
      ? pod
      : {
          ...pod,
          atMs: nowMs,
          inFlight: streams / scraped,
          inFlightRecent: recent / scraped,
          capacity: 10,
          elu,
        };
  });
}

function recommend(scene: Scene): Recommendation {
  const nowMs = scene.nowMs ?? WINDOW * 2;
  return recommendReplicas({
    settings: { ...SETTINGS, ...scene.settings },
    readings: readings(scene, nowMs),
    current: scene.current ?? scene.pods,
    rolloutRunning: scene.rolloutRunning ?? false,
    nowMs,
    state: scene.state ?? INITIAL_SCALING_STATE,
  });
}

/** A state that has seen this recommendation for a full window. */
function settled(replicas: number, nowMs = WINDOW * 2): ScalingState {
  return {
    ...INITIAL_SCALING_STATE,
    history: [{ atMs: nowMs - 15_000, replicas }],
    seenSinceMs: nowMs - WINDOW,
    lastKnownMs: nowMs - 15_000,
  };
}

describe("growing", () => {
  it.each<[string, Scene, number, string]>([
    ["to the total demand at the target", { pods: 4, streams: 70 }, 10, "DemandAboveTarget"],
    ["not within 10 percent of what is needed", { pods: 10, streams: 76 }, 10, "WithinTolerance"],
    ["from just above that", { pods: 10, streams: 78 }, 12, "DemandAboveTarget"],
    [
      "to whole pods, whatever floating point makes of them",
      { pods: 2, streams: 21 },
      3,
      "DemandAboveTarget",
    ],
    [
      "not for pods that are starting: they count as capacity",
      { pods: 4, streams: 70, current: 10 },
      10,
      "WithinTolerance",
    ],
    ["to the maximum at most", { pods: 10, streams: 500 }, 20, "DemandAboveTarget"],
    ["not beyond the maximum", { pods: 20, streams: 500 }, 20, "AtMaximum"],
    ["on a burst, by the last seconds", { pods: 4, streams: 20, recent: 70 }, 10, "Burst"],
    [
      "with square-root headroom where streams are few",
      { pods: 1, streams: 9, settings: { scaleDownWindowMs: 60_000 } },
      2,
      "DemandAboveTarget",
    ],
    [
      "as if an unscraped pod carried the mean",
      { pods: 4, streams: 60, unscraped: 1 },
      12,
      "DemandAboveTarget",
    ],
    ["by the event loop where it is the limit", { pods: 4, streams: 8, elu: 0.9 }, 6, "DemandAboveTarget"],
    ["to the minimum", { pods: 1, streams: 0, settings: { minReplicas: 3 } }, 3, "BelowMinimum"],
    ["during a rollout too", { pods: 4, streams: 70, rolloutRunning: true }, 10, "DemandAboveTarget"],
  ])("%s", (_, scene, replicas, reason) => {
    expect(recommend(scene)).toMatchObject({ replicas, reason });
  });
});

describe("shrinking", () => {
  it.each<[string, Scene, number, string]>([
    ["one pod at a time", { pods: 10, streams: 21, state: settled(3) }, 9, "DemandBelowTarget"],
    [
      "not while the window holds a higher recommendation",
      { pods: 10, streams: 21, state: settled(10) },
      10,
      "WithinWindow",
    ],
    [
      "only to the highest of the window",
      { pods: 10, streams: 21, state: settled(9) },
      9,
      "DemandBelowTarget",
    ],
    [
      "at once with a window of 0s",
      { pods: 10, streams: 21, state: settled(10), settings: { scaleDownWindowMs: 0 } },
      9,
      "DemandBelowTarget",
    ],
    [
      "not during a rollout",
      { pods: 10, streams: 21, state: settled(3), rolloutRunning: true },
      10,
      "RolloutRunning",
    ],
    [
      "not below the minimum",
      { pods: 3, streams: 0, state: settled(3), settings: { minReplicas: 3 } },
      3,
      "WithinTolerance",
    ],
    [
      "not if the last seconds would put N - 1 pods above the target",
      { pods: 5, streams: 21, recent: 28, state: settled(3) },
      5,
      "WouldOverload",
    ],
    [
      "not within 10 percent, even once begun",
      { pods: 20, streams: 130, state: { ...settled(19), shrinking: true } },
      20,
      "WithinTolerance",
    ],
    ["not on a burst", { pods: 5, streams: 21, recent: 39, state: settled(3) }, 6, "Burst"],
    [
      "not for fewer than 15 percent of many pods",
      { pods: 20, streams: 123, state: settled(18) },
      20,
      "TooLittleToRemove",
    ],
    [
      "one of seven pods, since 15 percent are rounded down",
      { pods: 7, streams: 40, state: settled(6) },
      6,
      "DemandBelowTarget",
    ],
    [
      "not while an unscraped pod may carry the target",
      { pods: 4, streams: 19, unscraped: 1, state: settled(1) },
      4,
      "WithinTolerance",
    ],
  ])("%s", (_, scene, replicas, reason) => {
    expect(recommend(scene)).toMatchObject({ replicas, reason });
  });

  it("waits between two pods", () => {
    const nowMs = WINDOW * 2;
    const state = scaled(settled(3), {
      fromReplicas: 11,
      toReplicas: 10,
      kind: "Other",
      nowMs: nowMs - 59_999,
      windowMs: WINDOW,
    });
    expect(recommend({ pods: 10, streams: 21, state })).toMatchObject({
      action: "Hold",
      reason: "ScaleDownInterval",
    });
    expect(recommend({ pods: 10, streams: 21, state, nowMs: nowMs + 1 })).toMatchObject({ replicas: 9 });
  });

  it("goes on, once begun, although little is left to remove", () => {
    const settings = { maxReplicas: 30 };
    expect(recommend({ pods: 20, streams: 125, settings, state: settled(18) }).reason).toBe(
      "TooLittleToRemove",
    );
    let state = settled(18);
    let current = 21;
    for (let nowMs = WINDOW * 2; nowMs < WINDOW * 3; nowMs += 15_000) {
      const result = recommend({ pods: current, streams: 125, settings, nowMs, state });
      const made = { fromReplicas: current, toReplicas: result.replicas, kind: "Other" as const };
      state = scaled(result.state, { ...made, nowMs, windowMs: WINDOW });
      current = result.replicas;
    }
    expect(current).toBe(19);
  });

  it("waits for a full window after a start of the operator, and after a gap in the data", () => {
    const tick = 15_000;
    let state = INITIAL_SCALING_STATE;
    const at = (nowMs: number) => {
      const result = recommend({ pods: 10, streams: 21, nowMs, state });
      state = result.state;
      return result.reason;
    };
    for (let nowMs = 0; nowMs < WINDOW; nowMs += tick) expect(at(nowMs)).toBe("WindowNotSeen");
    expect(at(WINDOW)).toBe("DemandBelowTarget");
    expect(at(WINDOW + 60_001)).toBe("WindowNotSeen");
  });

  it("shrinks at once to a maximum that was lowered, but not during a rollout", () => {
    const settings = { maxReplicas: 5 };
    expect(recommend({ pods: 10, streams: 70, settings })).toMatchObject({
      replicas: 5,
      reason: "AboveMaximum",
    });
    expect(recommend({ pods: 10, streams: 70, settings, rolloutRunning: true })).toMatchObject({
      replicas: 10,
      reason: "RolloutRunning",
    });
  });
});

describe("missing data", () => {
  it.each<[string, Scene]>([
    ["no pod was scraped", { pods: 4, streams: 0, unscraped: 4, state: settled(1) }],
    ["no pod is ready", { pods: 0, streams: 0, current: 4, state: settled(1) }],
  ])("holds when %s", (_, scene) => {
    expect(recommend(scene)).toMatchObject({
      action: "Hold",
      reason: "MetricsMissing",
      replicas: 4,
      demand: undefined,
    });
  });

  it("leaves the state as it was, so that the gap is seen", () => {
    const state = settled(3);
    expect(recommend({ pods: 4, streams: 0, unscraped: 4, state }).state).toBe(state);
  });

  it("still keeps the bounds", () => {
    expect(recommend({ pods: 0, streams: 0, current: 1, settings: { minReplicas: 2 } })).toMatchObject({
      replicas: 2,
    });
  });
});

describe("what people read", () => {
  it("says the numbers a decision rests on", () => {
    expect(recommend({ pods: 4, streams: 66 }).message).toBe(
      "66.0 requests in progress at 7.0 a pod (70% of 10.0) need 10 pods.",
    );
    expect(recommend({ pods: 10, streams: 500 }).message).toBe(
      "500.0 requests in progress at 7.0 a pod (70% of 10.0) need 72 pods; spec.scaling.maxReplicas allows 20.",
    );
    expect(recommend({ pods: 4, streams: 8, elu: 0.9 }).message).toBe(
      "8.0 requests in progress at 1.6 a pod (70% of 2.2 by the event loop) need 6 pods.",
    );
  });
});

describe("settings", () => {
  it("reads spec.scaling", () => {
    expect(scalingSettings(scaling.parse({ maxReplicas: 20 }))).toEqual({ ...SETTINGS, minReplicas: 2 });
  });

  it.each([
    [600_000, 1],
    [599_999, 2],
    [300_000, 2],
    [60_000, 3],
  ])("a shrink window of %i ms takes headroom of z = %i", (windowMs, z) => {
    expect(headroomZ(windowMs)).toBe(z);
  });
});

describe("properties", () => {
  const step = fc.record({
    streams: fc.double({ min: 0, max: 400, noNaN: true }),
    recent: fc.double({ min: 0, max: 800, noNaN: true }),
    elu: fc.double({ min: 0, max: 1, noNaN: true }),
    unscraped: fc.nat(30),
    rolloutRunning: fc.boolean(),
    afterMs: fc.integer({ min: 1_000, max: 90_000 }),
  });

  it("always inside the bounds; shrinks by one, never in a rollout, never before the window or the interval", () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 150 }),
        fc.integer({ min: 1, max: 10 }),
        fc.nat(20),
        (steps, minReplicas, span) => {
          const settings = {
            ...SETTINGS,
            minReplicas,
            maxReplicas: minReplicas + span,
            scaleDownWindowMs: 120_000,
          };
          let state = INITIAL_SCALING_STATE;
          let current = minReplicas;
          let nowMs = 0;
          let shrunkAtMs = Number.NEGATIVE_INFINITY;
          for (const { afterMs, unscraped, ...scene } of steps) {
            nowMs += afterMs;
            const pods = { ...scene, pods: current, unscraped: Math.min(unscraped, current) };
            const result = recommend({ ...pods, settings, nowMs, state });
            expect(result.replicas).toBeGreaterThanOrEqual(settings.minReplicas);
            expect(result.replicas).toBeLessThanOrEqual(settings.maxReplicas);
            if (result.replicas < current) {
              expect(result.replicas).toBe(current - 1);
              expect(scene.rolloutRunning).toBe(false);
              expect(nowMs).toBeGreaterThanOrEqual(120_000);
              expect(nowMs - shrunkAtMs).toBeGreaterThanOrEqual(settings.scaleDownIntervalMs);
              expect(scene.streams / 10 / result.replicas).toBeLessThan(settings.target);
              shrunkAtMs = nowMs;
            }
            if (unscraped >= current) expect(result.replicas).toBe(current);
            expect(result.state.history.length).toBeLessThanOrEqual(span + 2);
            state = scaled(result.state, {
              fromReplicas: current,
              toReplicas: result.replicas,
              kind: "Other",
              nowMs,
              windowMs: settings.scaleDownWindowMs,
            });
            current = result.replicas;
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
