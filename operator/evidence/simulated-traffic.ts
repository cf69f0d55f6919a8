import { type Baseline, measureBaseline } from "./baseline.ts";
import { type EvidenceConfig, judgedSignals } from "./config.ts";
import type { ArmCounts, HistoryInterval, IntervalCounts, Signal } from "./counts.ts";
import { judge, type VerdictCategory } from "./judge.ts";
import { observeInterval } from "./observe.ts";
import { startEvidence } from "./state.ts";

/** A model of two versions under load, by which the stated error probabilities are checked (error-probabilities.test.ts, bench/evidence). */
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
  /** How far the rate of a pod lasts from interval to interval: coefficient of an AR(1). Default 0: rates are drawn anew. */
  readonly autocorrelation?: number;
}

export interface Outcome {
  /** When a failure was proved of any signal, milliseconds. */
  readonly worseMs?: number;
  /** When all signals were proved to be good enough, if no failure was proved before. */
  readonly belowMs?: number;
  /** Whether that proof stood when the run ended. */
  readonly stands: boolean;
  /** Requests that the canary had served when decided, or in all. */
  readonly exposed: number;
  /** Whether every confidence interval on the way held the true difference. */
  readonly covered: boolean;
}

export type Random = () => number;
type Bursts = Pick<Scenario, "correlation" | "autocorrelation">;

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
export function binomial(random: Random, n: number, rate: number): number {
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

/** A Poisson number of requests, near enough for means of ten and more. */
export function arrivals(random: Random, mean: number): number {
  return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)));
}

/** Gamma of scale 1 (Marsaglia and Tsang 2000). */
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

/** The rate at which a pod fails in the next interval, around a mean. */
export type PodRate = (mean: number) => number;

/**
 * Rates of one pod. Those of independent intervals have a beta distribution; those that last are log-normal, with the same variance, an
 * AR(1) on the logarithm.
 */
export function podRate(random: Random, correlation: number, autocorrelation = 0): PodRate {
  if (correlation === 0) return (mean) => mean;
  if (autocorrelation === 0) {
    return (mean) => {
      if (mean <= 0 || mean >= 1) return mean;
      const strength = 1 / correlation - 1;
      const bad = gamma(random, mean * strength);
      const good = gamma(random, (1 - mean) * strength);
      return bad + good === 0 ? 0 : bad / (bad + good);
    };
  }
  let level = normal(random);
  return (mean) => {
    level = autocorrelation * level + Math.sqrt(1 - autocorrelation ** 2) * normal(random);
    if (mean <= 0 || mean >= 1) return mean;
    const variance = Math.log(1 + (correlation * (1 - mean)) / mean);
    return Math.min(1, mean * Math.exp(Math.sqrt(variance) * level - variance / 2));
  };
}

function podRates({ correlation, autocorrelation }: Bursts, random: Random, pods: number): PodRate[] {
  return Array.from({ length: pods }, () => podRate(random, correlation, autocorrelation));
}

function podCounts(random: Random, requests: number, pods: readonly PodRate[], rate: number): ArmCounts[] {
  const left = pods.map((_, pod) => Math.floor((requests + pod) / pods.length));
  return left.map((own, pod) => ({
    requests: own,
    bad: binomial(random, own, pods[pod]?.(rate) ?? rate),
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
    | "intervalMs"
    | "requestsPerSecond"
    | "historyMs"
    | "pods"
    | "stableRate"
    | "correlation"
    | "autocorrelation"
  >,
  random: Random,
  stable: readonly PodRate[] = podRates(scenario, random, scenario.pods.stable),
): HistoryInterval[] {
  const { intervalMs, stableRate } = scenario;
  return Array.from({ length: Math.floor(scenario.historyMs / intervalMs) }, (_, index) => {
    const requests = Math.round((scenario.requestsPerSecond * intervalMs) / 1000);
    const cells = podCounts(random, requests, stable, stableRate);
    return {
      endMs: (index + 1) * intervalMs,
      pods: cells.map((counts, pod) => ({ pod: `pod-${pod}`, counts })),
    };
  });
}

type Pods = Readonly<Record<"canary" | "stable", readonly PodRate[]>>;

function interval(
  scenario: Scenario,
  random: Random,
  pods: ReadonlyMap<Signal, Pods>,
  endMs: number,
): IntervalCounts {
  const { intervalMs, runMs, weights, stableRate } = scenario;
  const wave = 1 + scenario.wave * Math.sin((2 * Math.PI * endMs) / runMs);
  const expected = (scenario.requestsPerSecond * wave * intervalMs) / 1000;
  const weight =
    weights[Math.min(weights.length - 1, Math.floor(((endMs - 1) / runMs) * weights.length))] ?? 0;
  const extra = endMs - intervalMs >= (scenario.worseFromMs ?? 0) ? scenario.extra : 0;
  const signals: { -readonly [key in keyof IntervalCounts["signals"]]: IntervalCounts["signals"][key] } = {};
  for (const [signal, own] of pods) {
    const canary = arrivals(random, expected * weight);
    const stable = arrivals(random, expected * (1 - weight));
    signals[signal] = {
      canary: together(podCounts(random, canary, own.canary, stableRate + extra)),
      stable: together(podCounts(random, stable, own.stable, stableRate)),
    };
  }
  return { endMs, signals };
}

/** One rollout: history, then looks after every interval, until a failure is proved or the run ends. */
export function simulateRollout(scenario: Scenario, config: EvidenceConfig, random: Random): Outcome {
  const pods = new Map(
    judgedSignals(config).map(([signal]): [Signal, Pods] => [
      signal,
      {
        canary: podRates(scenario, random, scenario.pods.canary),
        stable: podRates(scenario, random, scenario.pods.stable),
      },
    ]),
  );
  const baseline: Baseline = measureBaseline(
    Object.fromEntries(
      [...pods].map(([signal, { stable }]) => [signal, simulateHistory(scenario, random, stable)]),
    ),
  );
  let state = startEvidence(config, baseline, 0);
  let belowMs: number | undefined;
  let exposedAtPromotion = 0;
  let covered = true;
  let exposed = 0;
  let stands = false;
  for (let endMs = scenario.intervalMs; endMs <= scenario.runMs; endMs += scenario.intervalMs) {
    state = observeInterval(state, config, interval(scenario, random, pods, endMs));
    const verdicts = judge(state, config);
    const all = (category: VerdictCategory) => verdicts.every((verdict) => verdict.category === category);
    exposed = Math.max(...verdicts.map((verdict) => verdict.samples));
    covered &&= verdicts.every(
      ({ interval: limits }) =>
        limits === undefined || (limits[0] <= scenario.extra * 100 && limits[1] >= scenario.extra * 100),
    );
    stands = all("ProvedBelow");
    if (belowMs === undefined && stands) {
      belowMs = endMs;
      exposedAtPromotion = exposed;
    }
    if (verdicts.some((verdict) => verdict.category === "ProvedWorse")) {
      return { worseMs: endMs, ...(belowMs === undefined ? {} : { belowMs }), stands, exposed, covered };
    }
  }
  return belowMs === undefined
    ? { stands, exposed, covered }
    : { belowMs, stands, exposed: exposedAtPromotion, covered };
}
