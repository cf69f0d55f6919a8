import { measureBaseline } from "../../operator/evidence/baseline.ts";
import type { EvidenceConfig, Margins } from "../../operator/evidence/config.ts";
import type { PairedCounts } from "../../operator/evidence/counts.ts";
import { judge } from "../../operator/evidence/judge.ts";
import { observeInterval } from "../../operator/evidence/observe.ts";
import type { Random } from "../../operator/evidence/simulated-traffic.ts";
import { startEvidence } from "../../operator/evidence/state.ts";
import type { World } from "./world.ts";

/**
 * The hour of world.ts a second time, with no code in common: every request arrives by itself, is dealt to a version by one coin and fails
 * by another, and the coins are those of another generator. What both find does not rest on a fault of either.
 */
const WEIGHTS = [0.05, 0.1, 0.25, 0.5] as const;
const MINUTES = 60;
const PAST = 120;
const PER_MINUTE = 600;

/** xoshiro128** (Blackman and Vigna 2018). */
export function xoshiro(seed: number, stream: number): Random {
  let [a, b, c, d] = [seed | 0, stream | 0, 0x243f6a88, 0x2c5e3a71];
  const next = () => {
    const five = Math.imul(b, 5);
    const result = Math.imul((five << 7) | (five >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result / 4294967296;
  };
  for (let warm = 0; warm < 64; warm++) next();
  return next;
}

/** log M of both questions after every minute. */
export function judgeRequests(
  world: World,
  margins: Margins,
  random: Random,
): Readonly<Record<"worse" | "below", readonly number[]>> {
  const config: EvidenceConfig = {
    signals: { errors: margins },
    falseRollback: 0,
    falsePromotion: 0,
    subject: "request by request",
  };
  const past = [];
  for (let minute = 0; minute < PAST; minute++) {
    const { stable } = serve(world, minute, 0, random);
    past.push({ endMs: minute, pods: [{ pod: "stable", counts: stable }] });
  }
  let state = startEvidence(config, measureBaseline({ errors: past }), 0);
  const looks = { worse: [] as number[], below: [] as number[] };
  for (let minute = 0; minute < MINUTES; minute++) {
    const counts = serve(world, minute, WEIGHTS[Math.floor(minute / 15)] ?? 1, random);
    state = observeInterval(state, config, { endMs: minute + 1, signals: { errors: counts } });
    const [verdict] = judge(state, config);
    looks.worse.push(verdict?.logEWorse ?? 0);
    looks.below.push(verdict?.logEBelow ?? 0);
  }
  return looks;
}

function serve(
  { stableRate, canaryRate, dispersion }: World,
  minute: number,
  weight: number,
  random: Random,
): PairedCounts {
  const load = PER_MINUTE * (1 + 0.5 * Math.sin((2 * Math.PI * (minute + 0.5)) / MINUTES));
  const canary = { requests: 0, bad: 0 };
  const stable = { requests: 0, bad: 0 };
  // Pólya's urn: each request that fails makes the next of the version likelier to, with `dispersion` as their correlation.
  const urn = dispersion > 0 ? 1 / dispersion - 1 : undefined;
  const gap = () => -Math.log(1 - random());
  let time = gap();
  while (time < load) {
    time += gap();
    const isCanary = random() < weight;
    const version = isCanary ? canary : stable;
    const rate = isCanary ? canaryRate : stableRate;
    const likely = urn === undefined ? rate : (urn * rate + version.bad) / (urn + version.requests);
    version.requests += 1;
    if (random() < likely) version.bad += 1;
  }
  return { canary, stable };
}
