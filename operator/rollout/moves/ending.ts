import { durationMs } from "../../api/v1alpha1/scalars.ts";
import { podsOfEach } from "../allocate.ts";
import { baselineHasLeft, baselineStays } from "../baseline.ts";
import { atMs, iso } from "../clock.ts";
import { queuedFor } from "../fleet/queue.ts";
import { whyNotStart } from "../policies/start.ts";
import { alarmOf, heldVerdicts, whyNotLeft } from "../policies/verdicts.ts";
import { clause } from "../sentence.ts";
import { canaryIsOut } from "../traffic.ts";
import { isWatching, watchEndsMs } from "../watch.ts";
import { type MoveOf, stay } from "./move.ts";

/** Phases that lead back to rest. None of them can be paused. */

/**
 * The commit is made and the Service selects the new version only. The watch begins, or its predecessor is told to end, once the new version has
 * its capacity; where that takes too long, or the spec has moved on, it is not waited for.
 */
export const promoting: MoveOf<"Promoting"> = (context) => {
  const { stable, needed, state, input, nowMs, router } = context;
  if (nowMs < (router.settlesAtMs(context) ?? nowMs))
    return stay({ reason: "WeightNotApplied", message: "Traffic is being led to the promoted version." });
  const deadline = (atMs(state.waitingSince) ?? nowMs) + durationMs(input.spec.progressDeadline);
  const moved = input.accepted && input.desired.revision !== state.stableRevision;
  if (stable.ready < Math.min(needed, podsOfEach(context).stable) && nowMs < deadline && !moved)
    return stay({ reason: "PodsNotReady", message: "Pods of the promoted version are not ready." });
  const watched = state.previousRevision !== undefined && isWatching(input.spec);
  return { kind: "Take", transition: watched && !moved ? "Committed" : "LetGo" };
};

/**
 * The version before waits beside the Service until the time is over, or until another change may start. What makes the promoted one leave was asked
 * before.
 */
export const watching: MoveOf<"Watching"> = (context) => {
  const { state, input, nowMs } = context;
  const { stableRevision, previousRevision } = state;
  const change = { queued: state.queued };
  const moved = input.accepted && input.desired.revision !== stableRevision;
  const waits = moved ? whyNotStart(context) : undefined;
  if (moved && (!waits || waits.reason === "NoRoom")) return { kind: "Take", transition: "LetGo", change };
  change.queued = waits && queuedFor(context, waits);
  const raised = alarmOf(heldVerdicts(context));
  if (raised) {
    const message = `Since its promotion it is proved worse (${clause(raised.message)}); ${whyNotLeft(context)}. \`kubectl llmbridge abort\` returns to revision ${previousRevision}, \`promote\` gives that up.`;
    return stay({ reason: "ProvedWorse", message }, change);
  }
  if (nowMs < watchEndsMs(context)) return stay(change.queued && waits, change);
  const message = `Revision ${stableRevision} was watched for ${input.spec.watchAfter} without an alarm; revision ${previousRevision} is given up.`;
  return {
    kind: "Take",
    transition: "LetGo",
    change,
    told: { action: "Finish", reason: "Watched", message },
  };
};

/** Over when the canary is out of the Service and none of its pods is left but those that are ending. */
export const aborting: MoveOf<"Aborting"> = (context) => {
  const { canary, baseline, state, nowMs } = context;
  if (!canaryIsOut(context)) {
    const message = "Stable pods are not all ready again; the canary shrinks as they become ready.";
    return stay({ reason: "StableNotReady", message });
  }
  if (!context.router.hasLeft(context))
    return stay(
      { reason: "Draining", message: "Traffic is being led away from the withdrawn canary." },
      { leftSince: state.leftSince ?? iso(nowMs) },
    );
  if (canary.wantedReplicas > 0 || canary.pods > 0)
    return stay({ reason: "Draining", message: "Pods of the withdrawn canary are told to end." });
  if (baselineStays(context)) {
    const message = "Stable pods are not all ready again; those of the baseline serve in their place.";
    return stay({ reason: "StableNotReady", message });
  }
  if (baseline.wantedReplicas > 0 && !baselineHasLeft(context))
    return stay({ reason: "Draining", message: "Traffic is being led away from the baseline." });
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
