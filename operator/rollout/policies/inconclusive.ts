import { durationMs } from "../../api/v1alpha1/scalars.ts";
import { atMs } from "../clock.ts";
import type { Context } from "../context.ts";

/** When a step's hold ends; undefined until the canary has served requests at its weight. */
export function holdEndsMs({ state, step }: Context): number | undefined {
  const served = atMs(state.servedSince);
  return served === undefined ? undefined : served + step.holdMs;
}

/**
 * When a step counts as inconclusive: `inconclusive.after` beyond its hold. Where no request was ever served the hold is counted from when the
 * weight was in force, so that a bridge without traffic does not wait for ever.
 */
export function inconclusiveAtMs(context: Context): number | undefined {
  const { state, step, input } = context;
  if (state.phase !== "Holding") return undefined;
  const end = holdEndsMs(context) ?? (atMs(state.holdingSince) ?? atMs(state.phaseSince) ?? 0) + step.holdMs;
  return end + durationMs(input.spec.analysis.inconclusive.after);
}

export const isInconclusive = (context: Context): boolean =>
  context.clockMs >= (inconclusiveAtMs(context) ?? Number.POSITIVE_INFINITY);
