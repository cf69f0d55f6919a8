import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { llmBridgeStatus } from "../api/v1alpha1/status.ts";
import { createBridgeMetrics } from "./metrics.ts";
import type { Plan } from "./plan.ts";

const KEY = { namespace: "ai", name: "chat" };
const time = "2026-01-01T00:00:00Z";
const planOf = (status: object): Plan => ({
  ...{ writes: [], events: [], decisions: [], statusScope: "Whole" },
  status: llmBridgeStatus.parse({ phase: "Holding", ...status }),
});
const waiting = planOf({
  rollout: {
    ...{ phase: "Holding", phaseSince: time, heldFor: "Approval" },
    timing: { startedAt: time, waitedMs: 0, waitsSince: "2026-01-01T00:01:00Z" },
  },
  lastRollout: {
    ...{ revision: "b", outcome: "RolledBack", startedAt: time, endedAt: time },
    ...{ progressSeconds: 60, waitingSeconds: 300 },
  },
});

const own = { namespace: "ai", bridge: "chat" };
const lines = async (registry: Registry, name: string) =>
  (await registry.metrics()).split("\n").filter((line) => line.startsWith(name));

describe("the metrics of a bridge", () => {
  const version = { revision: "a", image: "registry.example/bridge:1" };
  const condition = { reason: "Why", message: "", lastTransitionTime: time, observedGeneration: 1 };
  const alert = { action: "Notify", message: "" };
  const plan = planOf({
    phase: "Holding",
    conditions: [
      { ...condition, type: "Ready", status: "True" },
      { ...condition, type: "Stalled", status: "False" },
      { ...condition, type: "MetricsAvailable", status: "Unknown" },
    ],
    stable: { ...version, replicas: 20, ready: 19, desiredWeight: 80 },
    canary: { ...version, replicas: 5, ready: 4, desiredWeight: 20 },
    scaling: { recommended: 21, message: "" },
    alerts: [
      { ...alert, name: "gc-time", severity: "Warning", state: "Firing" },
      { ...alert, name: "pool-waiting", severity: "Critical", state: "Pending" },
    ],
  });

  it("say what its status says, until it is gone", async () => {
    const registry = new Registry();
    const metrics = createBridgeMetrics(registry);
    metrics.observe(KEY, plan);
    const shown = async (name: string) =>
      (await lines(registry, `llmbridge_operator_${name}{`)).map((line) =>
        line.replace(/^.*bridge="chat",?(.*)} /, "$1 "),
      );
    expect((await shown("phase")).filter((line) => line.endsWith(" 1"))).toEqual(['phase="Holding" 1']);
    expect(await shown("phase")).toContain('phase="Stable" 0');
    expect(await shown("condition")).toEqual([
      ...['type="Ready" 1', 'type="Stalled" 0', 'type="MetricsAvailable" -1'],
    ]);
    const ofTracks = (stable: number, canary: number) => [
      ...[`track="stable" ${stable}`, `track="canary" ${canary}`],
    ];
    expect(await shown("desired_weight_percent")).toEqual(ofTracks(80, 20));
    expect(await shown("replicas")).toEqual(ofTracks(20, 5));
    expect(await shown("ready_replicas")).toEqual(ofTracks(19, 4));
    expect(await shown("recommended_replicas")).toEqual([" 21"]);
    expect(await shown("alert")).toEqual([
      ...['alert="gc-time",severity="Warning" 1', 'alert="pool-waiting",severity="Critical" 0'],
    ]);
    const decision = { time, action: "Hold", reason: "Why", message: "", refused: [] };
    metrics.observe(KEY, { ...plan, decisions: [decision, decision] });
    expect(await shown("decisions_total")).toEqual(['action="Hold",reason="Why" 2']);
    metrics.forget(KEY);
    expect((await registry.metrics()).includes("chat")).toBe(false);
  });
});

describe("the metrics of a rollout", () => {
  it("say since when it is in its phase and waits, and for what, until it is gone", async () => {
    const registry = new Registry();
    const metrics = createBridgeMetrics(registry);
    metrics.observe(KEY, waiting);
    const labels = (more: object) =>
      `{${Object.entries({ ...own, ...more })
        .map(([key, value]) => `${key}="${value}"`)
        .join(",")}}`;
    expect(await lines(registry, "llmbridge_operator_phase_since_seconds")).toEqual([
      `llmbridge_operator_phase_since_seconds${labels({})} 1767225600`,
    ]);
    expect(await lines(registry, "llmbridge_operator_rollout_waits_since_seconds")).toEqual([
      `llmbridge_operator_rollout_waits_since_seconds${labels({ reason: "Approval" })} 1767225660`,
    ]);
    const last = "llmbridge_operator_last_rollout_seconds";
    expect(await lines(registry, last)).toEqual([
      `${last}${labels({ outcome: "RolledBack", part: "progress" })} 60`,
      `${last}${labels({ outcome: "RolledBack", part: "waiting" })} 300`,
    ]);
    metrics.observe(KEY, planOf({}));
    expect(await lines(registry, "llmbridge_operator_rollout_waits_since_seconds")).toEqual([]);
    metrics.forget(KEY);
    expect(await lines(registry, last)).toEqual([]);
  });

  it("count a rollout that is over once, by outcome and part, and have no series for bridges", async () => {
    const registry = new Registry();
    const metrics = createBridgeMetrics(registry);
    const name = "llmbridge_operator_rollout_seconds";
    expect(await lines(registry, `${name}_count`)).toHaveLength(6);
    metrics.ended({
      ...{ revision: "b", outcome: "Promoted", startedMs: 0, endedMs: 100_000 },
      ...{ progressMs: 40_000, waitingMs: 60_000 },
    });
    metrics.observe(KEY, waiting);
    expect(await lines(registry, `${name}_sum{outcome="Promoted"`)).toEqual([
      `${name}_sum{outcome="Promoted",part="progress"} 40`,
      `${name}_sum{outcome="Promoted",part="waiting"} 60`,
    ]);
    expect(await lines(registry, `${name}_count{outcome="RolledBack"`)).toEqual([
      `${name}_count{outcome="RolledBack",part="progress"} 0`,
      `${name}_count{outcome="RolledBack",part="waiting"} 0`,
    ]);
    expect((await lines(registry, name)).filter((line) => line.includes("bridge="))).toEqual([]);
  });
});
