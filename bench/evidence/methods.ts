import { logSum } from "../../operator/evidence/log-sum.ts";
import { type Hour, MINUTES } from "./world.ts";

/**
 * Other methods with guarantees, as they are known from the literature: references that the operator's own is held against.
 * Each gives, minute by minute, the logarithm of its e-process against "the canary is at most `margin` worse"; a failure is found
 * at log(1/level).
 */
export type Method = (hour: Hour, margin: number) => Float64Array;

const at = (values: Float64Array, index: number): number => values[index] ?? 0;

const RATIOS = [1.5, 2, 4, 8] as const;

/**
 * C: the conditional binomial e-process. A margin becomes a ratio by stable's rate in the past, for which `exact` takes each request as
 * independent, and else log M is divided by the dispersion of stable's past.
 */
export function conditional(tempered: boolean): Method {
  return ({ canary, stable, past }, margin) => {
    const known =
      past.bad.reduce((sum, one) => sum + one, 0) / past.requests.reduce((sum, one) => sum + one, 0);
    const allowed = known > 0 ? 1 + margin / known : 1 + margin / 1e-5;
    const dispersion = tempered ? Math.max(1, pearson(past)) : 1;
    const log = RATIOS.map(() => 0);
    const looks = new Float64Array(MINUTES);
    for (let minute = 0; minute < MINUTES; minute++) {
      const exposed = at(canary.requests, minute);
      const others = at(stable.requests, minute);
      const null_ = (exposed * allowed) / (exposed * allowed + others);
      RATIOS.forEach((ratio, index) => {
        const part = (exposed * allowed * ratio) / (exposed * allowed * ratio + others);
        log[index] =
          (log[index] ?? 0) +
          (exposed === 0 || others === 0
            ? 0
            : at(canary.bad, minute) * Math.log(part / null_) +
              at(stable.bad, minute) * Math.log((1 - part) / (1 - null_)));
      });
      looks[minute] = (logSum(log) - Math.log(RATIOS.length)) / dispersion;
    }
    return looks;
  };
}

/** Pearson's dispersion of minutes around one rate. */
function pearson({ requests, bad }: { requests: Float64Array; bad: Float64Array }): number {
  const rate = bad.reduce((sum, one) => sum + one, 0) / requests.reduce((sum, one) => sum + one, 0);
  if (!(rate > 0)) return 1;
  let sum = 0;
  for (let index = 0; index < requests.length; index++) {
    const expected = at(requests, index) * rate;
    sum += (at(bad, index) - expected) ** 2 / (expected * (1 - rate));
  }
  return sum / (requests.length - 1);
}

const BURN_IN = 8;
/** The information at which B is tuned to decide, in units of precision-weighted variance. */
const TUNED = 1500;

/** B: the one-sided normal-mixture confidence sequence on the differences of the minutes, weighed by precision, with their own variance. */
export const confidenceSequence: Method = ({ canary, stable }, margin) => {
  const log = 2 * Math.log(1 / (2 * 0.05));
  const tuning = TUNED / (log + Math.log(1 + log));
  const looks = new Float64Array(MINUTES);
  let weights = 0;
  let weighted = 0;
  let squares = 0;
  let seen = 0;
  for (let minute = 0; minute < MINUTES; minute++) {
    const exposed = at(canary.requests, minute);
    const others = at(stable.requests, minute);
    if (exposed > 0 && others > 0) {
      const weight = (exposed * others) / (exposed + others);
      const difference = at(canary.bad, minute) / exposed - at(stable.bad, minute) / others;
      weights += weight;
      weighted += weight * difference;
      squares += weight * difference ** 2;
      seen += 1;
    }
    const variance = (squares - weighted ** 2 / weights) / (seen - 1);
    if (seen < BURN_IN || !(variance > 0)) continue;
    // In units of the standard deviation: sum of weight * (difference - margin), and its variance.
    const sum = (weighted - weights * margin) / Math.sqrt(variance);
    looks[minute] = logMixture(sum, weights, tuning);
  }
  return looks;
};

/** One-sided normal mixture (Howard, Ramdas, McAuliffe, Sekhon 2021). */
function logMixture(sum: number, time: number, tuning: number): number {
  const scale = Math.sqrt(time + tuning);
  return (
    0.5 * Math.log((4 * tuning) / (time + tuning)) +
    sum ** 2 / (2 * (time + tuning)) +
    logNormalCdf(sum / scale)
  );
}

/** Abramowitz and Stegun 26.2.17 above -5, its asymptote below. */
function logNormalCdf(z: number): number {
  if (z < -5) return -(z ** 2) / 2 - Math.log(-z * Math.sqrt(2 * Math.PI));
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const tail =
    (Math.exp(-(z ** 2) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return Math.log(z < 0 ? tail : 1 - tail);
}

/** E: testing by betting on differences within [-1, 1], the stake from the past (aGRAPA of Waudby-Smith and Ramdas 2024). */
export const betting: Method = ({ canary, stable }, margin) => {
  const looks = new Float64Array(MINUTES);
  let wealth = 0;
  let sum = 0;
  let squares = 0.25;
  let seen = 1;
  for (let minute = 0; minute < MINUTES; minute++) {
    const exposed = at(canary.requests, minute);
    const others = at(stable.requests, minute);
    if (exposed > 0 && others > 0) {
      const gain = at(canary.bad, minute) / exposed - at(stable.bad, minute) / others - margin;
      const mean = sum / seen;
      const stake = Math.min(0.5 / (1 + margin), Math.max(0, mean / (squares / seen + mean ** 2)));
      wealth += Math.log(1 + stake * gain);
      sum += gain;
      squares += (gain - sum / (seen + 1)) ** 2;
      seen += 1;
    }
    looks[minute] = wealth;
  }
  return looks;
};
