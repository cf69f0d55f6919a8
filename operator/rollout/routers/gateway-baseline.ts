import { baselineServes, baselineShare, baselineStays, hasBaseline } from "../baseline.ts";
import type { Context } from "../context.ts";
import { wantsBaseline } from "../known-good.ts";
import { isDark, stepAt, stepsOf } from "../plan.ts";
import { targetAt } from "../target.ts";
import { canaryIsOut } from "../traffic.ts";
import { settled } from "./settle.ts";

/**
 * A baseline behind a gateway: a third Service with a weight of its own, out of the stable version's share. Its pods follow capacity as the others' do,
 * and the stable version keeps all of its own.
 */

/** Whether its Service selects its pods: where one is ready, from before the canary's first weight until there is nothing to compare with any more. */
export function leadsToBaseline(context: Context): boolean {
  const { state, stable, canary, baseline, target } = context;
  if (baseline.ready === 0) return false;
  switch (state.phase) {
    case "Preparing":
    case "Stepping":
    case "Holding":
      // Nobody wants it any more, and nobody else is there.
      return target.baseline > 0 || stable.ready + canary.ready === 0;
    case "Aborting":
      return canaryIsOut(context) ? baselineStays(context) : baselineServes(context);
    default:
      return false;
  }
}

/**
 * Percent for its Service: as much as the canary has, as far as its ready pods carry it and the route's parents let it rise. In an abort it stands in for
 * stable pods that are missing.
 */
export function baselineWeight(context: Context, canaryWeight: number): number {
  const { state, stable, baseline, target, needed } = context;
  if (state.phase === "Preparing" || isDark(context) || !leadsToBaseline(context)) return 0;
  const percentOf = (pods: number) => (100 * pods) / Math.max(1, needed);
  const leaves = state.phase === "Aborting";
  const planned = leaves
    ? Math.ceil(percentOf(Math.max(0, needed - stable.ready)))
    : baselineShare(canaryWeight);
  // On the way to another step the weight in force may ask for more pods than that step does.
  const isWhole =
    !leaves && baseline.ready >= target.baseline && planned <= baselineShare(context.step.weight);
  const carried = isWhole ? 100 : Math.floor(percentOf(baseline.ready));
  return Math.min(planned, carried, mostByRoute(context), 100 - canaryWeight);
}

/** While a parent refuses the route, or has not said yet that it takes it, nothing is raised above what is written. */
function mostByRoute({ state, input: { route } }: Context): number {
  if (route?.kind !== "Known") return state.routedBaseline ?? 0;
  if (route.noBaseline !== undefined) return 0;
  return route.acceptance.kind === "Accepted" ? 100 : (route.baselineWeight ?? 0);
}

/** When a baseline that has served and is led to no more has lost the gateway's clients too. */
export function baselineLeftAtMs(context: Context): number {
  const { state } = context;
  if (state.evidenceSince === undefined) return 0;
  return leadsToBaseline(context) ? Infinity : (settled(state.baselineLeftSince) ?? Infinity);
}

/** Whether it is seen to serve what a step gives it, if it is to; `before` is the canary's weight of the step before. */
export function isBaselineSeen({ state, input, step, baseline }: Context, before: number): boolean {
  const share = baselineShare(step.weight);
  if (!hasBaseline(state, input.spec) || share === 0) return true;
  return baseline.servedRequests === true && isNearer(baseline.requestShare, share, baselineShare(before));
}

/** Whether a share is nearer to its weight than to the one before. */
export const isNearer = (share: number | undefined, weight: number, before: number): boolean =>
  share !== undefined && Math.abs(share - weight) <= Math.abs(share - before);

/** Most pods that a step needs beside the stable ones, which all stay. */
export function mostBeside(context: Context): number {
  const { input, needed, router } = context;
  const { whenTooFewPods } = input.spec.traffic;
  const baseline = wantsBaseline(context);
  const asked = { needed, maxPods: input.capacity.maxPods, whenTooFewPods, baseline };
  const pods = stepsOf(input.spec).map((_, index) => targetAt(router, stepAt(input.spec, index), asked));
  return Math.max(...pods.map((target) => target.canary + target.baseline));
}
