import type { Split, SplitInput } from "./context.ts";

/**
 * How many pods of each version give a weight, where a ClusterIP spreads connections evenly over pods and 10 % of two pods does not exist.
 *
 * Up to 50 % the stable version keeps every pod it needs and canary pods are added, so that an abort is only a change of the selector. Above it the
 * canary has all the pods needed and the stable version follows down. Both versions together never have fewer pods than are needed.
 */

/** One pod more or less is a coarser share than the weight asks for: w of S + 1 pods is less than one pod, seen from the smaller side. */
export const isTooFine = (needed: number, weight: number): boolean =>
  weight > 0 && weight < 100 && Math.min(weight, 100 - weight) * (needed + 1) < 100;

/** Stable pods from which a weight can be given exactly or rounded by less than one pod. */
export const podsForWeight = (weight: number): number => Math.ceil(100 / Math.min(weight, 100 - weight)) - 1;

export function split({ needed, weight, maxPods, whenTooFewPods }: SplitInput): Split {
  if (needed <= 0) return { stable: 0, canary: 0 };
  if (weight <= 0) return { stable: needed, canary: 0 };
  if (weight >= 100) return { stable: 0, canary: needed };
  const exact = weight <= 50 ? lowerHalf(needed, weight) : upperHalf(needed, weight);
  const tooFine = isTooFine(needed, weight);
  if (tooFine && weight <= 50 && whenTooFewPods === "AddPods") return addPods(needed, weight, maxPods);
  if (exact.stable + exact.canary > maxPods) return { ...within(needed, weight, maxPods), limit: "MaxPods" };
  return tooFine ? { ...exact, limit: "TooFewPods" } : exact;
}

/** c / (S + c) = w, rounded up to whole pods. */
const lowerHalf = (needed: number, weight: number): Split => ({
  stable: needed,
  canary: Math.max(1, Math.ceil((needed * weight) / (100 - weight))),
});

/** S / (S + s) = w, rounded up to whole pods; the stable version keeps at least one. */
const upperHalf = (needed: number, weight: number): Split => ({
  stable: Math.ceil((needed * (100 - weight)) / weight),
  canary: needed,
});

/** Stable pods beyond those needed, until one canary pod is no more than the weight. */
function addPods(needed: number, weight: number, maxPods: number): Split {
  const wanted = Math.ceil((100 - weight) / weight);
  if (wanted + 1 <= maxPods) return { stable: wanted, canary: 1 };
  return { stable: Math.max(needed, maxPods - 1), canary: 1, limit: "MaxPods" };
}

/**
 * Where the usual surge has no room: the canary gets the pods its weight needs (ceil(S w), so that its ready share is never below the weight) and the
 * stable version as many as still fit, without falling below what is needed together.
 */
function within(needed: number, weight: number, maxPods: number): Split {
  const canary = Math.max(1, Math.ceil((needed * weight) / 100));
  const least = Math.max(needed - canary, Math.ceil((canary * (100 - weight)) / weight));
  const fits = Math.max(needed - canary, maxPods - canary);
  return { canary, stable: weight <= 50 ? fits : Math.min(fits, least) };
}
