import { durationMs } from "../api/v1alpha1/scalars.ts";
import { baselineServes } from "./baseline.ts";
import { atMs, iso } from "./clock.ts";
import type { Context } from "./context.ts";
import type { Change } from "./phases.ts";
import { isDark } from "./plan.ts";
import type { Track } from "./types.ts";

/** Longest wait for stable pods during an abort where the stable version kept all its pods. */
const PATIENCE_MS = 30_000;

/**
 * Whether an aborting canary leaves the Service in this pass: when the stable version alone has the capacity needed, or the canary has none to lose.
 * It never comes back: its replicas are 0 from then on, and pods that are told to end do not count as ready.
 *
 * An abort ends even where stable pods do not come up: after `abortPatienceMs` what the stable version has must do, if it has anything. An empty
 * Service would help nobody, so without a single ready stable pod the canary goes on serving what it can.
 */
export function canaryIsOut(context: Context): boolean {
  const { state, canary, needed } = context;
  if (state.evidenceSince === undefined || state.leftSince !== undefined || isDark(context)) return true;
  const ready = stableReady(context);
  return ready >= needed || canary.ready === 0 || (ready > 0 && isOutOfPatience(context));
}

/** Ready pods of the stable version, those of a baseline that serves included. */
const stableReady = (context: Context): number =>
  context.stable.ready + (baselineServes(context) ? context.baseline.ready : 0);

const isOutOfPatience = (context: Context): boolean => context.nowMs >= (patienceEndsMs(context) ?? Infinity);

/** What the abort of a canary begins with. */
export const withdrawn = ({ stable, needed, nowMs }: Context): Change => ({
  waitingSince: iso(nowMs),
  stableGaveUp: stable.wantedReplicas < needed ? true : undefined,
});

/**
 * When an abort stops waiting for more stable pods. Above 50 % the stable version has given pods up for the canary, and below it where there was no room
 * for both, or on the way to a step above. Those have to start first.
 */
export function patienceEndsMs({ state, input }: Context): number | undefined {
  const since = atMs(state.waitingSince);
  const kept = (state.weight ?? 0) <= 50 && !state.stableGaveUp;
  return since === undefined
    ? undefined
    : since + (kept ? PATIENCE_MS : durationMs(input.spec.progressDeadline));
}

/**
 * Track of each revision; those that are history have none. A promoted one is told so once the promotion is stored, together with its
 * predecessor: until then the tracks lead back to the predecessor, should the status be lost.
 */
export function tracksOf({ state }: Context): Record<string, Track> {
  const tracks: Record<string, Track> = {};
  if (state.canaryRevision !== undefined)
    tracks[state.canaryRevision] = state.phase === "Pending" ? "production" : "canary";
  if (state.stableRevision !== undefined)
    tracks[state.stableRevision] = state.phase === "Promoting" ? "canary" : "production";
  if (state.phase === "Watching" && state.previousRevision !== undefined)
    tracks[state.previousRevision] = "previous";
  return tracks;
}

/** Percent of the traffic that each version should have now. A step's weight counts from the moment its pods are ready. */
export function weightsOf(context: Context): Record<string, number> {
  const { state } = context;
  const weights: Record<string, number> = {};
  if (state.previousRevision !== undefined) weights[state.previousRevision] = 0;
  if (state.stableRevision !== undefined) weights[state.stableRevision] = 100;
  if (state.canaryRevision === undefined) return weights;
  const weight = context.router.canaryWeight(context);
  weights[state.canaryRevision] = state.phase === "Pending" ? 100 : weight;
  if (state.stableRevision !== undefined) {
    const { baseline, baselineRevision, router } = context;
    const hasBaseline = baseline.wantedReplicas > 0;
    const fresh = hasBaseline ? router.baselineWeight(context, weight) : 0;
    if (hasBaseline && baselineRevision) weights[baselineRevision] = fresh;
    weights[state.stableRevision] = 100 - weight - fresh;
  }
  return weights;
}

/** Percent of the traffic for the canary by the plan, the pods that are ready and the state. */
export function plannedWeight(context: Context): number {
  const { state, step, target, needed, canary } = context;
  const inForce = state.weight ?? 0;
  switch (state.phase) {
    case "Stepping":
      return canary.ready >= target.canary && !context.frozen ? step.weight : Math.min(inForce, step.weight);
    case "Holding":
      return inForce;
    case "Aborting":
      if (canaryIsOut(context)) return 0;
      return Math.min(inForce, Math.ceil((100 * Math.max(0, needed - stableReady(context))) / needed));
    default:
      return 0;
  }
}
