import { GATE_METRIC_UNITS, type Gate } from "../api/v1alpha1/rollout.ts";
import { durationMs, quantityBytes, share } from "../api/v1alpha1/scalars.ts";

type GaugeCategory = "Passed" | "Violated" | "NoData";

export interface GaugeVerdict {
  readonly category: GaugeCategory;
  /** The canary's value: the median over its pods, in the unit of the metric (shares 0..1, seconds, bytes, counts). */
  readonly canary?: number;
  readonly stable?: number;
  /** One sentence without numbers that change. */
  readonly message: string;
}

/**
 * Holds the pods of the canary against the limits of one gate. A version is as its median pod is, so that one odd pod neither hides a
 * regression nor makes one. Every limit the gate states must hold; values that are no finite numbers are left out, and a limit without
 * values on a side it needs is NoData.
 */
export function compareGauges(
  canaryPods: readonly number[],
  stablePods: readonly number[],
  gate: Gate,
): GaugeVerdict {
  const canary = median(canaryPods);
  const stable = median(stablePods);
  const values = {
    ...(canary === undefined ? {} : { canary }),
    ...(stable === undefined ? {} : { stable }),
  };
  if (canary === undefined)
    return { ...values, category: "NoData", message: `The canary has no ${gate.metric} yet.` };
  const relative = gate.maxIncrease !== undefined || gate.minDecrease !== undefined;
  const broken =
    brokenAbsolute(gate, canary) ?? (stable === undefined ? undefined : brokenRelative(gate, canary, stable));
  if (broken !== undefined) return { ...values, category: "Violated", message: broken };
  if (relative && stable === undefined)
    return {
      ...values,
      category: "NoData",
      message: `The stable version has no ${gate.metric} to compare with.`,
    };
  return {
    ...values,
    category: "Passed",
    message: `${gate.metric} of the canary is within ${limitsOf(gate)}.`,
  };
}

function brokenAbsolute(gate: Gate, canary: number): string | undefined {
  const must = (rule: string) => `${gate.metric} of the canary must be ${rule}.`;
  if (gate.below !== undefined && !(canary < limitValue(gate, gate.below)))
    return must(`below ${gate.below}`);
  if (gate.above !== undefined && !(canary > limitValue(gate, gate.above)))
    return must(`above ${gate.above}`);
  return undefined;
}

function brokenRelative(gate: Gate, canary: number, stable: number): string | undefined {
  const must = (rule: string) => `${gate.metric} of the canary must be ${rule}.`;
  if (gate.maxIncrease !== undefined && canary > stable * (1 + share(gate.maxIncrease)))
    return must(`at most ${gate.maxIncrease} above that of the stable version`);
  if (gate.minDecrease !== undefined && canary > stable * (1 - share(gate.minDecrease)))
    return must(`at least ${gate.minDecrease} below that of the stable version`);
  return undefined;
}

function limitsOf(gate: Gate): string {
  const limits = [
    gate.below === undefined ? [] : [`below ${gate.below}`],
    gate.above === undefined ? [] : [`above ${gate.above}`],
    gate.maxIncrease === undefined ? [] : [`maxIncrease ${gate.maxIncrease}`],
    gate.minDecrease === undefined ? [] : [`minDecrease ${gate.minDecrease}`],
  ].flat();
  return limits.join(" and ");
}

/** A limit in the unit that readings have: shares 0..1, seconds, bytes, plain counts. Throws RangeError on text the schema would refuse. */
export function limitValue(gate: Pick<Gate, "metric">, text: string): number {
  switch (GATE_METRIC_UNITS[gate.metric]) {
    case "percent":
      return share(text);
    case "duration":
      return durationMs(text) / 1000;
    case "bytes":
      return quantityBytes(text);
    case "count": {
      const value = Number(text);
      if (!Number.isFinite(value)) throw new RangeError(`"${text}" is not a count such as 35000`);
      return value;
    }
  }
}

/** Median of the finite values; undefined without any. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  const lower = sorted.length % 2 === 1 ? upper : sorted[middle - 1];
  return upper === undefined || lower === undefined ? undefined : (upper + lower) / 2;
}
