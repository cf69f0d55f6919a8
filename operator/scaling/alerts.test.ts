import { describe, expect, it } from "vitest";
import type * as z from "zod";
import { type Alert, alert, DEFAULT_ALERTS } from "../api/v1alpha1/scaling.ts";
import { formatValue, threshold } from "./alert-metrics.ts";
import { type AlertsInput, type AlertsState, alertsActed, evaluateAlerts, resumeAlerts } from "./alerts.ts";
import type { PodReading } from "./reading.ts";

const START = Date.parse("2026-01-01T00:00:00Z");
const MINUTE = 60_000;
const TICK = 15_000;

function pod(over: Partial<PodReading> = {}): PodReading {
  return {
    pod: "p0",
    revision: "stable",
    ready: true,
    stale: false,
    atMs: START,
    inFlight: 5,
    capacity: 10,
    elu: 0.2,
    workerUtilization: 0.5,
    gcShare: 0.01,
    heapAfterMajorShare: 0.3,
    poolWaiting: { postgres: 0 },
    memoryBytes: 100,
    ...over,
  };
}

const parse = (over: z.input<typeof alert>): Alert => alert.parse(over);
const busy = parse({ name: "busy", metric: "WorkerUtilization", above: "90%", for: "1m", action: "ScaleUp" });

/** A pod that serves, of which nothing is known. */
const silent: readonly PodReading[] = [{ pod: "stable-1", revision: "stable", ready: true }];

/** Looks at the same alerts time after time. */
function watch(alerts: readonly Alert[], fixed: Partial<AlertsInput> = {}) {
  let state: AlertsState = fixed.state ?? {};
  return {
    look(atMs: number, readings: readonly PodReading[]) {
      const result = evaluateAlerts({
        alerts,
        canaryRevision: undefined,
        memoryLimitBytes: () => 1000,
        ...fixed,
        readings,
        nowMs: START + atMs,
        state,
      });
      state = result.state;
      return { ...result, one: result.statuses[0], action: result.actions[0] };
    },
    acted(atMs: number, names: readonly string[]) {
      state = alertsActed(state, names, START + atMs);
    },
  };
}

describe("states", () => {
  it("is Pending until the condition has held for `for`, then Firing, then Inactive at once", () => {
    const { look } = watch([busy]);
    const hot = [pod({ workerUtilization: 0.95 })];
    expect(look(0, [pod()]).one?.state).toBe("Inactive");
    expect(look(TICK, hot).one).toMatchObject({ state: "Pending", since: "2026-01-01T00:00:15.000Z" });
    expect(look(TICK + 59_999, hot).one?.state).toBe("Pending");
    expect(look(TICK + MINUTE, hot)).toMatchObject({
      one: {
        state: "Firing",
        since: "2026-01-01T00:01:15.000Z",
        value: "95.0%",
        message: "WorkerUtilization is 95.0%, above 90% for 1m.",
        recommendation:
          "Raise spec.workers.max if the pods have CPU to spare, else spec.scaling.maxReplicas.",
      },
      action: { alert: "busy", action: "ScaleUp", due: true },
    });
    const calm = look(2 * MINUTE, [pod()]);
    expect(calm.one).toEqual({
      name: "busy",
      state: "Inactive",
      severity: "Warning",
      action: "ScaleUp",
      value: "50.0%",
      message: "WorkerUtilization is 50.0%.",
    });
    expect(calm.actions).toEqual([]);
  });

  it("starts anew after a single good look", () => {
    const { look } = watch([busy]);
    const hot = [pod({ workerUtilization: 0.95 })];
    look(0, hot);
    look(45_000, [pod()]);
    expect(look(60_000, hot).one?.state).toBe("Pending");
    expect(look(119_999, hot).one?.state).toBe("Pending");
    expect(look(120_000, hot).one?.state).toBe("Firing");
  });

  it("counts no more than two minutes between two looks", () => {
    const { look } = watch([{ ...busy, for: "5m" }]);
    const hot = [pod({ workerUtilization: 0.95 })];
    look(0, hot);
    expect(look(10 * MINUTE, hot).one?.state).toBe("Pending");
    expect(look(13 * MINUTE, hot).one?.state).toBe("Pending");
    expect(look(14 * MINUTE, hot).one?.state).toBe("Firing");
  });

  it("starts anew when the alert is edited, but keeps its cooldown", () => {
    const hot = [pod({ workerUtilization: 0.95 })];
    const first = watch([busy]);
    first.look(0, hot);
    first.look(MINUTE, hot);
    first.acted(MINUTE, ["busy"]);
    const { state } = first.look(MINUTE + 1, hot);
    const edited = watch([{ ...busy, above: "80%" }], { state });
    expect(edited.look(2 * MINUTE, hot).one?.state).toBe("Pending");
    expect(edited.look(3 * MINUTE, hot).action).toMatchObject({ due: false });
  });
});

