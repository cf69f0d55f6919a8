import type { Gate, GateMetric } from "../api/v1alpha1/rollout.ts";
import { type EvidenceConfig, gateLevels } from "./config.ts";
import { type GateLevels, judgeGate, NO_GATE_EVIDENCE, observeGate } from "./gate-evidence.ts";
import { compareGauges, type GaugeVerdict, limitsOf } from "./gauges.ts";
import type { EvidenceState, GateState } from "./state.ts";

/** Values per pod of both versions. Shares 0..1, seconds, bytes, counts. */
export interface GateReading {
  readonly canary: readonly number[];
  readonly stable: readonly number[];
  /** See Gauges.load. */
  readonly load?: number | undefined;
  /** Time that each value is over, milliseconds; 0 for what is so at one moment. */
  readonly windowMs: number;
}

/** A metric that was not measured is absent. */
export type GateReadings = Readonly<Partial<Record<GateMetric, GateReading>>>;

/** Passed lets a step end. Undecided holds, as NoData does. Violated rolls back. */
type GateCategory = "Passed" | "Violated" | "Undecided" | "NoData";

export interface GateVerdict {
  /** Name of the gate. */
  readonly gate: string;
  readonly metric: GateMetric;
  readonly category: GateCategory;
  readonly canary?: number;
  readonly stable?: number;
  /** Shown, and never acts. */
  readonly dryRun: boolean;
  /** Looks that were compared. */
  readonly looks: number;
  readonly message: string;
}

const NO_READING: GateReading = { canary: [], stable: [], windowMs: 0 };

/**
 * Looks at each gate once per interval, and not again before its readings are of wholly other time: values over windows that overlap would be
 * the same evidence twice. Called again with an interval end that was looked at already it gives verdicts without counting again. Gates that
 * were taken out of the spec are forgotten; one that was edited begins anew.
 * @param intervalEndMs undefined while the intervals are not those of the readings: then nothing is counted
 */
export function observeGates(
  state: EvidenceState,
  config: EvidenceConfig,
  gates: readonly Gate[],
  readings: GateReadings,
  intervalEndMs: number | undefined,
): { readonly state: EvidenceState; readonly verdicts: readonly GateVerdict[] } {
  const levels = gateLevels(config);
  const seen: Record<string, GateState> = {};
  const verdicts = gates.map((gate): GateVerdict => {
    const reading = readings[gate.metric] ?? NO_READING;
    const gauge = compareGauges(reading, gate);
    const known = knownOf(state, gate);
    const look = gauge.side ?? gauge.atBest;
    const proves = gauge.side === undefined ? "Broken" : "Either";
    const after: GateState =
      look !== undefined && isDue(known, reading, intervalEndMs)
        ? {
            ...known,
            evidence: observeGate(known.evidence, look, levels, proves),
            lookedMs: intervalEndMs,
          }
        : known;
    seen[gate.name] = after;
    const { canary, stable } = gauge;
    return {
      gate: gate.name,
      metric: gate.metric,
      dryRun: gate.dryRun,
      ...(canary === undefined ? {} : { canary }),
      ...(stable === undefined ? {} : { stable }),
      looks: after.evidence.looks,
      ...found(gate, gauge, after, levels),
    };
  });
  return { state: { ...state, gates: seen }, verdicts };
}

const isDue = (
  { lookedMs }: GateState,
  { windowMs }: GateReading,
  intervalEndMs: number | undefined,
): intervalEndMs is number =>
  intervalEndMs !== undefined && intervalEndMs > lookedMs && intervalEndMs - lookedMs >= windowMs;

function knownOf(state: EvidenceState, gate: Gate): GateState {
  const subject = subjectOf(gate);
  const known = state.gates[gate.name];
  return known?.subject === subject
    ? known
    : { subject, lookedMs: state.gatesFromMs, evidence: NO_GATE_EVIDENCE };
}

function found(
  gate: Gate,
  gauge: GaugeVerdict,
  { evidence }: GateState,
  levels: GateLevels,
): Pick<GateVerdict, "category" | "message"> {
  const { metric } = gate;
  const finding = judgeGate(evidence, levels);
  if (finding === "Broken")
    return { category: "Violated", message: `${metric} of the canary is proved to break ${limitsOf(gate)}.` };
  if (gauge.side === undefined && gauge.atBest !== undefined && gauge.atBest !== "Within")
    return {
      category: "Undecided",
      message: `${metric} of the canary is beyond ${limitsOf(gate)}, though its pods serve far fewer requests than those of the stable version.`,
    };
  // Where there is nothing to compare with, what was proved when there was stands.
  const stands = finding === "Kept" && gauge.canary !== undefined;
  if (gauge.side === undefined && !stands) return { category: "NoData", message: gauge.message };
  if (gauge.side !== undefined && gauge.side !== "Within")
    return { category: "Undecided", message: gauge.message };
  if (finding === "Kept")
    return { category: "Passed", message: `${metric} of the canary is proved to keep ${limitsOf(gate)}.` };
  return {
    category: "Undecided",
    message: `${gauge.message.slice(0, -1)}, which is not proved to last yet.`,
  };
}

/** What the evidence of a gate is about, as 32 bits of FNV-1a: a limit that was edited asks another question. */
function subjectOf({ metric, below, above, maxIncrease, minDecrease }: Gate): number {
  let hash = 0x811c9dc5;
  for (const character of JSON.stringify([metric, below, above, maxIncrease, minDecrease])) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return hash;
}
