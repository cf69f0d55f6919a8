import { describe, expect, it } from "vitest";
import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import { contextAt, minutes } from "../model/moment.ts";
import { judged, step, T0, worldAtRest } from "../model/world.ts";
import type { Verdicts } from "../types.ts";
import { holdEndsMs, inconclusiveAtMs, noDataAtMs } from "./inconclusive.ts";
import { firstHold, isReleased, isWithoutData, whyNoBaseline } from "./proceed.ts";

type Around = Parameters<typeof contextAt>[1];
const held = { weight: 50, holdingSince: minutes(-9), servedSince: minutes(-9), evidenceSince: minutes(-9) };
const at = (more: Around = {}, state: Partial<RolloutStatus> = {}) => contextAt({ ...held, ...state }, more);
type Judged = Partial<Extract<Verdicts, { kind: "Judged" }>>;
const says = (errors: "ProvedBelow" | "ProvedWorse" | "Undecided" | "NoData", more: Judged = {}) => ({
  verdicts: judged(worldAtRest(), errors, more),
});
const latency = { objective: "120ms", rollbackAbove: "1%", promoteBelow: "3%" };
const gate = { name: "memory", metric: "MemoryPerPod", below: "1Gi" };
const analysis = { analysis: { latency, gates: [gate] } };
const passed = { name: "memory", category: "Passed" as const, message: "m" };
const good = { category: "ProvedBelow" as const, message: "good" };
const all = { latency: good, gates: [passed] };
const fault = { reason: "Unschedulable" as const, pod: "b-0", message: "no place", decisiveAtMs: Infinity };