describe("missing data", () => {
  const hot = [pod({ workerUtilization: 0.95 })];
  const gone = [pod({ atMs: undefined, stale: undefined })];

  it("is Unknown and never acts, even while firing", () => {
    const { look } = watch([busy]);
    look(0, hot);
    look(MINUTE, hot);
    const unknown = look(MINUTE + TICK, gone);
    expect(unknown.one).toMatchObject({
      state: "Unknown",
      message:
        "WorkerUtilization is unknown, because too few ready pods have a fresh reading; the alert does not act.",
    });
    expect(unknown.actions).toEqual([]);
    expect(look(MINUTE + 2 * TICK, hot).one?.state).toBe("Firing");
  });

  it("does not count towards `for`", () => {
    const { look } = watch([busy]);
    look(0, hot);
    look(30_000, hot);
    look(45_000, gone);
    expect(look(60_000, hot).one?.state).toBe("Pending");
    expect(look(89_999, hot).one?.state).toBe("Pending");
    expect(look(90_000, hot).one?.state).toBe("Firing");
  });

  it("is forgotten after a long gap", () => {
    const { look } = watch([busy]);
    look(0, hot);
    look(MINUTE, hot);
    for (let atMs = MINUTE + TICK; atMs <= 4 * MINUTE; atMs += TICK) look(atMs, gone);
    expect(look(4 * MINUTE + TICK, hot).one?.state).toBe("Pending");
  });

  it.each<[string, z.input<typeof alert>, PodReading[], string]>([
    [
      "no pod is ready",
      { name: "a", metric: "GcTimeShare", above: "5%" },
      [pod({ ready: false })],
      "Unknown",
    ],
    [
      "most pods are silent",
      { name: "a", metric: "GcTimeShare", above: "5%" },
      [pod(), ...gone, ...gone],
      "Unknown",
    ],
    ["half of them answer", { name: "a", metric: "GcTimeShare", above: "5%" }, [pod(), ...gone], "Inactive"],
    [
      "one pod proves the worst",
      { name: "a", metric: "GcTimeShare", above: "5%" },
      [pod({ gcShare: 0.2 }), ...gone, ...gone],
      "Pending",
    ],
    [
      "one pod is no mean",
      { name: "a", metric: "WorkerUtilization", above: "90%" },
      [...hot, ...gone, ...gone],
      "Unknown",
    ],
    [
      "nothing failed because nothing was asked",
      { name: "a", metric: "ErrorShare", above: "1%" },
      [pod()],
      "Inactive",
    ],
    [
      "no such metric in pods that answer",
      { name: "a", metric: "MemoryShare", above: "90%" },
      [pod({ memoryBytes: undefined })],
      "Unknown",
    ],
    [
      "NaN in one pool",
      { name: "a", metric: "PoolWaiting", above: "0" },
      [pod({ poolWaiting: { postgres: 1, redis: Number.NaN } })],
      "Unknown",
    ],
    ["NaN", { name: "a", metric: "GcTimeShare", above: "5%" }, [pod({ gcShare: Number.NaN })], "Unknown"],
  ])("%s", (_, spec, readings, state) => {
    expect(watch([parse(spec)]).look(0, readings).one?.state).toBe(state);
  });
});

