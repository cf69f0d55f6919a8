import { durationMs } from "../../api/v1alpha1/scalars.ts";
import { atMs } from "../clock.ts";
import { canaryIsOut } from "../traffic.ts";
import { type MoveOf, stay } from "./move.ts";

/** Phases that lead back to rest. None of them can be paused. */

/**
 * The commit is made and the Service selects the new version only. Its predecessor is told to end once the new version has its capacity; where that
 * takes too long, or the spec has moved on, keeping pods that serve nobody helps nobody.
 */
export const promoting: MoveOf<"Promoting"> = ({ stable, needed, state, input, nowMs }) => {
  const deadline = (atMs(state.waitingSince) ?? nowMs) + durationMs(input.spec.progressDeadline);
  const moved = input.accepted && input.desired.revision !== state.stableRevision;
  if (stable.ready >= needed || nowMs >= deadline || moved) return { kind: "Take", transition: "Committed" };
  return stay({ reason: "PodsNotReady", message: "Pods of the promoted version are not ready." });
};

/** Over when the canary is out of the Service and none of its pods is left but those that are ending. */
export const aborting: MoveOf<"Aborting"> = (context) => {
  const { canary, state } = context;
  if (!canaryIsOut(context)) {
    const message = "Stable pods are not all ready again; the canary shrinks as they become ready.";
    return stay({ reason: "StableNotReady", message });
  }
  if (canary.wantedReplicas > 0 || canary.pods > 0)
    return stay({ reason: "Draining", message: "Pods of the withdrawn canary are told to end." });
  const { failed } = state;
  if (failed?.revision === state.canaryRevision)
    return {
      kind: "Take",
      transition: "RolledBack",
      told: {
        action: "Finish",
        reason: "RolledBack",
        message: `Revision ${state.canaryRevision} has left; revision ${state.stableRevision} serves.`,
      },
    };
  return { kind: "Take", transition: "Returned" };
};
