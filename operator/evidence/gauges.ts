import { amount } from "../api/v1alpha1/amounts.ts";
import { GATE_METRIC_UNITS, type Gate } from "../api/v1alpha1/rollout.ts";
import { UNITS } from "../api/v1alpha1/rules/units.ts";
import { share } from "../api/v1alpha1/scalars.ts";
import type { Side } from "./gate-evidence.ts";

/** What a gate asks for. */
export type GateLimits = Omit<Gate, "dryRun">;

export interface GaugeVerdict {
  /** The side of its limits that the canary is on; undefined without values to tell it by. */
  readonly side: Side | undefined;
  /** Without a side: that which a canary is on whose pods serve far fewer requests. It can only look better for it, so that it may be found worse all the same. */
  readonly atBest?: Side;
  /** The canary's value: the median over its pods, in the unit of the metric (shares 0..1, seconds, bytes, counts). */
  readonly canary?: number;
  readonly stable?: number;
  /** One sentence without numbers that change. */
  readonly message: string;
}

/** What is compared: a value of each pod of both versions. */
export interface Gauges {
  readonly canary: readonly number[];
  readonly stable: readonly number[];
  /**
   * Requests that a pod of the canary serves for each that one of the stable version does, in the time that the values are over. Absent where that is
   * not known, or nobody is to be served beside the canary: nothing can be compared then.
   */
  readonly load?: number | undefined;
}

/** A limit as it is for one look: a number, or a share of what stable has. */
interface Limit {
  readonly rule: string;
  readonly must: "StayBelow" | "StayAbove" | "NotExceed";
  /** From here on it may be broken, and beyond `most` it is, whatever the load has to do with the value. */
  readonly value: number;
  readonly most: number;
}

/** Beyond this many times a limit is far. */
const FAR_FACTOR = 2;

/** Requests fall on pods by chance: less than this many times as many are as good as the same. */
const LEAST_APART = 1.1;
/** From here on values do not follow the load in proportion any more: queues form, and collections of garbage fall due. */
const MOST_APART = 1.5;

/**
 * Holds the pods of the canary against the limits of one gate. A version is as its median pod is, so that one odd pod neither hides a
 * regression nor makes one. Every limit the gate states must hold; values that are no finite numbers are left out, and a limit without
 * values on a side it needs tells nothing, unless another one is broken.
 *
 * CPU, garbage collection, memory and latency follow the load of a pod, so that `maxIncrease` and `minDecrease` are looked at only while pods of both
 * versions serve about as many requests: the one at most as many times what the other does as the limit allows of the value, 1.2 for `maxIncrease: 20%`,
 * and 1.1 at least and 1.5 at most. Within that the same version keeps any `maxIncrease`. A value may then be as it is or in proportion to the load: it is
 * over the limit if it is so either way, and within it if it is so either way. Where pods of the canary serve fewer than that, what is over the limit is so all
 * the more, and what is within it tells nothing.
 */
export function compareGauges(gauges: Gauges, gate: GateLimits): GaugeVerdict {
  const canary = median(gauges.canary);
  const stable = median(gauges.stable);
  const values = {
    ...(canary === undefined ? {} : { canary }),
    ...(stable === undefined ? {} : { stable }),
  };
  if (canary === undefined)
    return { ...values, side: undefined, message: `The canary has no ${gate.metric} yet.` };
  const unlike = whyUnlike(gauges, stable, gate);
  const { load = 1 } = gauges;
  const relative = stable === undefined || unlike ? [] : relativeLimits(gate, stable, load);
  const limits = [...absoluteLimits(gate), ...relative];
  const broken = limits.filter((limit) => sideOf(limit, canary) !== "Within");
  const worst = WORST_FIRST.flatMap(
    (side) => broken.find((limit) => sideOf(limit, canary) === side) ?? [],
  )[0];
  if (worst !== undefined) {
    const side = sideOf(worst, canary);
    const message =
      side === "Between"
        ? `${gate.metric} of the canary must be ${worst.rule}, which cannot be told while its pods serve other numbers of requests.`
        : `${gate.metric} of the canary must be ${worst.rule}.`;
    return { ...values, side, message };
  }
  if (unlike) return { ...values, ...atBest(gauges, canary, stable, gate), message: unlike };
  return {
    ...values,
    side: "Within",
    message: `${gate.metric} of the canary is within ${limitsOf(gate)}.`,
  };
}

