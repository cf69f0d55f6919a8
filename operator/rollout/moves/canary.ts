import { durationMs } from "../../api/v1alpha1/scalars.ts";
import { podsOfEach } from "../allocate.ts";
import { atMs, iso } from "../clock.ts";
import type { Context } from "../context.ts";
import { frozenEntry } from "../fleet/holds.ts";
import { isDark, type PlanStep, presentStep, shareText, stepAt } from "../plan.ts";
import { firstHold, isWithoutData, whyNoBaseline } from "../policies/proceed.ts";
import type { Hold } from "../types.ts";
import { isWatching } from "../watch.ts";
import { type MoveOf, stay } from "./move.ts";

/** Phases in which a canary goes forward. What makes it leave was asked before. */

export const preparing: MoveOf<"Preparing"> = (context) => {
  const { canary, step, nowMs } = context;
  if (context.frozen) return stay(firstHold(context));
  const { canary: wanted, baseline: wantedBeside } = podsOfEach(context);
  if (wanted === 0) return stay(noRoom(context), { waitingSince: undefined });
  if (canary.ready < wanted) {
    const waitingSince = context.state.waitingSince ?? iso(nowMs);
    return stay(firstHold(context) ?? notReady(context), { waitingSince });
  }
  const waits =
    whyNoBaseline(context, wantedBeside) ??
    addedStablePods(context) ??
    context.router.whyNotOn(context) ??
    frozenEntry(context);
  if (waits) return stay(waits);
  return {
    kind: "Take",
    transition: "Prepared",
    change: { evidenceSince: iso(nowMs), waitingSince: iso(nowMs) },
    told: {
      action: "Step",
      reason: "Prepared",
      message: `Canary ${context.state.canaryRevision} is ready${entry(step)}.`,
    },
  };
};

/** Who its first requests come from. */
function entry(step: PlanStep): string {
  const at = `step ${step.name} (${shareText(step)})`;
  if (step.weight > 0) return ` and enters the Service for ${at}`;
  return step.mirror > 0
    ? `; at ${at} it gets copies of requests, and nobody gets its answers`
    : `; at ${at} it is reached through its own Service alone`;
}

function noRoom({ needed }: Context): Hold {
  return needed > 0
    ? { reason: "NoRoom", message: "There is no room for another canary pod until other pods have ended." }
    : { reason: "NoPodsNeeded", message: "No pods are asked for; the canary goes on when there are." };
}

const notReady = ({ step }: Context): Hold => ({
  reason: "PodsNotReady",
  message: `Pods of the canary that step ${step.name} needs are not ready.`,
});

/**
 * Stable pods that are added for a small weight come before the canary does, or its first share would be too large. A stable version that cannot be
 * made larger must not keep its own cure out for ever: after the deadline the canary goes on with the pods there are.
 */
function addedStablePods(context: Context): Hold | undefined {
  const { stable, target, needed, step } = context;
  if (target.stable <= needed || stable.ready >= target.stable || isLate(context)) return undefined;
  const message = `Stable pods that step ${step.name} (${step.weight}%) needs to be small enough are not ready.`;
  return { reason: "StableNotReady", message };
}

function isLate({ state, input, clockMs }: Context): boolean {
  const since = atMs(state.waitingSince);
  return since !== undefined && clockMs >= since + durationMs(input.spec.progressDeadline);
}

