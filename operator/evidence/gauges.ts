import { type AmountUnit, amount } from "../api/v1alpha1/amounts.ts";
import { GATE_METRIC_UNITS, type Gate } from "../api/v1alpha1/rollout.ts";
import { share } from "../api/v1alpha1/scalars.ts";
import type { Side } from "./gate-evidence.ts";

/** What a gate asks for. */
export type GateLimits = Omit<Gate, "dryRun">;

export interface GaugeVerdict {
  /** The side of its limits that the canary is on; undefined without values to tell it by. */
  readonly side: Side | undefined;
  /** The canary's value: the median over its pods, in the unit of the metric (shares 0..1, seconds, bytes, counts). */
  readonly canary?: number;
  readonly stable?: number;
  /** One sentence without numbers that change. */
  readonly message: string;
}

/** A limit as it is for one look: a number, or a share of what stable has. */
interface Limit {
  readonly rule: string;
  readonly must: "StayBelow" | "StayAbove" | "NotExceed";
  readonly value: number;
}

/** Beyond this many times a limit is far. */
const FAR_FACTOR = 2;

/**
 * Holds the pods of the canary against the limits of one gate. A version is as its median pod is, so that one odd pod neither hides a
 * regression nor makes one. Every limit the gate states must hold; values that are no finite numbers are left out, and a limit without
 * values on a side it needs tells nothing, unless another one is broken.
 */
export function compareGauges(
  canaryPods: readonly number[],
  stablePods: readonly number[],
  gate: GateLimits,
): GaugeVerdict {
  const canary = median(canaryPods);
  const stable = median(stablePods);
  const values = {
    ...(canary === undefined ? {} : { canary }),
    ...(stable === undefined ? {} : { stable }),
  };
  if (canary === undefined)
    return { ...values, side: undefined, message: `The canary has no ${gate.metric} yet.` };
  const limits = [...absoluteLimits(gate), ...(stable === undefined ? [] : relativeLimits(gate, stable))];
  const broken = limits.filter((limit) => sideOf(limit, canary) !== "Within");
  const worst = broken.find((limit) => sideOf(limit, canary) === "Far") ?? broken[0];
  if (worst !== undefined)
    return {
      ...values,
      side: sideOf(worst, canary),
      message: `${gate.metric} of the canary must be ${worst.rule}.`,
    };
  const relative = gate.maxIncrease !== undefined || gate.minDecrease !== undefined;
  if (relative && stable === undefined)
    return {
      ...values,
      side: undefined,
      message: `The stable version has no ${gate.metric} to compare with.`,
    };
  return {
    ...values,
    side: "Within",
    message: `${gate.metric} of the canary is within ${limitsOf(gate)}.`,
  };
}

function sideOf({ must, value }: Limit, canary: number): Side {
  const isKept =
    must === "StayBelow" ? canary < value : must === "StayAbove" ? canary > value : canary <= value;
  if (isKept) return "Within";
  // Of a limit of nothing everything is twice and more; that says nothing of how far it is.
  const isFar =
    value > 0 && (must === "StayAbove" ? canary * FAR_FACTOR < value : canary > value * FAR_FACTOR);
  return isFar ? "Far" : "Over";
}

function absoluteLimits(gate: GateLimits): Limit[] {
  const { below, above } = gate;
  return [
    ...(below === undefined
      ? []
      : [{ rule: `below ${below}`, must: "StayBelow" as const, value: limitValue(gate, below) }]),
    ...(above === undefined
      ? []
      : [{ rule: `above ${above}`, must: "StayAbove" as const, value: limitValue(gate, above) }]),
  ];
}

function relativeLimits({ maxIncrease, minDecrease }: GateLimits, stable: number): Limit[] {
  const limit = (rule: string, factor: number): Limit => ({
    rule,
    must: "NotExceed",
    value: stable * factor,
  });
  return [
    ...(maxIncrease === undefined
      ? []
      : [limit(`at most ${maxIncrease} above that of the stable version`, 1 + share(maxIncrease))]),
    ...(minDecrease === undefined
      ? []
      : [limit(`at least ${minDecrease} below that of the stable version`, 1 - share(minDecrease))]),
  ];
}

/** "below 120ms and maxIncrease 10%". */
export function limitsOf(gate: GateLimits): string {
  const { below, above, maxIncrease, minDecrease } = gate;
  return Object.entries({ below, above, maxIncrease, minDecrease })
    .flatMap(([field, value]) => (value === undefined ? [] : [`${field} ${value}`]))
    .join(" and ");
}

const LIKE: Readonly<Record<AmountUnit, string>> = {
  percent: "a percentage such as 5%",
  duration: "a duration such as 120ms",
  bytes: "a quantity such as 512Mi",
  count: "a count such as 35000",
};

/** A limit in the unit that readings have: shares 0..1, seconds, bytes, plain counts. Throws RangeError on text the schema would refuse. */
export function limitValue(gate: Pick<Gate, "metric">, text: string): number {
  const unit = GATE_METRIC_UNITS[gate.metric];
  const value = amount(unit, text);
  if (value === undefined) throw new RangeError(`"${text}" is not ${LIKE[unit]}`);
  return value;
}

/** Median of the finite values; undefined without any. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  const lower = sorted.length % 2 === 1 ? upper : sorted[middle - 1];
  return upper === undefined || lower === undefined ? undefined : (upper + lower) / 2;
}
