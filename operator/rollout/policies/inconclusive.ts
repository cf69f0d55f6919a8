import { durationMs } from "../../api/v1alpha1/scalars.ts";
import { atMs } from "../clock.ts";
import type { Context } from "../context.ts";
import { needsRequests } from "../plan.ts";
import type { Hold, HoldReason } from "../types.ts";

/** When a step's hold ends; undefined until the canary has served requests at its weight, where it is to serve some. */
export function holdEndsMs({ state, step }: Context): number | undefined {
  const served = atMs(needsRequests(step) ? state.servedSince : state.holdingSince);
  return served === undefined ? undefined : served + step.holdMs;
}

/**
 * The end of the hold, or where no request was ever served, what it would be had they been from when the weight was in force: a bridge without
 * traffic must not wait for ever.
 */
function holdOverMs(context: Context): number {
  const { state, step } = context;
  return holdEndsMs(context) ?? (atMs(state.holdingSince) ?? atMs(state.phaseSince) ?? 0) + step.holdMs;
}

/** When a step counts as inconclusive: `inconclusive.after` beyond its hold. */
export function inconclusiveAtMs(context: Context): number | undefined {
  if (context.state.phase !== "Holding") return undefined;
  return holdOverMs(context) + durationMs(context.input.spec.analysis.inconclusive.after);
}

export const isInconclusive = (context: Context): boolean =>
  context.clockMs >= (inconclusiveAtMs(context) ?? Number.POSITIVE_INFINITY);

const MISSING: ReadonlySet<HoldReason> = new Set([
  "MetricsUnavailable",
  "BaselineNotReady",
  "NoRequests",
  "NoData",
]);

/** There is nothing to judge by, which is another thing than too little. */
export const isMissing = (hold: Hold | undefined): boolean => hold !== undefined && MISSING.has(hold.reason);

/** When `noData.action` is due: data were missing for `noData.after` without a break, and the hold is over. */
export function noDataAtMs(context: Context): number | undefined {
  const since = atMs(context.state.noDataSince);
  if (context.state.phase !== "Holding" || since === undefined) return undefined;
  return Math.max(since + durationMs(context.input.spec.analysis.noData.after), holdOverMs(context));
}

export const isMissingTooLong = (context: Context): boolean =>
  context.clockMs >= (noDataAtMs(context) ?? Number.POSITIVE_INFINITY);
