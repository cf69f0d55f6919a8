import type { ArmCounts, HistoryInterval } from "./counts.ts";

/** Stands in for what history cannot tell: the correlation of a bridge that never failed is unknown, not zero. */
const PRIOR_CORRELATION = 0.001;
/** With less history than this nothing is known, and a service that bursts must not be taken for one that does not. */
const LEAST_REQUESTS = 1000;
const UNKNOWN_CORRELATION = 0.01;
/** How many degrees of freedom of history the prior weighs. */
const PRIOR_WEIGHT = 8;
/** Bursts may last: dispersion is measured over blocks of this many intervals too, and the largest counts. */
const BLOCKS = [1, 4, 16] as const;
const MAX_CORRELATION = 0.5;
/** Standard errors above 0 from which on it is believed that what is odd in one interval is so in the next. */
const LASTING = 1.5;
/** What is odd for good would have no end; more than nineteen intervals in a row no history of ours can tell. */
const MAX_PERSISTENCE = 0.9;

/**
 * How many requests of an interval count as one: 1 + (requests per pod - 1) * correlation, the design effect of clusters
 * (Kish 1965). Dividing counts by it keeps an e-value valid when that many requests fail together (Hölder's inequality).
 */
export function designEffect(counts: ArmCounts, correlation: number): number {
  const perPod = counts.requests / Math.max(1, counts.pods ?? 1);
  return 1 + Math.max(0, perPod - 1) * correlation;
}

interface Dispersion {
  readonly chiSquare: number;
  readonly freedom: number;
}

/** Pearson's statistic of cells around one common rate. */
function around(cells: readonly ArmCounts[]): Dispersion {
  const requests = cells.reduce((sum, cell) => sum + cell.requests, 0);
  const bad = cells.reduce((sum, cell) => sum + cell.bad, 0);
  if (cells.length < 2 || bad === 0 || bad === requests) return { chiSquare: 0, freedom: 0 };
  const rate = bad / requests;
  const chiSquare = cells.reduce((sum, cell) => {
    const expected = cell.requests * rate;
    return sum + (cell.bad - expected) ** 2 / (expected * (1 - rate));
  }, 0);
  return { chiSquare, freedom: cells.length - 1 };
}

function blocksOf(history: readonly HistoryInterval[], length: number): ArmCounts[][] {
  const blocks: ArmCounts[][] = [];
  for (let from = 0; from + length <= history.length; from += length) {
    const pods = new Map<string, ArmCounts>();
    for (const { pods: cells } of history.slice(from, from + length)) {
      for (const { pod, counts } of cells) {
        const sum = pods.get(pod) ?? { requests: 0, bad: 0 };
        pods.set(pod, { requests: sum.requests + counts.requests, bad: sum.bad + counts.bad });
      }
    }
    blocks.push([...pods.values()].filter((cell) => cell.requests > 0));
  }
  return blocks;
}

/** What is odd about a pod in an interval, in standard deviations of independent requests around `rate`. */
function residual({ requests, bad }: ArmCounts, rate: number): number {
  return (bad - requests * rate) / Math.sqrt(requests * rate * (1 - rate));
}

function rateOf(cells: readonly ArmCounts[]): number {
  const requests = cells.reduce((sum, cell) => sum + cell.requests, 0);
  return requests === 0 ? 0 : cells.reduce((sum, cell) => sum + cell.bad, 0) / requests;
}

/** Product of what is odd about a pod in one interval and in the next: summed, and over how many degrees of freedom. */
function lagged(history: readonly HistoryInterval[], severalPods: boolean): { sum: number; freedom: number } {
  const overall = rateOf(history.flatMap(({ pods }) => pods.map(({ counts }) => counts)));
  let sum = 0;
  let freedom = 0;
  let before = new Map<string, number>();
  for (const { pods } of history) {
    const rate = severalPods ? rateOf(pods.map(({ counts }) => counts)) : overall;
    const known = rate > 0 && rate < 1 && pods.length > (severalPods ? 1 : 0);
    const residuals = new Map(known ? pods.map(({ pod, counts }) => [pod, residual(counts, rate)]) : []);
    const both = [...residuals].filter(([pod]) => before.has(pod));
    sum += both.reduce((products, [pod, value]) => products + value * (before.get(pod) ?? 0), 0);
    freedom += Math.max(0, both.length - (severalPods ? 1 : 0));
    before = residuals;
  }
  return { sum, freedom };
}

/**
 * By how much requests of a long row of intervals vary more than those of single ones, apart from what independent requests would:
 * (1 + p) / (1 - p) where bursts fade as an AR(1) with coefficient p. `dispersion` is that of single intervals, 1 when requests are
 * independent. 1 where nothing is seen to last; else one standard error is added to p.
 */
function persistence(history: readonly HistoryInterval[], severalPods: boolean, dispersion: number): number {
  const { sum, freedom } = lagged(history, severalPods);
  if (freedom < PRIOR_WEIGHT) return 1;
  const error = dispersion / Math.sqrt(freedom);
  const covariance = sum / freedom;
  if (covariance <= LASTING * error) return 1;
  const bursts = Math.max(dispersion - 1, covariance / MAX_PERSISTENCE);
  const coefficient = Math.min(MAX_PERSISTENCE, (covariance + error) / bursts);
  return (1 + coefficient) / (1 - coefficient);
}

/**
 * Correlation of the requests of one pod in one interval, from the stable version's past.
 * Pods are compared with each other within a block of time, since what hits all pods at once hits the canary too and cancels; where only
 * one pod served, its blocks are compared with each other, which can only overstate. Persistent differences between pods and bursts that
 * outlast an interval show in the longer blocks, and in how alike neighbouring intervals are.
 */
export function correlationOf(history: readonly HistoryInterval[]): number {
  const cells = blocksOf(history, 1).flat();
  const requests = cells.reduce((sum, cell) => sum + cell.requests, 0);
  const perCell = requests / Math.max(1, cells.length);
  if (requests < LEAST_REQUESTS || perCell <= 1) return UNKNOWN_CORRELATION;
  const severalPods = blocksOf(history, 1).some((block) => block.length > 1);
  const estimates = BLOCKS.map((length) => {
    const blocks = blocksOf(history, length);
    const parts = severalPods ? blocks.map(around) : [around(blocks.flat())];
    const chiSquare = parts.reduce((sum, part) => sum + part.chiSquare, 0);
    const freedom = parts.reduce((sum, part) => sum + part.freedom, 0);
    // As if it were all within one interval: a burst of four intervals shows four times its dispersion over blocks of four.
    // One standard error above the estimate, for history is short.
    const dispersion = freedom === 0 ? 1 : (chiSquare / freedom) * (1 + Math.sqrt(2 / freedom));
    const measured = Math.max(0, (dispersion - 1) / (perCell - 1));
    const correlation = (freedom * measured + PRIOR_WEIGHT * PRIOR_CORRELATION) / (freedom + PRIOR_WEIGHT);
    const lasting = length === 1 && freedom > 0 ? persistence(history, severalPods, chiSquare / freedom) : 1;
    return { freedom, correlation: correlation * lasting };
  });
  const usable = estimates.filter((estimate, index) => index === 0 || estimate.freedom >= PRIOR_WEIGHT);
  return Math.min(MAX_CORRELATION, Math.max(...usable.map((estimate) => estimate.correlation)));
}
