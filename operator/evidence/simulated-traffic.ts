import { type Baseline, measureBaseline } from "./baseline.ts";
import { type EvidenceConfig, judgedSignals } from "./config.ts";
import type { ArmCounts, HistoryInterval, IntervalCounts } from "./counts.ts";
import { judge, type VerdictCategory } from "./judge.ts";
import { observeInterval } from "./observe.ts";
import { startEvidence } from "./state.ts";

/** A model of two versions under load, by which the stated error probabilities are checked (observe.test.ts, bench/evidence.ts). */
export interface Scenario {
  readonly intervalMs: number;
  /** Requests per second of both versions together, at the mean of the wave. */
  readonly requestsPerSecond: number;
  /** Relative amplitude of the daily wave, compressed into the run. */
  readonly wave: number;
  /** Shares of the traffic for the canary, each for the same time. */
  readonly weights: readonly number[];
  readonly runMs: number;
  readonly historyMs: number;
  readonly pods: { readonly canary: number; readonly stable: number };
  readonly stableRate: number;
  /** Added to stable's rate for the canary, as a share. */
  readonly extra: number;
  /** When the canary begins to be worse. Default 0. */
  readonly worseFromMs?: number;
  /** Intra-class correlation of the requests of a pod in an interval: rates are drawn per pod and interval from a beta distribution. */
  readonly correlation: number;
}

export interface Outcome {
  /** When a failure was proved of any signal, milliseconds. */
  readonly worseMs?: number;
  /** When all signals were proved to be good enough, if no failure was proved before. */
  readonly belowMs?: number;
  /** Requests that the canary had served when decided, or in all. */
  readonly exposed: number;
  /** Whether every confidence interval on the way held the true difference. */
  readonly covered: boolean;
}

export type Random = () => number;

/** mulberry32, a small generator with a seed. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Number of successes of n, by the gaps between them: as many steps as successes. */
function binomial(random: Random, n: number, rate: number): number {
  if (rate <= 0 || n <= 0) return 0;
  if (rate > 0.5) return n - binomial(random, n, 1 - rate);
  const scale = Math.log1p(-rate);
  let successes = -1;
  for (let position = 0; position <= n; successes++) {
    position += 1 + Math.floor(Math.log(1 - random()) / scale);
  }
  return successes;
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Marsaglia and Tsang 2000. */
function gamma(random: Random, shape: number): number {
  if (shape < 1) return gamma(random, shape + 1) * (1 - random()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

function rateOfPod(random: Random, rate: number, correlation: number): number {
  if (correlation === 0 || rate <= 0 || rate >= 1) return rate;
  const strength = 1 / correlation - 1;
  const bad = gamma(random, rate * strength);
  const good = gamma(random, (1 - rate) * strength);
  return bad + good === 0 ? 0 : bad / (bad + good);
}

function podCounts(
  random: Random,
  requests: number,
  pods: number,
  rate: number,
  correlation: number,
): ArmCounts[] {
  const left = Array.from({ length: pods }, (_, pod) => Math.floor((requests + pod) / pods));
  return left.map((own) => ({
    requests: own,
    bad: binomial(random, own, rateOfPod(random, rate, correlation)),
  }));
}

function together(cells: readonly ArmCounts[]): ArmCounts {
  return {
    requests: cells.reduce((sum, cell) => sum + cell.requests, 0),
    bad: cells.reduce((sum, cell) => sum + cell.bad, 0),
    pods: cells.length,
  };
}

/** The stable version's past. */
export function simulateHistory(
  scenario: Pick<
    Scenario,
    "intervalMs" | "requestsPerSecond" | "historyMs" | "pods" | "stableRate" | "correlation"
  >,
  random: Random,
): HistoryInterval[] {
  const { intervalMs, pods, stableRate, correlation } = scenario;
  return Array.from({ length: Math.floor(scenario.historyMs / intervalMs) }, (_, index) => {
    const requests = Math.round((scenario.requestsPerSecond * intervalMs) / 1000);
    const cells = podCounts(random, requests, pods.stable, stableRate, correlation);
    return {
      endMs: (index + 1) * intervalMs,
      pods: cells.map((counts, pod) => ({ pod: `pod-${pod}`, counts })),
    };
  });
}

function interval(scenario: Scenario, random: Random, config: EvidenceConfig, endMs: number): IntervalCounts {
  const { intervalMs, runMs, weights, pods, correlation, stableRate } = scenario;
  const wave = 1 + scenario.wave * Math.sin((2 * Math.PI * endMs) / runMs);
  const expected = (scenario.requestsPerSecond * wave * intervalMs) / 1000;
  const requests = Math.max(0, Math.round(expected + Math.sqrt(expected) * normal(random)));
  const weight =
    weights[Math.min(weights.length - 1, Math.floor(((endMs - 1) / runMs) * weights.length))] ?? 0;
  const extra = endMs - intervalMs >= (scenario.worseFromMs ?? 0) ? scenario.extra : 0;
  const signals: { -readonly [key in keyof IntervalCounts["signals"]]: IntervalCounts["signals"][key] } = {};
  for (const [signal] of judgedSignals(config)) {
    const canary = binomial(random, requests, weight);
    signals[signal] = {
      canary: together(podCounts(random, canary, pods.canary, stableRate + extra, correlation)),
      stable: together(podCounts(random, requests - canary, pods.stable, stableRate, correlation)),
    };
  }
  return { endMs, signals };
}

/** One rollout: history, then looks after every interval, until a failure is proved or the run ends. */
export function simulateRollout(scenario: Scenario, config: EvidenceConfig, random: Random): Outcome {
  const baseline: Baseline = measureBaseline(
    Object.fromEntries(judgedSignals(config).map(([signal]) => [signal, simulateHistory(scenario, random)])),
  );
  let state = startEvidence(config, baseline, 0);
  let belowMs: number | undefined;
  let exposedAtPromotion = 0;
  let covered = true;
  let exposed = 0;
  for (let endMs = scenario.intervalMs; endMs <= scenario.runMs; endMs += scenario.intervalMs) {
    state = observeInterval(state, config, interval(scenario, random, config, endMs));
    const verdicts = judge(state, config);
    const all = (category: VerdictCategory) => verdicts.every((verdict) => verdict.category === category);
    exposed = Math.max(...verdicts.map((verdict) => verdict.samples));
    covered &&= verdicts.every(
      ({ interval: limits }) =>
        limits === undefined || (limits[0] <= scenario.extra * 100 && limits[1] >= scenario.extra * 100),
    );
    if (belowMs === undefined && all("ProvedBelow")) {
      belowMs = endMs;
      exposedAtPromotion = exposed;
    }
    if (verdicts.some((verdict) => verdict.category === "ProvedWorse")) {
      return { worseMs: endMs, ...(belowMs === undefined ? {} : { belowMs }), exposed, covered };
    }
  }
  return belowMs === undefined ? { exposed, covered } : { belowMs, exposed: exposedAtPromotion, covered };
}
