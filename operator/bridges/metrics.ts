import { Counter, Gauge, type Registry } from "prom-client";
import { PHASES } from "../api/v1alpha1/status.ts";
import { formatKey, type ObjectKey } from "../kube/object.ts";
import type { Plan } from "./plan.ts";
import type { Snapshot } from "./snapshot.ts";

/** What the operator says of each bridge. Series of a bridge that is gone are removed, so that names never pile up. */
export interface BridgeMetrics {
  observe(key: ObjectKey, snapshot: Snapshot, plan: Plan): void;
  forget(key: ObjectKey): void;
}

export function createBridgeMetrics(registry: Registry): BridgeMetrics {
  const registers = [registry];
  const labelNames = ["namespace", "bridge"] as const;
  const gauge = (name: string, help: string, more: readonly string[] = []): Gauge =>
    new Gauge({ name, help, labelNames: [...labelNames, ...more], registers });
  const phase = gauge("llmbridge_operator_phase", "1 for the phase a bridge is in", ["phase"]);
  const condition = gauge("llmbridge_operator_condition", "1 True, 0 False, -1 Unknown", ["type"]);
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
    forget(key) {
      drop(live, key);
      drop(counted, key);
    },
  };
}
