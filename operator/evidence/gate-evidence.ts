import { logSum } from "./log-sum.ts";

/**
 * Whether a gauge breaks its limit for good: a sequential sign test. Gauges wander, have outliers and no known distribution; which side of the
 * limit they are on is all that is counted, look by look, so that no single value weighs more than another.
 *
 * Broken refutes that the limit is kept, which is: whatever was seen before, the next look is over it with a probability of at most 1/2, and over
 * twice of it with at most 1/10. Kept refutes that it is broken: over it with at least 1/2. A stake s on what the null says to happen with a
 * probability of at most q multiplies M by 1 + s (1 - q) / q or by 1 - s, which has an expectation of at most 1; both M are test martingales, and
 * Ville's inequality bounds the errors over all looks.
 */
export interface GateEvidence {
  /** Looks with a value on every side that the gate needs. */
  readonly looks: number;
  /** Log martingale of each bet on "broken", with its share of the mixture in it; and the largest log M that their mixture ever had. */
  readonly broken: readonly number[];
  readonly brokenMost: number;
  /** Log martingale of each stake on "kept". It has to stand when it is used. */
  readonly kept: readonly number[];
}

/**
 * Where a value lies. Far: beyond twice the limit, or below half of one that it must stay above. Between: over the limit or not, as one reckons with the
 * load; it counts against whatever is to be proved.
 */
export type Side = "Within" | "Between" | "Over" | "Far";

/** None of the last two proves anything. */
export type GateFinding = "Broken" | "Kept" | "Undecided" | "NoData";

/** `falseRollback` is what all of `gates` together may take of it. */
export interface GateLevels {
  readonly falseRollback: number;
  readonly falsePromotion: number;
  readonly gates: number;
}

interface Bet {
  readonly on: ReadonlySet<Side>;
  /** Largest probability of that under the null. */
  readonly likely: number;
  readonly stake: number;
  readonly share: number;
}

const OVER: ReadonlySet<Side> = new Set(["Over", "Far"]);
const BETS: readonly Bet[] = [
  { on: OVER, likely: 1 / 2, stake: 0.5, share: 0.3 },
  { on: OVER, likely: 1 / 2, stake: 0.9, share: 0.4 },
  { on: new Set(["Far"]), likely: 1 / 10, stake: 0.7, share: 0.3 },
];
const KEPT_STAKES = [0.5, 0.9] as const;
/** How far beyond its proof M for "kept" may get, so that two looks over the limit take the proof back whatever was before. */
const KEPT_RESERVE = Math.log(3);

export const NO_GATE_EVIDENCE: GateEvidence = { looks: 0, broken: [], brokenMost: 0, kept: [] };

/**
 * Adds one look; one without data is not to be added.
 * @param proves Broken: the canary had it easier than what it is compared with, so that the look says nothing for it. What is left out of a test may hang on
 *   the load, and not on the value. Default Either
 */
export function observeGate(
  before: GateEvidence,
  side: Side,
  levels: GateLevels,
  proves: "Either" | "Broken" = "Either",
): GateEvidence {
  const begin = before.looks;
  // As with signals: what is broken late is not protected by a good past.
  const beginning = -Math.log((begin + 1) * (begin + 2));
  const broken = BETS.map(
    ({ on, likely, stake, share }, index) =>
      logSum([before.broken[index] ?? Number.NEGATIVE_INFINITY, beginning + Math.log(share)]) +
      Math.log1p(on.has(side) ? (stake * (1 - likely)) / likely : -stake),
  );
  // What is cut off of a test martingale leaves a supermartingale.
  const most = keptThreshold(levels) + KEPT_RESERVE;
  const kept = KEPT_STAKES.map((stake, index) => {
    const known = before.kept[index] ?? -Math.log(KEPT_STAKES.length);
    return proves === "Broken"
      ? known
      : Math.min(most, known + Math.log1p(side === "Within" ? stake : -stake));
  });
  const logM = logSum([...broken, -Math.log(begin + 2)]);
  return { looks: begin + 1, broken, brokenMost: Math.max(before.brokenMost, logM), kept };
}

/** A gate that is Broken stays so. Every gate must be Kept to leave a step, so that no correction for their number is due there. */
export function judgeGate(evidence: GateEvidence, levels: GateLevels): GateFinding {
  if (evidence.looks === 0) return "NoData";
  if (evidence.brokenMost >= Math.log(levels.gates / levels.falseRollback)) return "Broken";
  return logSum(evidence.kept) >= keptThreshold(levels) ? "Kept" : "Undecided";
}

const keptThreshold = ({ falsePromotion }: GateLevels): number => -Math.log(falsePromotion);