describe("firstHold", () => {
  it("is nothing where all is given", () => {
    expect(firstHold(at(says("ProvedBelow")))).toBeUndefined();
    expect(firstHold(at({ ...says("ProvedBelow", all), plan: analysis }))).toBeUndefined();
  });

  it.each([
    [
      { accepted: false },
      "NotAccepted",
      "The spec is refused; the rollout stays where it is until the spec is corrected.",
    ],
    [
      { plan: { paused: true } },
      "Paused",
      "It is paused (spec.rollout.paused); `kubectl llmbridge resume` lets it go on.",
    ],
    [
      { alerts: { hold: { name: "busy", message: "too much." }, rollback: undefined } },
      "AlertHold",
      "Alert busy asks to hold: too much.",
    ],
    [
      { needed: 0 },
      "NoPodsNeeded",
      "No pods are asked for, so nothing can be judged; scale the bridge up to go on.",
    ],
    [
      { pods: { b: { ready: 3, unready: 1 } } },
      "PodsNotReady",
      "Pods of the canary that step half needs are not ready.",
    ],
    [
      { pods: { b: { ready: 3, unready: 1, fault } } },
      "PodsNotReady",
      "Pods of the canary that step half needs are not ready: no place.",
    ],
  ] satisfies [Around, string, string][])("is what no person can waive: %#", (more, reason, message) => {
    const given = { ...says("ProvedBelow"), ...more };
    expect(firstHold(at(given))).toEqual({ reason, message });
    expect(firstHold(at(given, { approvedStep: "half" }))).toEqual({ reason, message });
  });

  it.each([
    [
      "errors that are worse",
      says("ProvedWorse"),
      "ProvedWorse",
      "The canary is proved worse (errors are ProvedWorse); onFailure is Pause.",
    ],
    [
      "latency that is worse",
      { ...says("ProvedBelow", { latency: { category: "ProvedWorse", message: "slow." } }), plan: analysis },
      "ProvedWorse",
      "The canary is proved worse (slow); onFailure is Pause.",
    ],
    [
      "a gate that is violated",
      {
        ...says("ProvedBelow", {
          gates: [passed, { name: "p95", category: "Violated", message: "too slow." }],
        }),
      },
      "GateViolated",
      "Gate p95 is violated (too slow); onFailure is Pause.",
    ],
    ["errors of which nothing is known", says("NoData"), "NoData", "No evidence yet: errors are NoData."],
    [
      "errors that are not proved",
      says("Undecided"),
      "Undecided",
      "Not yet proved below the promotion margin: errors (errors are Undecided).",
    ],
    [
      "latency that nobody has judged",
      { ...says("ProvedBelow", { gates: [passed] }), plan: analysis },
      "Undecided",
      "Not yet proved below the promotion margin: latency (no verdict yet).",
    ],
    [
      "a gate without data",
      {
        ...says("ProvedBelow", { ...all, gates: [{ ...passed, category: "NoData", message: "none." }] }),
        plan: analysis,
      },
      "NoData",
      "No evidence for gate memory (none).",
    ],
    [
      "a gate that has not passed",
      {
        ...says("ProvedBelow", {
          ...all,
          gates: [
            { ...passed, name: "x" },
            { ...passed, category: "Undecided", message: "soon." },
          ],
        }),
        plan: analysis,
      },
      "GateUndecided",
      "Gate memory has not passed yet (soon).",
    ],
    [
      "a gate that nobody has judged",
      { ...says("ProvedBelow", { ...all, gates: [] }), plan: analysis },
      "GateUndecided",
      "Gate memory has not passed yet (no verdict yet).",
    ],
    [
      "no verdict",
      { verdicts: { kind: "NotStarted" as const, message: "nothing was counted." } },
      "NoData",
      "No verdict yet: nothing was counted.",
    ],
    [
      "a verdict of the time before",
      says("ProvedBelow", { decidedAtMs: T0 - 9 * 60_000 + 14_999 }),
      "Undecided",
      "No whole counting interval has passed at this weight yet.",
    ],
    [
      "metrics that are missing",
      { metrics: { available: false, message: "no answer." } },
      "MetricsUnavailable",
      "Metrics are missing: no answer.",
    ],
  ] satisfies [string, Around, string, string][])("is %s", (_, more, reason, message) => {
    expect(firstHold(at(more))).toEqual({ reason, message });
    expect(firstHold(at(more, { approvedStep: "half" }))).toBeUndefined();
  });

  const asked = (more: object) => ({ steps: [step("half", 50, more), step("all", 100)] });
  it("says that requests do not show the step where the canary serves some", () => {
    const context = at({ ...says("ProvedBelow"), plan: asked({}) }, { servedSince: undefined });
    const canary = { ...context.canary, servedRequests: true };
    expect(firstHold({ ...context, canary })).toEqual({
      reason: "WeightNotApplied",
      message: "The requests that the canary serves do not show step half (50%) yet.",
    });
  });

  it("takes a verdict whose last interval lies just within", () => {
    const decidedAtMs = T0 - 9 * 60_000 + 15_000;
    expect(firstHold(at(says("ProvedBelow", { decidedAtMs })))).toBeUndefined();
    // Intervals may be longer than the spec says.
    expect(firstHold(at(says("ProvedBelow", { decidedAtMs, intervalMs: 30_000 })))?.reason).toBe("Undecided");
  });

  it("does not ask for what only runs dry", () => {
    const dry = { analysis: { latency: { ...latency, dryRun: true }, gates: [{ ...gate, dryRun: true }] } };
    expect(firstHold(at({ ...says("ProvedBelow"), plan: dry }))).toBeUndefined();
  });

  it.each([
    [
      "requests",
      {},
      { servedSince: undefined },
      "NoRequests",
      "The canary has not served a request at step half (50%) yet.",
    ],
    ["the hold", {}, { servedSince: minutes(-4) }, "HoldTime", "The hold ends at 2026-01-01T00:01:00Z."],
    [
      "a person",
      {},
      {},
      "Approval",
      "Step half waits for approval: `kubectl llmbridge promote` releases revision b.",
    ],
  ] satisfies [string, Around, Partial<RolloutStatus>, string, string][])(
    "waits for %s",
    (_, more, state, reason, message) => {
      const given = { ...says("ProvedBelow"), plan: asked({ approval: true }), ...more };
      expect(firstHold(at(given, state))).toEqual({ reason, message });
      expect(firstHold(at(given, { ...state, approvedStep: "half" }))).toBeUndefined();
    },
  );

  it("asks for no verdict at a step without analysis, and for no requests", () => {
    const none = asked({ analysis: "None" });
    expect(firstHold(at({ plan: none }, { servedSince: undefined }))).toBeUndefined();
    expect(firstHold(at({ plan: none, ...says("ProvedWorse") }))).toBeUndefined();
    expect(firstHold(at({ plan: none }, { holdingSince: minutes(-1) }))).toMatchObject({
      reason: "HoldTime",
    });
  });
});

