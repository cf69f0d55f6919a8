import { belowThreshold, type EvidenceConfig, gateLevels } from "./config.ts";
import type { Signal } from "./counts.ts";
import { judgeGate, observeGate } from "./gate-evidence.ts";
import { logSum } from "./log-sum.ts";
import type { EvidenceState } from "./state.ts";

/** More than this is no answer to "when". */
const MOST_INTERVALS = 100_000;

/**
 * Intervals until a signal is proved good enough if its evidence goes on growing as it has on average; Infinity if it does not grow, undefined while
 * there is none. An extrapolation, not a promise.
 */
export function intervalsToProof(
  state: EvidenceState,
  config: EvidenceConfig,
  signal: Signal,
): number | undefined {
  const evidence = state.signals[signal];
  if (evidence === undefined || evidence.below.length === 0) return undefined;
  const logM = logSum(evidence.below);
  const missing = Math.max(0, belowThreshold(config) - logM);
  const intervals = Math.ceil((missing * evidence.intervals) / Math.max(0, logM));
  return intervals > MOST_INTERVALS ? Number.POSITIVE_INFINITY : intervals;
}

/** Looks until a gate has passed if every one of them is within its limits; undefined while it was never looked at. */
export function looksToPass(state: EvidenceState, config: EvidenceConfig, gate: string): number | undefined {
  const known = state.gates[gate];
  if (known === undefined) return undefined;
  const levels = gateLevels(config);
  let { evidence } = known;
  let looks = 0;
  for (; looks < MOST_INTERVALS; looks++) {
    const finding = judgeGate(evidence, levels);
    if (finding === "Kept") return looks;
    if (finding === "Broken") return undefined;
    evidence = observeGate(evidence, "Within", levels);
  }
  return looks;
}
