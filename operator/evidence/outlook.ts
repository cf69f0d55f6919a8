import { belowThreshold, type EvidenceConfig, gateLevels, mostBelow } from "./config.ts";
import type { Signal } from "./counts.ts";
import { belowGains, independent } from "./gains.ts";
import { judgeGate, observeGate } from "./gate-evidence.ts";
import { logSum } from "./log-sum.ts";
import type { EvidenceState, SignalState, Tally } from "./state.ts";

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
  const gain = Math.max(...meanGains(evidence));
  // A proof that was lost again has been cut off before, and does not say how it was made.
  const isCut = gain * evidence.intervals > mostBelow(config);
  const growth = isCut ? Math.max(gain, logM / evidence.intervals) : logM / evidence.intervals;
  const intervals = Math.ceil(missing / Math.max(0, growth));
  return intervals > MOST_INTERVALS ? Number.POSITIVE_INFINITY : intervals;
}

/** What an interval with the mean of all counts tells. */
function meanGains(evidence: SignalState): number[] {
  const { intervals, correlation } = evidence;
  const mean = ({ requests, bad }: Tally) => ({ requests: requests / intervals, bad: bad / intervals });
  const counts = { canary: mean(evidence.canary), stable: mean(evidence.stable) };
  return counts.stable.requests === 0 ? [] : belowGains(evidence, independent(counts, correlation));
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
