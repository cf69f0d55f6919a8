import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { PHASES } from "../api/v1alpha1/status.ts";
import { formatKey, type ObjectKey } from "../kube/object.ts";
import type { RolloutEnd } from "../rollout/types.ts";
import type { Plan } from "./plan.ts";
import type { Snapshot } from "./snapshot.ts";

/** What the operator says of each bridge. Series of a bridge that is gone are removed, so that names never pile up. */
export interface BridgeMetrics {
  observe(key: ObjectKey, snapshot: Snapshot, plan: Plan): void;
  /** A rollout is over, and the status says so. */
  ended(rollout: RolloutEnd): void;
  forget(key: ObjectKey): void;
}

/** From half a minute to two weeks: progress takes minutes, waiting up to days. */
const ROLLOUT_SECONDS = [
  30, 60, 120, 300, 600, 1800, 3600, 14_400, 43_200, 86_400, 172_800, 604_800, 1_209_600,
];

export function createBridgeMetrics(registry: Registry): BridgeMetrics {
  const registers = [registry];
  const labelNames = ["namespace", "bridge"] as const;
  const gauge = (name: string, help: string, more: readonly string[] = []): Gauge =>
    new Gauge({ name, help, labelNames: [...labelNames, ...more], registers });
  const phase = gauge("llmbridge_operator_phase", "1 for the phase a bridge is in", ["phase"]);
  const condition = gauge("llmbridge_operator_condition", "1 True, 0 False, -1 Unknown", ["type"]);
  const phaseSince = gauge("llmbridge_operator_phase_since_seconds", "Unix time at which the phase began");
  const waitsSince = gauge(
    "llmbridge_operator_rollout_waits_since_seconds",
    "Unix time since which a rollout waits, by what for",
    ["reason"],
  );
  const last = gauge("llmbridge_operator_last_rollout_seconds", "Seconds of the rollout that ended last", [
    ...["outcome", "part"],
  ]);
  const durations = new Histogram({
    name: "llmbridge_operator_rollout_seconds",
    help: "Seconds that rollouts made progress and waited, observed when they end",
    labelNames: ["outcome", "part"],
    buckets: ROLLOUT_SECONDS,
    registers,
  });
  // From the start, so that the first rollout of a process is an increase too.
  for (const outcome of ["Promoted", "RolledBack", "Withdrawn"])
    for (const part of ["progress", "waiting"]) durations.zero({ outcome, part });
  const weight = gauge("llmbridge_operator_desired_weight_percent", "Weight wanted", ["track"]);
  const replicas = gauge("llmbridge_operator_replicas", "Pods wanted", ["track"]);
  const ready = gauge("llmbridge_operator_ready_replicas", "Pods ready", ["track"]);
  const recommended = gauge("llmbridge_operator_recommended_replicas", "Pods that demand asks for");
  const alert = gauge("llmbridge_operator_alert", "1 while an alert fires", ["alert", "severity"]);
  const decisions = new Counter({
    name: "llmbridge_operator_decisions_total",
    help: "Automatic decisions",
    labelNames: [...labelNames, "action", "reason"],
    registers,
  });
  // prom-client cannot remove series by part of their labels, so each bridge's own are remembered here.
  const live = new Map<string, Map<string, () => void>>();
  const counted = new Map<string, Map<string, () => void>>();

  type Labels = Record<string, string>;
  const remember = (
    table: typeof live,
    key: ObjectKey,
    metric: { remove(labels: Labels): void },
    labels: Labels,
  ) => {
    const series = table.get(formatKey(key)) ?? new Map<string, () => void>();
    table.set(formatKey(key), series);
    series.set(JSON.stringify(labels), () => metric.remove(labels));
  };
  const drop = (table: typeof live, key: ObjectKey) => {
    for (const remove of table.get(formatKey(key))?.values() ?? []) remove();
    table.delete(formatKey(key));
  };

  return {
    observe(key, _snapshot, plan) {
      const bridge = { namespace: key.namespace, bridge: key.name };
      const { status } = plan;
      drop(live, key);
      const set = (metric: Gauge, value: number, more: Labels = {}) => {
        const labels = { ...bridge, ...more };
        metric.set(labels, value);
        remember(live, key, metric, labels);
      };
      for (const one of PHASES) set(phase, one === status.phase ? 1 : 0, { phase: one });
      const { phaseSince: since, timing, heldFor = "" } = status.rollout ?? {};
      if (since) set(phaseSince, Date.parse(since) / 1000);
      if (timing?.waitsSince) set(waitsSince, Date.parse(timing.waitsSince) / 1000, { reason: heldFor });
      if (status.lastRollout) {
        const { outcome, progressSeconds, waitingSeconds } = status.lastRollout;
        set(last, progressSeconds, { outcome, part: "progress" });
        set(last, waitingSeconds, { outcome, part: "waiting" });
      }
      for (const one of status.conditions) {
        set(condition, one.status === "True" ? 1 : one.status === "False" ? 0 : -1, { type: one.type });
      }
      for (const track of ["stable", "canary", "previous"] as const) {
        const version = status[track];
        if (!version) continue;
        set(weight, version.desiredWeight, { track });
        set(replicas, version.replicas, { track });
        set(ready, version.ready, { track });
      }
      if (status.scaling) set(recommended, status.scaling.recommended);
      for (const one of status.alerts) {
        set(alert, one.state === "Firing" ? 1 : 0, { alert: one.name, severity: one.severity });
      }
      for (const one of plan.decisions) {
        const labels = { ...bridge, action: one.action, reason: one.reason };
        decisions.inc(labels);
        remember(counted, key, decisions, labels);
      }
    },
    ended({ outcome, progressMs, waitingMs }) {
      durations.observe({ outcome, part: "progress" }, progressMs / 1000);
      durations.observe({ outcome, part: "waiting" }, waitingMs / 1000);
    },
    forget(key) {
      drop(live, key);
      drop(counted, key);
    },
  };
}
