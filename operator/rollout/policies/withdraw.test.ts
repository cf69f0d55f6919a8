import { describe, expect, it } from "vitest";
import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import { contextAt, minutes } from "../model/moment.ts";
import { judged, T0, worldAtRest } from "../model/world.ts";
import { whyRecall } from "./recall.ts";
import { deadlineMs, decisiveFault, whyWithdraw } from "./withdraw.ts";

type Around = Parameters<typeof contextAt>[1];
const held = { weight: 50, holdingSince: minutes(-9), servedSince: minutes(-9), evidenceSince: minutes(-9) };
const at = (more: Around = {}, state: Partial<RolloutStatus> = {}) => contextAt({ ...held, ...state }, more);
const fault = (reason: "OOMKilled" | "Unschedulable" | "PodsRefused", decisiveAtMs = T0) => ({
  ...{ reason, pod: "b-0", message: "m" },
  decisiveAtMs,
});
const missing = (more: object = {}) => ({ pods: { b: { ready: 3, unready: 1, ...more } } });
const late = { waitingSince: minutes(-10) };
const worse = (more: object = {}) => ({ verdicts: judged(worldAtRest(), "ProvedWorse"), ...more });
const alert = (sinceMs?: number) => ({
  alerts: { hold: undefined, rollback: { name: "errors", message: "above 5%", sinceMs } },
});
const deadline = (how: string, because = "") => `its pods ${how} within progressDeadline 10m${because}`;

describe("whyWithdraw", () => {
  it.each([
    ["the spec is back", { desired: "a" }, {}, "Reverted", "the spec is back at revision a, which is stable"],
    ["the spec has moved on", { desired: "c" }, {}, "Superseded", "the spec asks for revision c instead"],
    ["a container fails", missing({ fault: fault("OOMKilled") }), {}, "OOMKilled", "pod b-0: m"],
    ["an alert asks for it", alert(T0 - 9 * 60_000), {}, "Alert", "alert errors asks for it: above 5%"],
    [
      "an alert of which nobody knows since when asks for it",
      alert(),
      {},
      "Alert",
      "alert errors asks for it: above 5%",
    ],
    ["errors are worse", worse(), {}, "ErrorsProvedWorse", "errors are ProvedWorse"],
    [
      "a gate is violated",
      {
        verdicts: judged(worldAtRest(), "Undecided", {
          gates: [{ name: "p95", category: "Violated", message: "slow" }],
        }),
      },
      {},
      "GateViolated",
      "gate p95: slow",
    ],
    [
      "its pods never were ready",
      missing(),
      { ...late, phase: "Stepping" },
      "NeverReady",
      deadline("were not ready"),
    ],
    [
      "its pods lost their readiness",
      missing({ fault: fault("OOMKilled", Infinity) }),
      late,
      "LostReadiness",
      deadline("lost their readiness and did not regain it", " (m)"),
    ],
    [
      "pods lost their readiness beside one that has no place",
      { pods: { b: { ready: 1, unready: 3, fault: fault("Unschedulable", Infinity) } } },
      late,
      "LostReadiness",
      deadline("lost their readiness and did not regain it", " (m)"),
    ],
    [
      "none of its pods is ready, for lack of a place",
      { pods: { b: { unready: 4, fault: fault("Unschedulable", Infinity) } } },
      late,
      "LostReadiness",
      deadline("lost their readiness and did not regain it", " (m)"),
    ],
    [
      "it is undecided for too long",
      {
        plan: { analysis: { inconclusive: { after: "1m", action: "Rollback" } } },
        verdicts: judged(worldAtRest(), "Undecided"),
      },
      {},
      "Inconclusive",
      "undecided for 1m beyond the hold: Not yet proved below the promotion margin: errors (errors are Undecided)",
    ],
    [
      "there are no data for too long",
      {
        plan: { analysis: { noData: { after: "1m", action: "Rollback" } } },
        metrics: { available: false, message: "none" },
      },
      { noDataSince: minutes(-1) },
      "NoData",
      "no evidence for 1m: Metrics are missing: none",
    ],
    [
      "there are no data for too long to roll back what is worse",
      worse({
        plan: { analysis: { noData: { after: "1m", action: "Rollback" } } },
        metrics: { available: false, message: "none" },
      }),
      { noDataSince: minutes(-1) },
      "NoData",
      "no evidence for 1m: Metrics are missing: none",
    ],
  ] satisfies [string, Around, Partial<RolloutStatus>, string, string][])(
    "is that %s",
    (_, more, state, reason, message) => {
      expect(whyWithdraw(at(more, state))).toEqual({ reason, message });
    },
  );

  const action = {
    inconclusive: { after: "1m", action: "Rollback" },
    noData: { after: "1m", action: "Rollback" },
  };
  it.each([
    ["all is well", {}, {}],
    ["a refused spec asks for another", { desired: "c", accepted: false }, {}],
    ["an alert fired before it served", alert(T0 - 9 * 60_000 - 1), {}],
    ["an alert fired and it does not serve", alert(T0), { evidenceSince: undefined }],
    ["errors are worse under onFailure Pause", worse({ plan: { onFailure: "Pause" } }), {}],
    [
      "errors are worse under onFailure Pause and data are missing",
      worse({
        plan: { onFailure: "Pause", analysis: action },
        metrics: { available: false, message: "none" },
      }),
      { noDataSince: minutes(-9) },
    ],
    ["errors of a canary that never served are worse", worse(), { evidenceSince: undefined }],
    ["a fault may be a hiccup yet", missing({ fault: fault("OOMKilled", T0 + 1) }), {}],
    ["pods are late by less", missing(), { waitingSince: minutes(-9.99) }],
    ["a place is missing that it had before", missing({ fault: fault("Unschedulable", Infinity) }), late],
    [
      "pods are refused beside others that are ready",
      { pods: { b: { ready: 1, wanted: 4, fault: fault("PodsRefused", Infinity) } } },
      late,
    ],
    [
      "nobody has decided, but it is paused",
      { plan: { paused: true, analysis: action }, verdicts: judged(worldAtRest(), "Undecided") },
      {},
    ],
    [
      "data are missing, but it is paused",
      { plan: { paused: true, analysis: action }, metrics: { available: false, message: "none" } },
      { noDataSince: minutes(-9) },
    ],
  ] satisfies [string, Around, Partial<RolloutStatus>][])("is nothing while %s", (_, more, state) => {
    expect(whyWithdraw(at(more, state))).toBeUndefined();
  });
});

