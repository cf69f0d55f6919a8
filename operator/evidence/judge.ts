import {
  belowThreshold,
  type EvidenceConfig,
  judgedSignals,
  type Margins,
  most,
  required,
  worseThreshold,
} from "./config.ts";
import type { Signal } from "./counts.ts";
import { logSum } from "./log-sum.ts";
import type { EvidenceState, SignalState } from "./state.ts";

/** ProvedWorse: worse than rollbackAbove. ProvedBelow: worse by less than promoteBelow, if at all. NoData holds like Undecided. */
export type VerdictCategory = "ProvedWorse" | "ProvedBelow" | "Undecided" | "NoData";

export interface SignalVerdict {
  readonly signal: Signal;
  readonly category: VerdictCategory;
  /** Canary less stable in percentage points, intervals weighed by their information. Absent without requests of both. */
  readonly estimate?: number;
  /** 95 % confidence sequence of it, percentage points: all looks together miss the true value in at most 5 % of rollouts. */
  readonly interval?: readonly [low: number, high: number];
  /** Requests of the canary that were judged. */
  readonly samples: number;
  /** log M of both questions as it stands; a proof is made at `worseThreshold` and `belowThreshold` (config.ts). */
  readonly logEWorse: number;
  readonly logEBelow: number;
  /** One sentence, the same as long as the category is. */
  readonly message: string;
}

/** What the evidence shows, for every signal of the configuration. */
export function judge(state: EvidenceState, config: EvidenceConfig): SignalVerdict[] {
  return judgedSignals(config).map(([signal]) => {
    const evidence = state.signals[signal];
    if (evidence === undefined || evidence.canary.requests === 0) {
      const unserved = `The canary has not served a request that counts for ${signal} yet.`;
      return noData(signal, state.missing?.[signal] ?? unserved);
    }
    const logEBelow = evidence.below.length === 0 ? 0 : logSum(evidence.below);
    const isWorse = evidence.worseMost >= worseThreshold(config);
    const missing = state.missing?.[signal];
    // What is proved worse stays so; a proof of being good enough has to stand, and nothing is seen that could take it back.
    if (missing !== undefined && !isWorse) return noData(signal, missing);
    const category: VerdictCategory = isWorse
      ? "ProvedWorse"
      : logEBelow >= belowThreshold(config)
        ? "ProvedBelow"
        : "Undecided";
    return {
      signal,
      category,
      ...estimateOf(evidence),
      samples: Math.round(evidence.canary.requests),
      logEWorse: evidence.worseMost,
      logEBelow,
      message: messageOf(signal, category, evidence.margins),
    };
  });
}

/** The verdicts while there is nothing to judge by: every signal holds, with `message` saying why. */
export function noDataVerdicts(config: EvidenceConfig, message: string): SignalVerdict[] {
  return judgedSignals(config).map(([signal]) => noData(signal, message));
}

function noData(signal: Signal, message: string): SignalVerdict {
  return { signal, category: "NoData", samples: 0, logEWorse: 0, logEBelow: 0, message };
}

const BAD: Record<Signal, string> = {
  errors: "share of failed requests",
  latency: "share of requests slower than the objective",
};

function messageOf(signal: Signal, category: VerdictCategory, margins: Margins): string {
  const { promoteBelow, promoteIncrease } = margins;
  const allowed = toleratedText(margins);
  const needed = marginText(promoteBelow, "promoteBelow", promoteIncrease, "promoteIncrease");
  if (category === "ProvedWorse")
    return `The canary's ${BAD[signal]} is proved to be more than ${allowed} above stable's.`;
  if (category === "ProvedBelow")
    return `The canary's ${BAD[signal]} is proved to be less than ${needed} above stable's.`;
  return `The canary's ${BAD[signal]} is proved neither above ${allowed} nor below ${needed} over stable's yet.`;
}

/** "0.1 percentage points (rollbackAbove)", and where it is so "and 50% of stable's own (rollbackIncrease)". */
export function toleratedText({ rollbackAbove, rollbackIncrease }: Margins): string {
  return marginText(rollbackAbove, "rollbackAbove", rollbackIncrease, "rollbackIncrease");
}

function marginText(
  margin: number,
  name: string,
  increase: number | undefined,
  increaseName: string,
): string {
  const text = `${points(margin)} (${name})`;
  if (increase === undefined) return text;
  return `${text} and ${Number((100 * increase).toFixed(3))}% of stable's own (${increaseName})`;
}

function points(difference: number): string {
  const number = Number((difference * 100).toFixed(3));
  return `${number} percentage point${number === 1 ? "" : "s"}`;
}

/** Two-sided, over all looks. */
const INTERVAL_ERROR = 0.05;

/**
 * Weighted mean of the differences of the intervals (Mantel and Haenszel's weights), which daily waves and changing weights do not bias,
 * and its normal-mixture confidence sequence (Howard, Ramdas, McAuliffe, Sekhon 2021), tuned for the information at which it is as
 * narrow as promoteBelow.
 */
function estimateOf(evidence: SignalState): Pick<SignalVerdict, "estimate" | "interval"> {
  if (evidence.weight <= 0) return {};
  const { weight, margins } = evidence;
  const canary = smoothedVariance(evidence.canary.requests, evidence.canary.bad);
  const stable = smoothedVariance(evidence.stable.requests, evidence.stable.bad);
  const variance = evidence.canarySpread * canary + evidence.stableSpread * stable;
  const estimate = evidence.weighted / weight;
  const log = 2 * Math.log(1 / INTERVAL_ERROR);
  const expected = 0.01 + evidence.known.bad / Math.max(1, evidence.known.requests);
  const margin = most(required(margins), expected) - expected;
  const target = (11 * expected ** 2) / Math.max(1e-4, margin) ** 2;
  const tuning = target / (log + Math.log(1 + log));
  const half = Math.sqrt((variance + tuning) * (Math.log(1 + variance / tuning) + log)) / weight;
  const bound = (share: number) => 100 * Math.min(1, Math.max(-1, share));
  return { estimate: 100 * estimate, interval: [bound(estimate - half), bound(estimate + half)] };
}

function smoothedVariance(requests: number, bad: number): number {
  const rate = (bad + 1) / (requests + 2);
  return rate * (1 - rate);
}