describe("evidence that is too little for too long", () => {
  const plan = (action: string) => ({ analysis: { inconclusive: { after: "1h", action } } });
  const long = { servedSince: minutes(-65), holdingSince: minutes(-65) };

  it.each([
    ["a minute before", "Pause", minutes(-64), "Undecided"],
    ["then", "Pause", minutes(-65), "Inconclusive"],
    ["then, where it goes on all the same", "Proceed", minutes(-65), undefined],
    ["before, where it would go on", "Proceed", minutes(-64), "Undecided"],
  ])("%s: %s", (_, action, since, reason) => {
    const context = at(
      { ...says("Undecided"), plan: plan(action) },
      { servedSince: since, holdingSince: since },
    );
    expect(firstHold(context)?.reason).toBe(reason);
  });

  it("says how long, and who decides", () => {
    expect(firstHold(at({ ...says("Undecided"), plan: plan("Pause") }, long))?.message).toBe(
      "Not yet proved below the promotion margin: errors (errors are Undecided). This has lasted 1h beyond the hold; `kubectl llmbridge promote` or `abort` decides.",
    );
  });
});

describe("evidence that is missing for too long", () => {
  const plan = (action: string) => ({ analysis: { noData: { after: "30m", action } } });
  const gone = { metrics: { available: false, message: "no answer." } };
  it.each([
    ["a minute before", "Pause", minutes(-29), "MetricsUnavailable"],
    ["then", "Pause", minutes(-30), "NoDataTooLong"],
    ["then, where it goes on all the same", "Proceed", minutes(-30), undefined],
    ["before, where it would go on", "Proceed", minutes(-29), "MetricsUnavailable"],
  ])("%s: %s", (_, action, noDataSince, reason) => {
    expect(firstHold(at({ ...gone, plan: plan(action) }, { noDataSince }))?.reason).toBe(reason);
  });

  it("says how long, and who decides", () => {
    expect(firstHold(at({ ...gone, plan: plan("Pause") }, { noDataSince: minutes(-30) }))?.message).toBe(
      "Metrics are missing: no answer. This has lasted 30m; `kubectl llmbridge promote` or `abort` decides.",
    );
  });

  it.each([
    ["Pause", "onFailure is Pause"],
    ["Rollback", "it is rolled back when there are metrics again"],
  ])("passes nothing that was proved worse before, under onFailure %s", (onFailure, why) => {
    const proceed = { ...gone, plan: { onFailure, ...plan("Proceed") } };
    const long = { noDataSince: minutes(-30) };
    const violated = { gates: [{ name: "p95", category: "Violated" as const, message: "too slow." }] };
    expect(firstHold(at({ ...proceed, ...says("ProvedWorse") }, long))).toEqual({
      reason: "ProvedWorse",
      message: `The canary is proved worse (errors are ProvedWorse); ${why}.`,
    });
    expect(firstHold(at({ ...proceed, ...says("ProvedBelow", violated) }, long))).toEqual({
      reason: "GateViolated",
      message: `Gate p95 is violated (too slow); ${why}.`,
    });
    expect(firstHold(at({ ...proceed, ...says("ProvedBelow") }, long))).toBeUndefined();
  });

  it("is known at each look", () => {
    expect(isWithoutData(at(gone))).toBe(true);
    expect(isWithoutData(at(says("Undecided")))).toBe(false);
    expect(isWithoutData(at(says("ProvedBelow")))).toBe(false);
    expect(isWithoutData(at({}, { servedSince: undefined }))).toBe(true);
  });
});