export const stepping: MoveOf<"Stepping"> = (context) => {
  const { canary, stable, state, step, target, nowMs, input, needed } = context;
  const planned = presentStep(input.spec, state);
  if (context.frozen) return stay(firstHold(context));
  if (planned.name !== state.stepName) {
    return {
      kind: "Take",
      transition: "Replanned",
      change: { stepName: planned.name, stepIndex: planned.index, waitingSince: state.waitingSince },
    };
  }
  const { stable: stableNext, canary: canaryNext, baseline: baselineNext } = podsOfEach(context);
  if (target.canary === 0) return stay(noRoom(context), { waitingSince: undefined });
  if (canary.ready < target.canary) {
    const full = canary.ready >= canaryNext;
    const hold = full ? noRoom(context) : firstHold(context);
    return stay(hold, { waitingSince: full ? undefined : (state.waitingSince ?? iso(nowMs)) });
  }
  const alone = whyNoBaseline(context, target.baseline);
  if (alone) return stay(baselineNext < target.baseline ? noRoom(context) : alone);
  if (stable.wantedReplicas !== stableNext)
    return stay({ reason: "WeightNotApplied", message: `Pods for step ${step.name} are being adjusted.` });
  if (step.weight === 0 && !isDark(context) && stable.ready < needed)
    return stay({
      reason: "StableNotReady",
      message: "Stable pods are not all ready to take all of the traffic.",
    });
  const waits = context.router.whyNotOn(context);
  if (waits) return stay(waits);
  return {
    kind: "Take",
    transition: "WeightApplied",
    change: { weight: step.weight, stepIndex: step.index, holdingSince: iso(nowMs) },
  };
};

export const holding: MoveOf<"Holding"> = (context) => {
  const { state, step, input, canary, target, needed, nowMs } = context;
  if (!context.frozen && (step.name !== state.stepName || step.weight !== state.weight)) {
    return {
      kind: "Take",
      transition: "Replanned",
      change: { stepName: step.name, stepIndex: step.index, waitingSince: iso(nowMs) },
      told: {
        action: "Step",
        reason: "PlanEdited",
        message: `The plan was edited; the present step is ${step.name} (${step.weight}%).`,
      },
    };
  }
  const served = state.servedSince ?? (context.router.inEffect(context) ? iso(context.clockMs) : undefined);
  const waiting = canary.ready >= target.canary ? undefined : (state.waitingSince ?? iso(nowMs));
  const seen = { ...context, state: { ...state, servedSince: served, waitingSince: waiting } };
  // Of a bridge that was scaled to 0 nothing can be measured, nor before a pod is ready again: that is no failure to wait out.
  const isMeasurable = needed > 0 && canary.ready > 0;
  const noDataSince = isMeasurable && isWithoutData(seen) ? (state.noDataSince ?? iso(nowMs)) : undefined;
  const change = { servedSince: served, waitingSince: waiting, noDataSince };
  const hold = firstHold({ ...context, state: { ...state, ...change } });
  if (hold) return stay(hold, change);
  const released = state.approvedStep === step.name;
  const why = released
    ? "it was released by a person"
    : step.analysis === "Required"
      ? "its hold is over and the evidence is below the margins"
      : `its hold is over, and no proof is asked for (analysis ${step.analysis})`;
  if (step.index < step.count - 1) {
    const next = stepAt(input.spec, step.index + 1);
    return {
      kind: "Take",
      transition: "StepPassed",
      change: {
        stepName: next.name,
        stepIndex: next.index,
        approvedStep: undefined,
        waitingSince: iso(nowMs),
      },
      told: {
        action: "Step",
        reason: released ? "Released" : "StepPassed",
        message: `Step ${step.name} (${step.weight}%) is passed: ${why}. Next is ${next.name} (${next.weight}%).`,
        refused: [`stay at ${step.weight}%: nothing is left to wait for`],
      },
    };
  }
  return {
    kind: "Take",
    transition: "Proved",
    change: {
      stableRevision: state.canaryRevision,
      waitingSince: iso(nowMs),
      ...(isWatching(input.spec)
        ? { previousRevision: state.stableRevision, evidenceSince: state.evidenceSince }
        : {}),
    },
    told: {
      action: "Promote",
      reason: released ? "Released" : "StepPassed",
      message: `Revision ${state.canaryRevision} is promoted: step ${step.name} is passed, ${why}.`,
      refused: [`stay at ${step.weight}%: nothing is left to wait for`],
    },
  };
};