describe("metrics", () => {
  const other = (over: Partial<PodReading>) => pod({ pod: "p1", ...over });

  it.each<[string, z.input<typeof alert>, PodReading[], string]>([
    [
      "the worst pod",
      { name: "a", metric: "GcTimeShare", above: "5%" },
      [pod(), other({ gcShare: 0.072 })],
      "GcTimeShare is 7.2% in pod p1, above 5% for 0s.",
    ],
    [
      "the mean of shares",
      { name: "a", metric: "WorkerUtilization", above: "60%" },
      [pod(), other({ workerUtilization: 0.9 })],
      "WorkerUtilization is 70.0%, above 60% for 0s.",
    ],
    [
      "the sum of those waiting, over pods and pools",
      { name: "a", metric: "PoolWaiting", above: "0" },
      [pod({ poolWaiting: { postgres: 1, redis: 2 } }), other({ poolWaiting: { postgres: 4 } })],
      "PoolWaiting is 7, above 0 for 0s.",
    ],
    [
      "below",
      { name: "a", metric: "PoolHitRate", below: "80%" },
      [pod({ poolHitRate: 0.75 })],
      "PoolHitRate is 75.0%, below 80% for 0s.",
    ],
    [
      "the lowest pod, below",
      { name: "a", metric: "HeapAfterMajorGc", below: "20%" },
      [pod(), other({ heapAfterMajorShare: 0.1 })],
      "HeapAfterMajorGc is 10.0% in pod p1, below 20% for 0s.",
    ],
    [
      "a duration",
      { name: "a", metric: "FirstByteP95", above: "120ms" },
      [pod({ firstByteP95Seconds: 0.142 })],
      "FirstByteP95 is 142ms in pod p0, above 120ms for 0s.",
    ],
    [
      "a queue",
      { name: "a", metric: "WorkerQueueWait", above: "1s" },
      [pod({ workerWaitP95Seconds: 1.5 })],
      "WorkerQueueWait is 1.50s in pod p0, above 1s for 0s.",
    ],
    [
      "requests over capacity",
      { name: "a", metric: "Utilization", above: "40%" },
      [pod()],
      "Utilization is 50.0%, above 40% for 0s.",
    ],
    [
      "memory over its limit",
      { name: "a", metric: "MemoryShare", above: "85%" },
      [pod({ memoryBytes: 900 })],
      "MemoryShare is 90.0% in pod p0, above 85% for 0s.",
    ],
    [
      "the event loop",
      { name: "a", metric: "EventLoopUtilization", above: "10%" },
      [pod()],
      "EventLoopUtilization is 20.0%, above 10% for 0s.",
    ],
    [
      "errors",
      { name: "a", metric: "ErrorShare", above: "0.1%" },
      [pod({ errorShare: 0.05 })],
      "ErrorShare is 5.0%, above 0.1% for 0s.",
    ],
  ])("%s", (_, spec, readings, message) => {
    const { one } = watch([parse({ ...spec, for: "0s" })]).look(0, readings);
    expect(one).toMatchObject({ state: "Firing", message });
    expect(one?.recommendation).toMatch(/\.$/);
  });

  it.each([
    ["PoolHitRate", "80%", 0.8],
    ["FirstByteP95", "120ms", 0.12],
    ["FirstByteP95", "1.5s", 1.5],
    ["FirstByteP95", "2m", 120],
    ["PoolWaiting", "3", 3],
  ] as const)("%s threshold %s", (metric, text, value) => {
    expect(threshold(metric, text)).toBeCloseTo(value);
  });

  it("refuses a threshold in another unit", () => {
    expect(() => threshold("PoolWaiting", "3%")).toThrow(
      '"3%" is not a threshold for PoolWaiting, which needs a count',
    );
  });

  it("writes values as people do", () => {
    expect([
      formatValue("PoolWaiting", 3),
      formatValue("FirstByteP95", 0.0421),
      formatValue("GcTimeShare", 0.0719),
    ]).toEqual(["3", "42ms", "7.2%"]);
  });
});

