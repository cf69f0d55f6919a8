import type { Rollout } from "../api/v1alpha1/rollout.ts";
import { durationMs } from "../api/v1alpha1/scalars.ts";
import type { RolloutStatus } from "../api/v1alpha1/status.ts";
import { baselineOf, hasBaseline } from "./baseline.ts";
import { atMs, iso } from "./clock.ts";
import type { Context } from "./context.ts";
import type { Change } from "./phases.ts";

/** What is asked about a version after its promotion, while the one before it stays ready to return to. */

/** The promoted version that may still be left for the one before; undefined where there is none. */
export function watchedRevision(state: RolloutStatus | undefined): string | undefined {
  return state?.previousRevision === undefined ? undefined : state.stableRevision;
}

/** The version that is judged now, as a canary or after its promotion, and the one that it is held against. */
export function judgedPair(state: RolloutStatus | undefined): { canary: string; stable: string } | undefined {
  const { canaryRevision, stableRevision, previousRevision } = state ?? {};
  if (stableRevision === undefined) return undefined;
  if (canaryRevision !== undefined) return { canary: canaryRevision, stable: stableRevision };
  return previousRevision === undefined ? undefined : { canary: stableRevision, stable: previousRevision };
}

/** The same, with what the canary's requests are compared with: its baseline, where it has one. */
export function comparedPair(
  state: RolloutStatus | undefined,
  spec: Pick<Rollout, "baseline">,
): { canary: string; stable: string; reference: string } | undefined {
  const pair = judgedPair(state);
  if (pair === undefined) return undefined;
  return { ...pair, reference: hasBaseline(state, spec) ? baselineOf(pair.stable) : pair.stable };
}

/** Immediate takes no evidence, before or after. */
export const isWatching = ({ watchAfter, strategy }: Rollout): boolean =>
  strategy !== "Immediate" && durationMs(watchAfter) > 0;

/** When the watch is over. It is never paused: what follows a commit goes on. */
export const watchEndsMs = ({ state, input }: Context): number =>
  (atMs(state.phaseSince) ?? input.nowMs) + durationMs(input.spec.watchAfter);

/** The two versions change places, and the promoted one leaves as a canary with all of the traffic does. */
export const recalled = (
  { stableRevision, previousRevision, evidenceSince }: RolloutStatus,
  nowMs: number,
): Change => ({
  stableRevision: previousRevision,
  canaryRevision: stableRevision,
  weight: 100,
  sharesService: true,
  evidenceSince: evidenceSince ?? iso(nowMs),
  waitingSince: iso(nowMs),
});

/**
 * Pods of the version before while its successor is watched: those that still ran when that was promoted, as at a step of 100 %. None is started for
 * it, and it gives way where the successor needs the room.
 */
export function keptPods({ state, input, needed }: Context): number {
  const kept = input.revisions[state.previousRevision ?? ""]?.wantedReplicas ?? 0;
  return Math.max(0, Math.min(kept, needed, input.capacity.maxPods - needed));
}
