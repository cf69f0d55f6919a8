import type { Gate, GateMetric } from "../api/v1alpha1/rollout.ts";
import { compareGauges } from "./gauges.ts";
import type { EvidenceState } from "./state.ts";

/** Values per pod of both versions; a metric that was not measured is absent. Shares 0..1, seconds, bytes, counts. */
export type GateReadings = Readonly<
  Partial<Record<GateMetric, { readonly canary: readonly number[]; readonly stable: readonly number[] }>>
>;

/** Passed lets a step end. Undecided is violated, but not yet for long enough; it holds, as NoData does. Violated rolls back. */
type GateCategory = "Passed" | "Violated" | "Undecided" | "NoData";

export interface GateVerdict {
  /** Name of the gate. */
  readonly gate: string;
  readonly metric: GateMetric;
  readonly category: GateCategory;
  readonly canary?: number;
  readonly stable?: number;
  readonly message: string;
}

/** Intervals in a row after which a violated gate counts. */
const VIOLATED_INTERVALS = 3;

/**
 * Looks at the gates once per interval. Called again with an interval end that was looked at already it gives verdicts without counting
 * again. An interval without data neither counts nor breaks a row. Gates that were taken out of the spec are forgotten.
 */
export function observeGates(
  state: EvidenceState,
  gates: readonly Gate[],
  readings: GateReadings,
  intervalEndMs: number,
): { readonly state: EvidenceState; readonly verdicts: readonly GateVerdict[] } {
  const counts = intervalEndMs > state.gatesEndMs;
  const violations: Record<string, number> = {};
  const verdicts = gates.map((gate): GateVerdict => {
    const values = readings[gate.metric] ?? { canary: [], stable: [] };
    const { category, ...gauge } = compareGauges(values.canary, values.stable, gate);
    const before = state.violations[gate.name] ?? 0;
    const row =
      category === "Violated" ? before + (counts ? 1 : 0) : category === "NoData" || !counts ? before : 0;
    if (row > 0) violations[gate.name] = Math.min(row, VIOLATED_INTERVALS);
    return {
      gate: gate.name,
      metric: gate.metric,
      ...gauge,
      category: category === "Violated" && row < VIOLATED_INTERVALS ? "Undecided" : category,
    };
  });
  const gatesEndMs = Math.max(state.gatesEndMs, intervalEndMs);
  return { state: { ...state, gatesEndMs, violations }, verdicts };
}
