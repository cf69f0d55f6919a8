import { type Arm, type Hour, MINUTES } from "./world.ts";

/** Rules without error control. The minute, from 1, in which a rule rolls back; undefined if it never does. */
export type Rule = (hour: Hour) => number | undefined;

/** Kayenta's defaults. */
const CONFIDENCE_QUANTILE = 2.3263478740408408; // of 98 %, two-sided
const TOLERANCE = 0.25;
/** As its standalone mode is set up: a growing window, judged every five minutes from the tenth on. */
const FIRST_JUDGEMENT = 10;
const JUDGEMENT_INTERVAL = 5;

/**
 * Kayenta's NetflixACAJudge on one metric, the error rate per minute, direction increase, defaults for all else: High, which fails the
 * canary, if the lower 98 % limit of the Hodges-Lehmann shift is above a quarter of the shift, and the ratio of means is at least 1.
 */
export const kayenta: Rule = ({ canary, stable }) => {
  for (let until = FIRST_JUDGEMENT; until <= MINUTES; until += JUDGEMENT_INTERVAL) {
    if (isHigh(ratesOf(canary, until), ratesOf(stable, until))) return until;
  }
  return undefined;
};

/** NaN, from minutes without requests, is left out. */
function ratesOf({ requests, bad }: Arm, until: number): Float64Array {
  return Float64Array.from({ length: until }, (_, minute) => (bad[minute] ?? 0) / (requests[minute] ?? 0))
    .filter((rate) => !Number.isNaN(rate))
    .sort();
}

function isHigh(experiment: Float64Array, control: Float64Array): boolean {
  if (experiment.length === 0 || control.length === 0) return false;
  if (experiment.length === control.length && experiment.every((rate, index) => rate === control[index]))
    return false;
  if (experiment[0] === control[0] && isConstant(experiment) && isConstant(control)) return false;
  const limit = limitOf(experiment, control);
  // Most judgements end here: a lower limit that is not above 0 is above no part of the shift.
  if (notAbove(experiment, control) > limit) return false;
  const { shift, lower } = shiftOf(experiment, control, limit);
  const [mean, reference] = [meanOf(experiment), meanOf(control)];
  const large = mean === 0 || reference === 0 || mean / reference >= 1;
  return lower > TOLERANCE * Math.abs(shift) && large;
}

const isConstant = (sorted: Float64Array) => sorted[0] === sorted.at(-1);
const meanOf = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Position of the lower limit among the sorted differences of all pairs, by inverting the normal approximation of the rank-sum test with
 * corrections for ties and continuity, as R's wilcox.test does. R finds where the statistic jumps by root-finding; that is an order statistic.
 */
function limitOf(x: Float64Array, y: Float64Array): number {
  const pairs = x.length * y.length;
  const all = x.length + y.length;
  const ties = tiesOf(x) + tiesOf(y);
  const sigma = Math.sqrt((pairs / 12) * (all + 1 - ties / (all * (all - 1))));
  return Math.max(0, Math.floor(pairs / 2 - 0.5 - CONFIDENCE_QUANTILE * sigma));
}

/** How many of the pairs have a difference of at most 0; both sorted. */
function notAbove(x: Float64Array, y: Float64Array): number {
  let count = 0;
  let below = 0;
  for (const one of x) {
    while (below < y.length && (y[below] ?? 0) < one) below++;
    count += y.length - below;
  }
  return count;
}

/** Hodges-Lehmann shift, the median of the differences of all pairs, and its lower limit. */
function shiftOf(x: Float64Array, y: Float64Array, limit: number): { shift: number; lower: number } {
  const differences = new Float64Array(x.length * y.length);
  let index = 0;
  for (const one of x) for (const other of y) differences[index++] = one - other;
  differences.sort();
  const pairs = differences.length;
  const at = (position: number) => differences[position] ?? 0;
  return {
    shift: (at(Math.floor((pairs - 1) / 2)) + at(Math.floor(pairs / 2))) / 2,
    lower: at(limit),
  };
}

/** Sum of t^3 - t over groups of equal values. */
function tiesOf(sorted: Float64Array): number {
  let sum = 0;
  for (let from = 0, to = 0; from < sorted.length; from = to) {
    while (to < sorted.length && sorted[to] === sorted[from]) to++;
    sum += (to - from) ** 3 - (to - from);
  }
  return sum;
}

/** Argo Rollouts: a success rate of at least 95 % over five minutes, measured every five, `failureLimit: 3`: the fourth failure aborts. */
export const argoRollouts: Rule = ({ canary }) => failing(canary, { every: 5, success: 0.95, failures: 4 });

/** Flagger: `request-success-rate` of at least 99 % over one minute, `threshold: 5`: the fifth failed check, of all, rolls back. */
export const flagger: Rule = ({ canary }) => failing(canary, { every: 1, success: 0.99, failures: 5 });

function failing(
  { requests, bad }: Arm,
  rule: { readonly every: number; readonly success: number; readonly failures: number },
): number | undefined {
  let failed = 0;
  for (let until = rule.every; until <= MINUTES; until += rule.every) {
    const sum = (values: Float64Array) =>
      values.subarray(until - rule.every, until).reduce((total, value) => total + value, 0);
    const served = sum(requests);
    if (served > 0 && 1 - sum(bad) / served < rule.success) failed++;
    if (failed >= rule.failures) return until;
  }
  return undefined;
}
