import { BELOW_COUNT, belowRates, expectedRate, logWorseShare, worseRates } from "./alternatives.ts";
import type { Baseline, SignalBaseline } from "./baseline.ts";
import { logEValue, nearestOnBoundary } from "./boundary.ts";
import {
  type Allowance,
  actingSignals,
  belowThreshold,
  type EvidenceConfig,
  type Margins,
  most,
  required,
  tolerated,
  worseThreshold,
} from "./config.ts";
import { correlationOf, designEffect } from "./dispersion.ts";

/** Requests per second that each version is expected to serve at the step in question. */
export interface ExpectedTraffic {
  readonly canaryPerSecond: number;
  readonly stablePerSecond: number;
  readonly canaryPods: number;
  readonly stablePods: number;
  readonly intervalMs: number;
}

export interface EarliestDecision {
  /** Time of counting after which a version as good as stable is typically proved good enough. Absent: this traffic never proves it. */
  readonly promoteAfterMs?: number;
  /** Time after which a version that is worse by twice promoteBelow is typically proved worse. */
  readonly rollbackAfterMs?: number;
}

/** A decision that needs longer than this many intervals is said to be out of reach. */
const MOST_INTERVALS = 100_000;

/**
 * When the present traffic could decide: the expected growth of the evidence per interval against what a proof needs, for the slowest
 * signal (promotion) and the fastest one (rollback). Scrape and source lag come on top. An expectation, not a promise.
 */
export function earliestDecision(
  config: EvidenceConfig,
  baseline: Baseline,
  traffic: ExpectedTraffic,
): EarliestDecision {
  const signals = actingSignals(config).map(([signal, margins]) => ({ margins, past: baseline[signal] }));
  const promote = signals.map(({ margins, past }) => {
    const evidence = belowThreshold(config) + Math.log(BELOW_COUNT);
    return Math.min(
      ...growthBelow(margins, past, traffic).map((growth) => intervalsNeeded(evidence, growth)),
    );
  });
  const rollback = signals.map(({ margins, past }) => {
    // Half of the mixture is for what is there from the start.
    const evidence = worseThreshold(config) + Math.log(2);
    return Math.min(
      ...growthWorse(margins, past, traffic).map((growth, index) =>
        intervalsNeeded(evidence - logWorseShare(index), growth),
      ),
    );
  });
  const promoteAfterMs = Math.max(...promote) * traffic.intervalMs;
  const rollbackAfterMs = Math.min(...rollback) * traffic.intervalMs;
  return {
    ...(Number.isFinite(promoteAfterMs) ? { promoteAfterMs } : {}),
    ...(Number.isFinite(rollbackAfterMs) ? { rollbackAfterMs } : {}),
  };
}

function intervalsNeeded(evidence: number, growth: number): number {
  const intervals = growth <= 0 ? Number.POSITIVE_INFINITY : Math.max(1, Math.ceil(evidence / growth));
  return intervals > MOST_INTERVALS ? Number.POSITIVE_INFINITY : intervals;
}

/** Growth of log M per interval for a canary like stable, by alternative. */
function growthBelow(margins: Margins, past: SignalBaseline | undefined, traffic: ExpectedTraffic): number[] {
  const rate = expectedRate(past ?? { requests: 0, bad: 0 });
  return growths(required(margins), rate, rate, belowRates(rate, margins), past, traffic);
}

function growthWorse(margins: Margins, past: SignalBaseline | undefined, traffic: ExpectedTraffic): number[] {
  const rate = expectedRate(past ?? { requests: 0, bad: 0 });
  const canary = Math.min(0.99, rate + 2 * (most(required(margins), rate) - rate));
  return growths(tolerated(margins), rate, canary, worseRates(rate, margins), past, traffic);
}

/** Expected growth under each of the alternatives. */
function growths(
  allowance: Allowance,
  stableRate: number,
  canaryRate: number,
  alternatives: readonly number[],
  past: SignalBaseline | undefined,
  traffic: ExpectedTraffic,
): number[] {
  const correlation = past?.correlation ?? correlationOf([]);
  const requestsOf = (perSecond: number, pods: number) => {
    const requests = (perSecond * traffic.intervalMs) / 1000;
    return requests / designEffect({ requests, bad: 0, pods }, correlation);
  };
  const requests = {
    canary: requestsOf(traffic.canaryPerSecond, traffic.canaryPods),
    stable: requestsOf(traffic.stablePerSecond, traffic.stablePods),
  };
  if (requests.canary <= 0 || requests.stable <= 0) return alternatives.map(() => 0);
  const bad = { canary: requests.canary * canaryRate, stable: requests.stable * stableRate };
  return alternatives.map((rate) => {
    const alternative = { canary: rate, stable: stableRate };
    return logEValue(alternative, nearestOnBoundary(alternative, requests, allowance), requests, bad);
  });
}
