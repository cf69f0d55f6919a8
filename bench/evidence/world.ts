import { arrivals, binomial, podRate, type Random } from "../../operator/evidence/simulated-traffic.ts";

/**
 * The hour in which methods are compared: 600 requests a minute with a daily wave of 50 %, the canary at 5, 10, 25 and 50 % for a quarter
 * of an hour each, one look a minute. Stable's past of two hours comes before it.
 */
export interface World {
  readonly stableRate: number;
  readonly canaryRate: number;
  /** Extra variation of the rate, private to a version and a minute, as the intra-class correlation of its requests in that minute. */
  readonly dispersion: number;
  /** How far that variation lasts from minute to minute: the coefficient of an AR(1). Default 0. */
  readonly autocorrelation?: number;
  /** Relative amplitude of a wave in the rates of both versions, as a load of the day would make it. Default 0. */
  readonly rateWave?: number;
  /** Minute in which the canary begins to be worse. Default 0. */
  readonly worseFrom?: number;
}

/** Requests and bad ones, minute by minute. */
export interface Arm {
  readonly requests: Float64Array;
  readonly bad: Float64Array;
}

export interface Hour {
  readonly canary: Arm;
  readonly stable: Arm;
  /** Stable before the canary. */
  readonly past: Arm;
}

export const MINUTES = 60;
/** Stable's past: as many intervals as the operator reads. */
export const PAST_MINUTES = 120;
const REQUESTS_PER_MINUTE = 600;
const WAVE = 0.5;
const WEIGHTS = [0.05, 0.1, 0.25, 0.5] as const;

/** sfc32 with a seed of two numbers: independent streams for cells and parts of them, which a generator of 32 bits would not give. */
export function randomStream(seed: number, stream: number): Random {
  let a = seed >>> 0;
  let b = stream >>> 0;
  let c = 0x9e3779b9;
  let counter = 1;
  const next = () => {
    const sum = (((a + b) >>> 0) + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + sum) >>> 0;
    return sum / 4294967296;
  };
  for (let warm = 0; warm < 20; warm++) next();
  return next;
}

const dayWave = (minute: number) => Math.sin((2 * Math.PI * minute) / MINUTES);

/** One hour and the past before it. */
export function simulateHour(world: World, random: Random): Hour {
  const arm = (minutes: number): Arm => ({
    requests: new Float64Array(minutes),
    bad: new Float64Array(minutes),
  });
  const hour: Hour = { canary: arm(MINUTES), stable: arm(MINUTES), past: arm(PAST_MINUTES) };
  const stable = podRate(random, world.dispersion, world.autocorrelation);
  const canary = podRate(random, world.dispersion, world.autocorrelation);
  const serve = (into: Arm, index: number, minute: number, weight: number, rate: number) => {
    const load = REQUESTS_PER_MINUTE * (1 + WAVE * dayWave(minute + 0.5)) * weight;
    const requests = arrivals(random, load);
    into.requests[index] = requests;
    const day = 1 + (world.rateWave ?? 0) * dayWave(minute + 0.5);
    into.bad[index] = binomial(random, requests, Math.min(1, rate * day));
  };
  for (let index = 0; index < PAST_MINUTES; index++) {
    serve(hour.past, index, index - PAST_MINUTES, 1, stable(world.stableRate));
  }
  for (let minute = 0; minute < MINUTES; minute++) {
    const weight = WEIGHTS[Math.floor((minute / MINUTES) * WEIGHTS.length)] ?? 1;
    const rate = minute < (world.worseFrom ?? 0) ? world.stableRate : world.canaryRate;
    serve(hour.stable, minute, minute, 1 - weight, stable(world.stableRate));
    serve(hour.canary, minute, minute, weight, canary(rate));
  }
  return hour;
}