describe("actions", () => {
  const hot = [pod({ workerUtilization: 0.95 })];
  const at = (action: Alert["action"], fixed: Partial<AlertsInput> = {}) =>
    watch([{ ...busy, action, for: "0s" }], fixed);

  it("notifies once for each time it fires", () => {
    const { look } = at("Notify");
    expect(look(0, hot).action).toMatchObject({ action: "Notify", due: true });
    expect(look(10 * MINUTE, hot).action).toMatchObject({ due: false });
    look(11 * MINUTE, [pod()]);
    expect(look(12 * MINUTE, hot)).toMatchObject({
      action: { due: true },
      one: { lastActed: "2026-01-01T00:12:00.000Z" },
    });
  });

  it("scales again only after the cooldown, which starts when it was carried out", () => {
    const { look, acted } = at("ScaleUp");
    expect(look(0, hot).action?.due).toBe(true);
    expect(look(TICK, hot).action?.due).toBe(true);
    acted(TICK, ["busy"]);
    expect(look(TICK + 5 * MINUTE - 1, hot)).toMatchObject({
      action: { due: false },
      one: { state: "Firing" },
    });
    expect(look(TICK + 5 * MINUTE, hot).action?.due).toBe(true);
  });

  it("holds a rollout for as long as it fires", () => {
    const { look, acted } = at("Hold");
    look(0, hot);
    acted(0, ["busy"]);
    expect(look(TICK, hot).action).toMatchObject({ action: "Hold", due: true });
  });

  it("holds on while nothing is known, for as long as that lasts", () => {
    const message =
      "WorkerUtilization is unknown, because too few ready pods have a fresh reading; the alert holds until it is known, or is taken out of spec.alerts";
    const { look } = at("Hold");
    expect(look(0, silent).action).toBeUndefined();
    look(TICK, hot);
    for (const atMs of [2 * TICK, 60 * MINUTE])
      expect(look(atMs, silent)).toMatchObject({
        one: { state: "Firing", since: "2026-01-01T00:00:15.000Z", message: `${message}.` },
        action: { action: "Hold", due: true, message },
      });
    expect(look(61 * MINUTE, hot).one).toMatchObject({ since: "2026-01-01T00:00:15.000Z" });
    expect(look(62 * MINUTE, [pod()])).toMatchObject({ one: { state: "Inactive" }, action: undefined });
    expect(look(63 * MINUTE, silent).action).toBeUndefined();
  });

  it("holds nobody where no pod is ready", () => {
    const { look } = at("Hold");
    look(0, hot);
    const dead = silent.map((one) => ({ ...one, ready: false }));
    expect(look(TICK, dead)).toMatchObject({ one: { state: "Unknown" }, action: undefined });
  });

  it.each(["Notify", "ScaleUp", "ScaleDown", "Rollback"] as const)(
    "asks for %s no longer once nothing is known",
    (action) => {
      const { look } = at(action, { canaryRevision: "stable" });
      expect(look(0, hot).one?.state).toBe("Firing");
      expect(look(TICK, [])).toMatchObject({ one: { state: "Unknown" }, action: undefined });
    },
  );

  it("rolls back by the canary's pods alone, and only while there is a canary", () => {
    const canary = pod({ pod: "c", revision: "canary" });
    const { look } = at("Rollback", { canaryRevision: "canary" });
    expect(look(0, [...hot, canary]).one?.state).toBe("Inactive");
    expect(look(TICK, [pod(), { ...canary, workerUtilization: 0.99 }]).action).toMatchObject({
      action: "Rollback",
      due: true,
    });
    expect(at("Rollback").look(0, hot).action).toMatchObject({ due: false });
  });
});

describe("resumeAlerts", () => {
  const hot = [pod({ workerUtilization: 0.95 })];

  it("lets a new leader go on with cooldowns and without a second notice", () => {
    const notify = { ...busy, action: "Notify" as const };
    const before = watch([busy, { ...notify, name: "told" }]);
    before.look(0, hot);
    before.look(MINUTE, hot);
    before.acted(MINUTE, ["busy"]);
    const { statuses } = before.look(MINUTE + TICK, hot);
    const alerts = [busy, { ...notify, name: "told" }, { ...notify, name: "new" }];
    const after = watch(alerts, { state: resumeAlerts(alerts, statuses) });
    const { statuses: resumed, actions } = after.look(2 * MINUTE, hot);
    expect(resumed.map(({ state, since }) => [state, since])).toEqual([
      ["Firing", "2026-01-01T00:01:00.000Z"],
      ["Firing", "2026-01-01T00:01:00.000Z"],
      ["Pending", "2026-01-01T00:02:00.000Z"],
    ]);
    expect(actions.map(({ due }) => due)).toEqual([false, false]);
    expect(after.look(6 * MINUTE, hot).actions.find(({ alert: name }) => name === "busy")?.due).toBe(true);
  });
});

it("holds on where a new leader knows nothing at first", () => {
  const alerts = [{ ...busy, action: "Hold" as const, for: "0s" }];
  let { statuses } = watch(alerts).look(0, [pod({ workerUtilization: 0.95 })]);
  for (const restart of [1, 2]) {
    const after = watch(alerts, { state: resumeAlerts(alerts, statuses) });
    const seen = after.look(restart * MINUTE, silent);
    expect(seen).toMatchObject({
      one: { state: "Firing", since: "2026-01-01T00:00:00.000Z" },
      action: { due: true },
    });
    statuses = seen.statuses;
  }
});

describe("the default table", () => {
  it("has nothing to say of a healthy fleet, and three things of a sick one", () => {
    const alerts = DEFAULT_ALERTS.map(parse);
    const sick = [pod({ gcShare: 0.06, poolWaiting: { postgres: 1 }, workerUtilization: 0.95 })];
    const healthy = watch(alerts);
    const ill = watch(alerts);
    for (let atMs = 0; atMs <= 5 * MINUTE; atMs += TICK) {
      expect(healthy.look(atMs, [pod()]).actions).toEqual([]);
      ill.look(atMs, sick);
    }
    expect(
      ill.look(5 * MINUTE + TICK, sick).actions.map(({ alert: name, action }) => [name, action]),
    ).toEqual([
      ["gc-time", "Notify"],
      ["pool-waiting", "Notify"],
      ["workers-busy", "ScaleUp"],
    ]);
  });
});
