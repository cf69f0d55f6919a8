import type { Split, SplitInput } from "./context.ts";

/**
 * Pods of three kinds that give a weight: the stable version, its baseline, and a canary. The baseline is a part of the stable version's share, and as
 * large as the canary as long as it is no larger than the rest of that share.
 *
 * Up to a third of the traffic the stable version keeps every pod it needs; canary and baseline are added. Above it the canary has all the pods needed, and
 * the stable version's share is halved between its own pods and the baseline. All together never have fewer pods than are needed.
 */
export function splitSameAge({ needed, weight, maxPods, whenTooFewPods }: SplitInput): Split {
  if (needed <= 0) return { stable: 0, baseline: 0, canary: 0 };
  if (weight <= 0) return { stable: needed, baseline: 0, canary: 0 };
  if (weight >= 100) return { stable: 0, baseline: 0, canary: needed };
  const tooFine = Math.min(weight, 100 - weight) * (needed + 2) < 100;
  const adds = tooFine && weight < 50 && whenTooFewPods === "AddPods";
  const exact = adds ? addPods(needed, weight) : shares(needed, weight);
  if (exact.stable + exact.baseline + exact.canary > maxPods)
    return { ...within(needed, weight, maxPods), limit: "MaxPods" };
  return tooFine && !adds ? { ...exact, limit: "TooFewPods" } : exact;
}

type Three = Required<Omit<Split, "limit">>;

function shares(needed: number, weight: number): Three {
  // c / (S + 2 c) = w, rounded up to whole pods; from half of the traffic on nothing that is added gives it.
  const added = Math.ceil((needed * weight) / Math.max(0, 100 - 2 * weight));
  if (added <= needed) return { stable: needed, baseline: Math.max(1, added), canary: Math.max(1, added) };
  return halved(Math.max(2, Math.ceil((needed * (100 - weight)) / weight)), needed);
}

/** The stable version's share, of which the smaller half is the baseline's. */
function halved(share: number, canary: number): Three {
  const baseline = Math.min(canary, Math.floor(share / 2));
  return { stable: share - baseline, baseline, canary };
}

/** Stable pods beyond those needed, until one canary pod is no more than the weight. */
function addPods(needed: number, weight: number): Three {
  return { stable: Math.max(needed, Math.ceil(100 / weight) - 2), baseline: 1, canary: 1 };
}

/** Where the usual surge has no room: all that there is room for, divided by the weight; the canary's pods carry it in any case. */
function within(needed: number, weight: number, maxPods: number): Three {
  const carries = Math.max(1, Math.ceil((needed * weight) / 100));
  const canary = Math.max(carries, Math.min(needed, Math.floor((maxPods * weight) / 100)));
  const exact = Math.ceil((canary * (100 - weight)) / weight);
  const kept = 3 * weight <= 100 ? needed + canary : weight <= 50 ? needed : 2;
  return halved(Math.max(needed - canary, Math.min(maxPods - canary, Math.max(kept, exact))), canary);
}
