import { durationMs } from "../../api/v1alpha1/scalars.ts";
import { podsOfEach } from "../allocate.ts";
import { atMs, iso } from "../clock.ts";
import type { Context } from "../context.ts";
import { frozenEntry } from "../fleet/holds.ts";
import { isDark, type PlanStep, presentStep, shareText, stepAt, waitsForSwitch } from "../plan.ts";
import { firstHold, isWithoutData, whyNoBaseline } from "../policies/proceed.ts";
import { whyNoneFits } from "../policies/start.ts";
import type { Hold } from "../types.ts";
import { isWatching } from "../watch.ts";
import { type MoveOf, stay } from "./move.ts";

/** Phases in which a canary goes forward. What makes it leave was asked before. */

export const preparing: MoveOf<"Preparing"> = (context) => {
  const { canary, step, nowMs } = context;
  if (context.frozen) return stay(firstHold(context));
  const { canary: wanted, baseline: wantedBeside } = podsOfEach(context);
  if (wanted === 0) return stay(noRoom(context), { waitingSince: undefined, stableWaitingSince: undefined });
  const stableWaitingSince = lacksStablePods(context)
    ? (context.state.stableWaitingSince ?? iso(nowMs))
    : undefined;
  if (canary.ready < wanted) {
    const waitingSince = context.state.waitingSince ?? iso(nowMs);
    return stay(firstHold(context) ?? notReady(context), { waitingSince, stableWaitingSince });
  }
  const waits =
    whyNoBaseline(context, wantedBeside) ??
    addedStablePods(context) ??
    context.router.whyNotOn(context) ??
    frozenEntry(context);
  // What it waits for now says nothing against its pods: should one of them be unready for a moment, that is a new wait.
  if (waits) return stay(waits, { waitingSince: undefined, stableWaitingSince });
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

function noRoom(context: Context): Hold {
  const { needed, step, target, input } = context;
  if (needed <= 0)
    return { reason: "NoPodsNeeded", message: "No pods are asked for; the canary goes on when there are." };
  const beside = target.canary + target.baseline;
  const { maxPods, maxPodsBy } = input.capacity;
  const keepsStable = isDark(context) || waitsForSwitch(context) || input.spec.traffic.router === "Gateway";
  const message =
    keepsStable && maxPods < needed + beside
      ? `Step ${step.name} needs ${beside === 1 ? "a pod" : `${beside} pods`} beside the ${needed} that serve, but ${maxPods} fit within ${maxPodsBy}; raise ${maxPodsBy} to fit ${needed + beside}.`
      : (whyNoneFits(context, target.baseline > 0) ??
        "There is no room for another canary pod until other pods have ended.");
  return { reason: "NoRoom", message };
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
  const { step } = context;
  if (!lacksStablePods(context) || isLate(context)) return undefined;
  const message = `Stable pods that step ${step.name} (${step.weight}%) needs to be small enough are not ready.`;
  return { reason: "StableNotReady", message };
}

const lacksStablePods = ({ stable, target, needed }: Context): boolean =>
  target.stable > needed && stable.ready < target.stable;

function isLate({ state, input, clockMs }: Context): boolean {
  const since = atMs(state.stableWaitingSince);
  return since !== undefined && clockMs >= since + durationMs(input.spec.progressDeadline);
}

export const stepping: MoveOf<"Stepping"> = (context) => {
  const { canary, state, step, target, nowMs, input } = context;
  const planned = presentStep(input.spec, state);
  if (context.frozen) return stay(firstHold(context));
  if (planned.name !== state.stepName) {
    return {
      kind: "Take",
      transition: "Replanned",
      change: { stepName: planned.name, stepIndex: planned.index, waitingSince: state.waitingSince },
    };
  }
  const pods = podsOfEach(context);
  if (target.canary === 0) return stay(noRoom(context), { waitingSince: undefined });
  if (canary.ready < target.canary) {
    const full = canary.ready >= pods.canary;
    const hold = full ? noRoom(context) : firstHold(context);
    return stay(hold, { waitingSince: full ? undefined : (state.waitingSince ?? iso(nowMs)) });
  }
  const waits = whyNotApplied(context, pods);
  if (waits) return stay(waits, { waitingSince: undefined });
  return {
    kind: "Take",
    transition: "WeightApplied",
    change: { weight: step.weight, stepIndex: step.index, holdingSince: iso(nowMs) },
  };
};

/** Why a step's weight is not in force although the canary's pods are ready. */
function whyNotApplied(context: Context, next: ReturnType<typeof podsOfEach>): Hold | undefined {
  const { stable, step, target, needed } = context;
  const alone = whyNoBaseline(context, target.baseline);
  if (alone) return next.baseline < target.baseline ? noRoom(context) : alone;
  if (stable.wantedReplicas !== next.stable)
    return { reason: "WeightNotApplied", message: `Pods for step ${step.name} are being adjusted.` };
  if (step.weight === 0 && !isDark(context) && stable.ready < needed)
    return { reason: "StableNotReady", message: "Stable pods are not all ready to take all of the traffic." };
  return context.router.whyNotOn(context);
}

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
  // Pods that it has no room for are nothing that it could make ready.
  const isFull = canary.ready >= Math.min(target.canary, podsOfEach(context).canary);
  const waiting = isFull ? undefined : (state.waitingSince ?? iso(nowMs));
  const seen = { ...context, state: { ...state, servedSince: served, waitingSince: waiting } };
  // Of a bridge that was scaled to 0 nothing can be measured, nor before a pod is ready again: that is no failure to wait out.
  const isMeasurable = needed > 0 && canary.ready > 0;
  const noDataSince = isMeasurable && isWithoutData(seen) ? (state.noDataSince ?? iso(nowMs)) : undefined;
  const change = { servedSince: served, waitingSince: waiting, noDataSince };
  const hold = firstHold({ ...context, state: { ...state, ...change } });
  if (hold) return stay(hold.reason === "PodsNotReady" && isFull ? noRoom(context) : hold, change);
  const released = state.approvedStep === step.name;
  const why = released
    ? "it was released by a person"
    : step.analysis === "Required"
      ? step.provable
        ? "its hold is over and the evidence is below the margins"
        : "its hold is over and nothing speaks against it; beside no other version nothing more can be proved"
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
