import type { Baseline } from "./baseline.ts";
import { type EvidenceConfig, judgedSignals, type Margins } from "./config.ts";
import type { Missing, Signal } from "./counts.ts";
import { correlationOf } from "./dispersion.ts";
import type { GateEvidence } from "./gate-evidence.ts";

/** Requests and bad ones; decayed sums need not be whole. */
export interface Tally {
  readonly requests: number;
  readonly bad: number;
}

/** Evidence about one signal. Every number is finite. */
export interface SignalState {
  /** The margins it was collected for; evidence cannot be carried over to others. */
  readonly margins: Margins;
  /** Intervals in which both versions served requests, or the canary alone where stable's past stands in. */
  readonly intervals: number;
  /** Log martingale of each alternative of "worse than rollbackAbove", with its share of the mixture in it. */
  readonly worse: readonly number[];
  /** The largest log M that the mixture of `worse` ever had. A proof once made stays made. */
  readonly worseMost: number;
  /** Log martingale of each alternative of "worse by less than promoteBelow". */
  readonly below: readonly number[];
  readonly canary: Tally;
  readonly stable: Tally;
  /** Stable's recent requests, decayed, from which the alternatives of the next interval are built. */
  readonly recent: Tally;
  /** All that is known of stable, from before the canary on, in independent requests: the reference when stable no longer serves. */
  readonly known: Tally;
  /** See SignalBaseline.correlation. */
  readonly correlation: number;
  /** Sums for estimate and interval: weights w, w * difference, w^2 / canary requests, w^2 / stable requests. */
  readonly weight: number;
  readonly weighted: number;
  readonly canarySpread: number;
  readonly stableSpread: number;
}

/** All evidence of one rollout. Small, immutable, and written to status as text (see checkpoint.ts). */
export interface EvidenceState {
  /** What was counted (EvidenceConfig.subject). */
  readonly subject: string;
  /** End of the last interval observed, Unix milliseconds; the intervals after it are still to be read. */
  readonly intervalEndMs: number;
  readonly signals: Readonly<Partial<Record<Signal, SignalState>>>;
  /** Signals that the last interval has nothing of, and why; what was proved of them before says nothing of now. Default none. */
  readonly missing?: Missing;
  /** When it began. What gates are read over must not reach back beyond this. */
  readonly gatesFromMs: number;
  /** Evidence about each gate, by its name. */
  readonly gates: Readonly<Record<string, GateState>>;
}

export interface GateState {
  /** What it is about: metric and limits. */
  readonly subject: number;
  /** End of the last interval in which it was looked at. */
  readonly lookedMs: number;
  readonly evidence: GateEvidence;
}

/** How many requests of stable's past the first alternatives rest on at most. */
const REMEMBERED_REQUESTS = 5000;

/** Evidence before the first interval. `baseline` may lack a signal (no history): then the cautious dispersion is used. */
export function startEvidence(config: EvidenceConfig, baseline: Baseline, fromMs: number): EvidenceState {
  const signals: Partial<Record<Signal, SignalState>> = {};
  for (const [signal, margins] of judgedSignals(config)) {
    const past = baseline[signal];
    const { requests = 0, independentRequests = 0, rate = 0, correlation = correlationOf([]) } = past ?? {};
    const remembered = Math.min(requests, REMEMBERED_REQUESTS);
    signals[signal] = {
      margins,
      intervals: 0,
      worse: [],
      worseMost: 0,
      below: [],
      canary: { requests: 0, bad: 0 },
      stable: { requests: 0, bad: 0 },
      recent: { requests: remembered, bad: remembered * rate },
      known: { requests: independentRequests, bad: independentRequests * rate },
      correlation,
      weight: 0,
      weighted: 0,
      canarySpread: 0,
      stableSpread: 0,
    };
  }
  return { subject: config.subject, intervalEndMs: fromMs, signals, gatesFromMs: fromMs, gates: {} };
}

/** True when the analysis was edited since: then evidence starts anew, and the intervals of the step are read again. */
export function outdated(state: EvidenceState, config: EvidenceConfig): boolean {
  return state.subject !== config.subject;
}