describe("deadlineMs", () => {
  it.each([
    ["after the wait began", missing(), { waitingSince: minutes(0) }, T0 + 600_000],
    ["at no time while nothing is waited for", missing(), {}, undefined],
    ["at no time with all its pods", {}, { waitingSince: minutes(0) }, undefined],
    [
      "for a first pod that is not asked for yet",
      { pods: { b: 0 } },
      { waitingSince: minutes(0) },
      T0 + 600_000,
    ],
    [
      "at no time with those that there is room for",
      { pods: { b: 2 }, maxPods: 6 },
      { waitingSince: minutes(0) },
      undefined,
    ],
    [
      "at no time with more than its step needs",
      { pods: { b: { ready: 4, unready: 3 } } },
      { waitingSince: minutes(0) },
      undefined,
    ],
    [
      "for a place, before it held",
      missing({ fault: fault("PodsRefused") }),
      { phase: "Stepping", waitingSince: minutes(0) },
      T0 + 600_000,
    ],
  ] satisfies [string, Around, Partial<RolloutStatus>, number | undefined][])(
    "is %s",
    (_, more, state, ms) => {
      expect(deadlineMs(at(more, state))).toBe(ms);
    },
  );
});

it("the fault that counts is the first that did", () => {
  const [early, now, later] = [
    fault("OOMKilled", T0 - 1),
    fault("OOMKilled", T0),
    fault("OOMKilled", T0 + 1),
  ];
  expect(decisiveFault([later, now, early], T0)).toBe(early);
  expect(decisiveFault([later, now], T0)).toBe(now);
  expect(decisiveFault([later], T0)).toBeUndefined();
});

describe("whyRecall", () => {
  const promoted = {
    phase: "Watching",
    stableRevision: "b",
    canaryRevision: undefined,
    previousRevision: "a",
  } as const;
  const recall = (more: Around = {}) => whyRecall(at(more, promoted));
  const watched = (...alarms: { signal: "errors" | "latency"; message: string }[]) => ({
    verdicts: { kind: "Watched" as const, alarms, message: "" },
  });

  it("is nothing while all is well", () => {
    expect(recall(watched())).toBeUndefined();
    expect(recall({ desired: "a", accepted: false })).toBeUndefined();
    expect(
      recall({ ...watched({ signal: "errors", message: "m" }), plan: { onFailure: "Pause" } }),
    ).toBeUndefined();
  });

  it.each([
    [
      { desired: "a" },
      { reason: "Reverted", message: "the spec is back at revision a, which was stable before" },
    ],
    [missing({ fault: fault("OOMKilled") }), { reason: "OOMKilled", message: "pod b-0: m" }],
    [alert(), { reason: "Alert", message: "alert errors asks for it: above 5%" }],
    [
      watched({ signal: "errors", message: "m" }, { signal: "latency", message: "n" }),
      { reason: "ErrorsProvedWorse", message: "m" },
    ],
    [watched({ signal: "latency", message: "n" }), { reason: "LatencyProvedWorse", message: "n" }],
  ] satisfies [Around, object][])("is what is found: %#", (more, why) => {
    expect(recall(more)).toEqual(why);
  });
});