function atBest(
  { load = 0 }: Gauges,
  canary: number,
  stable: number | undefined,
  gate: GateLimits,
): Pick<GaugeVerdict, "side" | "atBest"> {
  const [limit] = stable === undefined ? [] : relativeLimits(gate, stable, 1);
  const isLess = load > 0 && load < 1;
  return { side: undefined, ...(limit && isLess ? { atBest: sideOf(limit, canary) } : {}) };
}

const WORST_FIRST: readonly Side[] = ["Far", "Over", "Between"];

/** Why the relative limit of a gate cannot be looked at, if it has one. */
function whyUnlike({ load }: Gauges, stable: number | undefined, gate: GateLimits): string | undefined {
  const allowed = relativeFactor(gate);
  if (allowed === undefined) return undefined;
  const { metric } = gate;
  if (stable === undefined) return `The stable version has no ${metric} to compare with.`;
  if (load === undefined)
    return `Nobody is known to be served by the stable version beside the canary, so that ${metric} cannot be compared.`;
  const most = Math.min(MOST_APART, Math.max(LEAST_APART, allowed, 1 / allowed));
  if (Math.max(load, 1 / load) <= most) return undefined;
  if (load === 0) return `The canary serves no requests to compare ${metric} at.`;
  const busier = load > 1 ? "many more" : "far fewer";
  return `A pod of the canary serves ${busier} requests than one of the stable version, so that ${metric} cannot be compared; rollout.baseline SameAge makes them alike.`;
}

function sideOf({ must, value, most }: Limit, canary: number): Side {
  const isKept =
    must === "StayBelow" ? canary < value : must === "StayAbove" ? canary > value : canary <= value;
  if (isKept) return "Within";
  if (must === "NotExceed" && canary <= most) return "Between";
  // Of a limit of nothing everything is twice and more; that says nothing of how far it is.
  const isFar =
    value > 0 && (must === "StayAbove" ? canary * FAR_FACTOR < value : canary > most * FAR_FACTOR);
  return isFar ? "Far" : "Over";
}

function absoluteLimits(gate: GateLimits): Limit[] {
  const limit = (field: "below" | "above", must: Limit["must"]): Limit[] => {
    const text = gate[field];
    if (text === undefined) return [];
    const value = limitValue(gate, text);
    return [{ rule: `${field} ${text}`, must, value, most: value }];
  };
  return [...limit("below", "StayBelow"), ...limit("above", "StayAbove")];
}

/** What the canary may have of the stable version's value; a gate has one such limit. */
function relativeFactor({ maxIncrease, minDecrease }: GateLimits): number | undefined {
  if (maxIncrease !== undefined) return 1 + share(maxIncrease);
  return minDecrease === undefined ? undefined : 1 - share(minDecrease);
}

function relativeLimits(gate: GateLimits, stable: number, load: number): Limit[] {
  const factor = relativeFactor(gate);
  if (factor === undefined) return [];
  const { maxIncrease, minDecrease } = gate;
  const rule =
    maxIncrease === undefined
      ? `at least ${minDecrease} below that of the stable version`
      : `at most ${maxIncrease} above that of the stable version`;
  const limit = stable * factor;
  return [{ rule, must: "NotExceed", value: limit * Math.min(1, load), most: limit * Math.max(1, load) }];
}

/** "below 120ms and maxIncrease 10%". */
export function limitsOf(gate: GateLimits): string {
  const { below, above, maxIncrease, minDecrease } = gate;
  return Object.entries({ below, above, maxIncrease, minDecrease })
    .flatMap(([field, value]) => (value === undefined ? [] : [`${field} ${value}`]))
    .join(" and ");
}

/** A limit in the unit that readings have: shares 0..1, seconds, bytes, plain counts. Throws RangeError on text the schema would refuse. */
export function limitValue(gate: Pick<Gate, "metric">, text: string): number {
  const unit = GATE_METRIC_UNITS[gate.metric];
  const value = amount(unit, text);
  if (value === undefined) throw new RangeError(`"${text}" is not ${UNITS[unit].words}`);
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
