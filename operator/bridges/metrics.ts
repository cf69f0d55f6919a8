import { Counter, Histogram, type Registry } from "prom-client";
import { formatKey, type ObjectKey } from "../kube/object.ts";
import type { RolloutEnd } from "../rollout/types.ts";
import { registerGauges, type Sample, sampleOf } from "./gauges.ts";
import type { Plan } from "./plan.ts";

/** What the operator says of each bridge. Series of a bridge that is gone are removed, so that names never pile up. */
export interface BridgeMetrics {
  observe(key: ObjectKey, plan: Plan): void;
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
  const samples = new Map<string, Sample>();
  registerGauges(registry, () => samples.values());
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
  const decisions = new Counter({
    name: "llmbridge_operator_decisions_total",
    help: "Automatic decisions",
    labelNames: ["namespace", "bridge", "action", "reason"],
    registers,
  });
  // prom-client cannot remove series by part of their labels, so each bridge's own are remembered here.
  const counted = new Map<string, Map<string, Readonly<Record<string, string>>>>();

  return {
    observe(key, plan) {
      samples.set(formatKey(key), sampleOf(key, plan.status));
      if (plan.decisions.length === 0) return;
      const series = counted.get(formatKey(key)) ?? new Map<string, Readonly<Record<string, string>>>();
      counted.set(formatKey(key), series);
      for (const { action, reason } of plan.decisions) {
        const labels = { namespace: key.namespace, bridge: key.name, action, reason };
        decisions.inc(labels);
        series.set(JSON.stringify(labels), labels);
      }
    },
    ended({ outcome, progressMs, waitingMs }) {
      durations.observe({ outcome, part: "progress" }, progressMs / 1000);
      durations.observe({ outcome, part: "waiting" }, waitingMs / 1000);
    },
    forget(key) {
      samples.delete(formatKey(key));
      for (const labels of counted.get(formatKey(key))?.values() ?? []) decisions.remove(labels);
      counted.delete(formatKey(key));
    },
  };
}
