import type { Rollout } from "../api/v1alpha1/rollout.ts";
import { durationMs } from "../api/v1alpha1/scalars.ts";
import type { RolloutStatus } from "../api/v1alpha1/status.ts";
import { atMs } from "./clock.ts";
import type { Context } from "./context.ts";
import { isDark } from "./plan.ts";

/**
 * A baseline: pods of the stable version that are started with the canary and serve beside it, so that what is compared differs in the version and in
 * nothing else. Everywhere a revision is named it has a name of its own, that of the stable one with an ending, so that its pods, its budget
 * and its metrics are its own.
 */

const ENDING = "-baseline";

export const baselineOf = (stable: string): string => `${stable}${ENDING}`;
export const isBaseline = (revision: string): boolean => revision.endsWith(ENDING);
/** The revision whose template a baseline has. */
export const templateOf = (baseline: string): string => baseline.slice(0, -ENDING.length);

/**
 * Whether the present canary is compared with one. It was started with it, so that the option counts from the next canary on; taken back, it ends at
 * once.
 */
export const hasBaseline = (
  state: RolloutStatus | undefined,
  { baseline }: Pick<Rollout, "baseline">,
): boolean => baseline === "SameAge" && state?.baseline === "SameAge";

/** Whether its pods get requests now, if they are ready. */
export const baselineServes = (context: Context): boolean =>
  context.state.evidenceSince !== undefined && !isDark(context);

/** Percent of the traffic beside a canary's where it is dealt out by weights: as much, as far as that is half of the rest; of an odd rest the larger half. */
export const baselineShare = (canaryWeight: number): number =>
  Math.min(canaryWeight, Math.ceil((100 - canaryWeight) / 2));

/** Whether nobody is led to its pods any more, so that none of them is needed. */
export const baselineHasLeft = (context: Context): boolean =>
  context.nowMs >= context.router.baselineLeftAtMs(context);

/**
 * In an abort: whether its pods still serve in the place of those that the stable version gave up for them. Not for ever: where the stable version does
 * not come back to its size within progressDeadline, something else is in the way, perhaps the room that they take.
 */
export function baselineStays(context: Context): boolean {
  const { state, stable, baseline, needed } = context;
  if (state.phase !== "Aborting" || !baselineServes(context)) return false;
  if (baseline.ready === 0 || stable.ready >= needed) return false;
  return stable.ready === 0 || context.nowMs < (baselineStaysUntilMs(context) ?? Number.NEGATIVE_INFINITY);
}

export function baselineStaysUntilMs({ state, input, baseline }: Context): number | undefined {
  const since = atMs(state.waitingSince);
  if (since === undefined || baseline.wantedReplicas === 0) return undefined;
  return since + durationMs(input.spec.progressDeadline);
}
