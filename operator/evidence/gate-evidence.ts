import { logSum } from "./boundary.ts";

/**
 * Whether a gauge breaks its limit for good: a sequential sign test. Gauges wander, have outliers and no known distribution; which side of the
 * limit they are on is all that is counted, interval by interval, so that no single value weighs more than another.
 *
 * The two nulls: whatever was seen before, the limit is broken in the next interval with a probability of at most 1/2 (refuted: Broken), or of at
 * least 1/2 (refuted: Kept). A stake s on the side that the null makes no likelier than the other multiplies M by 1 + s or 1 - s, which
 * has an expectation of at most 1; both M are test martingales, and Ville's inequality bounds the errors over all looks.
 */
export interface GateEvidence {
  /** Intervals with a value on every side that the gate needs. */
  readonly intervals: number;
  /** Log martingale of each stake on "broken", with its share of the mixture in it; and the largest log M that their mixture ever had. */
  readonly broken: readonly number[];
  readonly brokenMost: number;
  /** Log martingale of each stake on "kept". It has to stand when it is used. */
  readonly kept: readonly number[];
}

/** NoData: no interval had values. None of the last two proves anything. */
export type GateFinding = "Broken" | "Kept" | "Undecided" | "NoData";

/** Probabilities as in EvidenceConfig; `gates` is how many are looked at, over which a false rollback is divided. */
export interface GateLevels {
  readonly falseRollback: number;
  readonly falsePromotion: number;
  readonly gates: number;
}

const STAKES = [0.5, 0.9] as const;

export const NO_GATE_EVIDENCE: GateEvidence = { intervals: 0, broken: [], brokenMost: 0, kept: [] };

/** Adds one interval in which the gate could be compared; one without data is not to be added. */
export function observeGate(before: GateEvidence, violated: boolean): GateEvidence {
  const begin = before.intervals;
  // As with signals: what is broken late is not protected by a good past.
  const beginning = -Math.log((begin + 1) * (begin + 2) * STAKES.length);
  const broken = STAKES.map(
    (stake, index) =>
      logSum([before.broken[index] ?? Number.NEGATIVE_INFINITY, beginning]) + gain(stake, violated),
  );
  const kept = STAKES.map(
    (stake, index) => (before.kept[index] ?? -Math.log(STAKES.length)) + gain(stake, !violated),
  );
  const logM = logSum([...broken, -Math.log(begin + 2)]);
  return { intervals: begin + 1, broken, brokenMost: Math.max(before.brokenMost, logM), kept };
}

function gain(stake: number, won: boolean): number {
  return Math.log1p(won ? stake : -stake);
}

/** A gate that is Broken stays so. Every gate must be Kept to leave a step, so that no correction for their number is due there. */
export function judgeGate(evidence: GateEvidence, levels: GateLevels): GateFinding {
  if (evidence.intervals === 0) return "NoData";
  if (evidence.brokenMost >= Math.log(levels.gates / levels.falseRollback)) return "Broken";
  return logSum(evidence.kept) >= -Math.log(levels.falsePromotion) ? "Kept" : "Undecided";
}
