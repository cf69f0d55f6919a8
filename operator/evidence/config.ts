import type { Analysis } from "../api/v1alpha1/rollout.ts";
import { durationMs, share } from "../api/v1alpha1/scalars.ts";
import { intervalText } from "./counted-over.ts";
import { SIGNALS, type Signal } from "./counts.ts";
import type { GateLevels } from "./gate-evidence.ts";

/** Margins of one signal, as differences of shares: 0.001 is 0.1 percentage points. */
export interface Margins {
  /** What the spec allows: proved to be worse than stable by more than this is a failure. */
  readonly rollbackAbove: number;
  /** Promotion needs proof of being worse by less than this. */
  readonly promoteBelow: number;
  /** Allowed on top of `rollbackAbove`, as a share of stable's own: 0.5 lets 2 % become 3 %. Default 0. */
  readonly rollbackIncrease?: number;
  /** The same on top of `promoteBelow`. Default 0. */
  readonly promoteIncrease?: number;
}

/** How much worse a canary may be: the line `canary = stable * (1 + increase) + points`. */
export interface Allowance {
  readonly points: number;
  readonly increase: number;
}

/** What more than leads to a rollback. */
export function tolerated({ rollbackAbove, rollbackIncrease = 0 }: Margins): Allowance {
  return { points: rollbackAbove, increase: rollbackIncrease };
}

/** What less than is needed for a promotion. */
export function required({ promoteBelow, promoteIncrease = 0 }: Margins): Allowance {
  return { points: promoteBelow, increase: promoteIncrease };
}

/** The canary's share that is just allowed beside that of stable. */
export function most({ points, increase }: Allowance, stable: number): number {
  return stable * (1 + increase) + points;
}

export interface EvidenceConfig {
  /** The signals that are judged. Their number divides the probability of a false rollback between them. */
  readonly signals: Readonly<Partial<Record<Signal, Margins>>>;
  /** Signals of these that are shown and never act. They have no part of the probabilities. Default none. */
  readonly dryRun?: readonly Signal[];
  /** How many gates may roll back. If there are any, they have half of falseRollback, so that many gates do not make signals slow. Default 0. */
  readonly gates?: number;
  /** Probability of ever calling a version a failure that is not worse than rollbackAbove, over all signals, gates and looks. 0..1. */
  readonly falseRollback: number;
  /** Probability of ever calling a version good that is worse than promoteBelow in some signal. 0..1. */
  readonly falsePromotion: number;
  /** Names what is counted and against which margins. Evidence collected for another subject answers another question. */
  readonly subject: string;
}

/**
 * The evidence that `spec.rollout.analysis` asks for, counted over intervals of `countedMs` where these are longer than its own; default: its own. Throws RangeError on percentages that the schema would refuse.
 */
export function evidenceConfig(
  analysis: Pick<
    Analysis,
    "from" | "errors" | "latency" | "gates" | "falseRollback" | "falsePromotion" | "interval"
  >,
  reference: "Stable" | "SameAge" = "Stable",
  countedMs = 0,
): EvidenceConfig {
  const { errors, latency, interval } = analysis;
  const margins = (signal: Analysis["errors"]): Margins => {
    const { rollbackIncrease, promoteIncrease } = signal;
    return {
      rollbackAbove: share(signal.rollbackAbove),
      promoteBelow: share(signal.promoteBelow),
      ...(rollbackIncrease === undefined ? {} : { rollbackIncrease: share(rollbackIncrease) }),
      ...(promoteIncrease === undefined ? {} : { promoteIncrease: share(promoteIncrease) }),
    };
  };
  return {
    signals: {
      errors: margins(errors),
      ...(latency === undefined ? {} : { latency: margins(latency) }),
    },
    ...(latency?.dryRun ? { dryRun: ["latency"] as const } : {}),
    gates: analysis.gates.filter((gate) => !gate.dryRun).length,
    falseRollback: share(analysis.falseRollback),
    falsePromotion: share(analysis.falsePromotion),
    subject: [
      `errors ${marginText(errors)}`,
      ...(latency === undefined ? [] : [`${latency.signal} ${latency.objective} ${marginText(latency)}`]),
      intervalText(interval, durationMs(interval), countedMs),
      ...(reference === "Stable" ? [] : ["beside a baseline"]),
      // What the administrator changes for many bridges must roll none back at once: evidence begins anew.
      ...(analysis.from === undefined ? [] : [`${analysis.falseRollback} ${analysis.falsePromotion}`]),
    ].join(", "),
  };
}

/** "0.1% 1%", or "0.1%+50% 1%+80%"; the first is as it was before there were increases, whose evidence goes on. */
function marginText(signal: Analysis["errors"]): string {
  const { rollbackAbove, rollbackIncrease, promoteBelow, promoteIncrease } = signal;
  const text = (points: string, increase: string | undefined) =>
    increase === undefined ? points : `${points}+${increase}`;
  return `${text(rollbackAbove, rollbackIncrease)} ${text(promoteBelow, promoteIncrease)}`;
}

/** The signals that are judged, in a fixed order. */
export function judgedSignals(config: EvidenceConfig): [Signal, Margins][] {
  return SIGNALS.flatMap((signal) => {
    const margins = config.signals[signal];
    return margins === undefined ? [] : [[signal, margins] as [Signal, Margins]];
  });
}

/** Those of them that roll back, and that promotion needs. */
export function actingSignals(config: EvidenceConfig): [Signal, Margins][] {
  return judgedSignals(config).filter(([signal]) => !config.dryRun?.includes(signal));
}

/** A failure is proved when log M reaches this: Ville's inequality, with Bonferroni over the signals. */
export function worseThreshold(config: EvidenceConfig): number {
  return Math.log(Math.max(1, actingSignals(config).length) / falseRollbackOfEach(config));
}

/** What the signals have of falseRollback, and what the gates have. */
function falseRollbackOfEach({ gates = 0, falseRollback }: EvidenceConfig): number {
  return gates === 0 ? falseRollback : falseRollback / 2;
}

/** The errors that gates may make. */
export function gateLevels(config: EvidenceConfig): GateLevels {
  const { gates = 0, falsePromotion } = config;
  return { falseRollback: falseRollbackOfEach(config), falsePromotion, gates: Math.max(1, gates) };
}

/** Being good enough is proved at this; promotion needs it of every signal, so no correction for their number is due. */
export function belowThreshold(config: EvidenceConfig): number {
  return -Math.log(config.falsePromotion);
}

/**
 * How far beyond its proof an alternative of "good enough" may get. The proof has to stand when a step ends: without a limit a day at a small weight would
 * stand for any number of failures at the next one. What is cut off of a test martingale leaves a supermartingale, so that the stated error is kept.
 */
const BELOW_RESERVE = Math.log(3);

export const mostBelow = (config: EvidenceConfig): number => belowThreshold(config) + BELOW_RESERVE;