describe("when time decides", () => {
  const MINUTE = 60_000;
  it("is counted from the first requests, or from the weight where none are to come", () => {
    expect(holdEndsMs(at({}, { servedSince: minutes(-1) }))).toBe(T0 + 4 * MINUTE);
    expect(holdEndsMs(at({}, { servedSince: undefined }))).toBeUndefined();
    const none = { steps: [step("half", 50, { analysis: "None" }), step("all", 100)] };
    expect(holdEndsMs(at({ plan: none }, { servedSince: undefined, holdingSince: minutes(-2) }))).toBe(
      T0 + 3 * MINUTE,
    );
  });

  it.each([
    ["from the first requests", { servedSince: minutes(0) }, 65],
    ["from the weight, where none came", { servedSince: undefined, holdingSince: minutes(-2) }, 63],
    [
      "from the phase, where that is not known",
      { servedSince: undefined, holdingSince: undefined, phaseSince: minutes(-3) },
      62,
    ],
  ])("for what is inconclusive is an hour beyond the hold, %s", (_, state, ends) => {
    const context = at({ plan: { analysis: { inconclusive: { after: "1h", action: "Pause" } } } }, state);
    expect(inconclusiveAtMs(context)).toBe(T0 + ends * MINUTE);
    expect(inconclusiveAtMs({ ...context, state: { ...context.state, phase: "Stepping" } })).toBeUndefined();
  });

  it.each([
    ["half an hour after it began", { noDataSince: minutes(0) }, 30],
    ["not before the hold is over", { noDataSince: minutes(-29), servedSince: minutes(0) }, 5],
    ["at no time while nothing is missing", {}, undefined],
    ["at no time out of a hold", { phase: "Stepping" as const, noDataSince: minutes(0) }, undefined],
  ])("for what is missing is %s", (_, state, ends) => {
    const context = at({ plan: { analysis: { noData: { after: "30m", action: "Pause" } } } }, state);
    expect(noDataAtMs(context)).toBe(ends === undefined ? undefined : T0 + ends * MINUTE);
  });
});

describe("whyNoBaseline", () => {
  const fresh = (ready: number, more: object = {}) => ({
    plan: { baseline: "SameAge" },
    pods: { "a-baseline": { ready, unready: 2 - ready, ...more } },
  });
  const state = { baseline: "SameAge" as const };
  const message =
    "Pods of the stable version that the canary is to be compared with (baseline SameAge) are not ready";
  it.each([
    ["pods that are not ready", fresh(1), state, 2, "BaselineNotReady", `${message}.`],
    ["pods that fail", fresh(1, { fault }), state, 2, "BaselineNotReady", `${message}: no place.`],
    [
      "no room",
      fresh(0),
      state,
      0,
      "NoRoom",
      "There is no room for a pod of the baseline beside the canary until other pods have ended.",
    ],
  ] satisfies [string, Around, Partial<RolloutStatus>, number, string, string][])(
    "is %s",
    (_, more, given, wanted, reason, said) => {
      expect(whyNoBaseline(at(more, given), wanted)).toEqual({ reason, message: said });
    },
  );

  it.each([
    ["with its pods", fresh(2), state],
    ["of a canary that has none", fresh(0), {}],
    ["at 100%", fresh(0), { ...state, stepName: "all" }],
    ["at a step that a person released", fresh(0), { ...state, approvedStep: "half" }],
  ] satisfies [string, Around, Partial<RolloutStatus>][])("is nothing %s", (_, more, given) => {
    expect(whyNoBaseline(at(more, given), 2)).toBeUndefined();
  });

  it("is waived with the step, whose name is released and not another's", () => {
    expect(isReleased(at({}, { approvedStep: "half" }))).toBe(true);
    expect(isReleased(at({}, { approvedStep: "all" }))).toBe(false);
  });
});
