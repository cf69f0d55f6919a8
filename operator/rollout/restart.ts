import { durationMs } from "../api/v1alpha1/scalars.ts";
import type { Phase, RolloutStatus } from "../api/v1alpha1/status.ts";
import { atMs, iso } from "./clock.ts";
import type { Context } from "./context.ts";
import type { Told } from "./moves/move.ts";
import type { RevisionFacts, RolloutInput } from "./types.ts";
import { keptPods } from "./watch.ts";

/**
 * Replaces the pods of the stable version without a new version: some more are started, and as many old ones as there are ready ones beyond those
 * needed are evicted, again and again. So capacity never falls, and disruption budgets have their say.
 */

type Restart = NonNullable<RolloutStatus["restart"]>;

/** Phases in which all of the traffic is the stable version's. A new version ends a restart: its pods are new. */
export const CAN_RESTART: readonly Phase[] = ["Stable", "Watching", "Draining", "Aborted"];

/** Pods of the version that were made before the restart was asked for. */
export function oldPods({ podsMadeMs = [] }: RevisionFacts, { before }: Restart): number {
  const beforeMs = atMs(before) ?? 0;
  return podsMadeMs.filter((madeMs) => madeMs < beforeMs).length;
}

/** Pods that may start beside those needed: a quarter of them, and what there is room for. */
export function surgeOf(context: Context): number {
  const { needed, room, state } = context;
  const kept = state.phase === "Watching" ? keptPods(context) : 0;
  // The version before is a bystander of the context; what it keeps is counted there by its pods.
  const free = state.phase === "Watching" ? context.input.capacity.maxPods - needed - kept : room - needed;
  return Math.max(0, Math.min(Math.max(1, Math.ceil(needed / 4)), free));
}

export const surge = (context: Context): number =>
  context.state.restart && CAN_RESTART.includes(context.state.phase) && context.needed > 0
    ? surgeOf(context)
    : 0;

/** Old pods to evict now: as many as are ready beyond those needed. */
export function evictionsOf({
  state,
  stable,
  needed,
}: Context): { before: string; count: number } | undefined {
  const { restart } = state;
  if (!restart || !CAN_RESTART.includes(state.phase)) return undefined;
  const spare = stable.ready - needed;
  const count = Math.min(spare, oldPods(stable, restart));
  return count > 0 ? { before: restart.before, count } : undefined;
}

/** A restart goes on, is over, or is given up: where no pod was replaced for `progressDeadline` something does not let it. */
export function followRestart(
  state: RolloutStatus,
  input: RolloutInput,
): { state: RolloutStatus; told?: Told } {
  const { restart, stableRevision = "" } = state;
  const facts = input.revisions[stableRevision];
  if (!restart || !facts) return { state };
  const left = oldPods(facts, restart);
  const over = { ...state, restart: undefined };
  if (left === 0 && facts.ready >= input.capacity.needed) {
    const message = `Every pod of revision ${stableRevision} made before ${restart.before} was replaced.`;
    return { state: over, told: { action: "Finish", reason: "Restarted", message } };
  }
  if (left < restart.left)
    return { state: { ...state, restart: { ...restart, left, since: iso(input.nowMs) } } };
  if (input.nowMs < restartEndsMs(restart, input)) return { state };
  const because = facts.faults[0] ? `: ${facts.faults[0].message}` : "; a disruption budget may not allow it";
  const message = `The restart is given up with ${left} pods left: none was replaced within progressDeadline ${input.spec.progressDeadline}${because}.`;
  return { state: over, told: { action: "Finish", reason: "RestartGivenUp", message } };
}

export const restartEndsMs = ({ since }: Restart, { spec, nowMs }: RolloutInput): number =>
  (atMs(since) ?? nowMs) + durationMs(spec.progressDeadline);
