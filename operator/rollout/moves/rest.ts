import { durationMs } from "../../api/v1alpha1/scalars.ts";
import { atMs, iso } from "../clock.ts";
import type { Context } from "../context.ts";
import { queuedFor } from "../fleet/queue.ts";
import { isKnownGood, wantsBaseline } from "../known-good.ts";
import { lastStep, stepAt } from "../plan.ts";
import { whyNotStart } from "../policies/start.ts";
import { type Move, type MoveOf, stay } from "./move.ts";

type Start =
  | Extract<Move<"Stable">, { kind: "Stay" }>
  | (Omit<Extract<Move<"Stable">, { kind: "Take" }>, "transition"> & { transition: "Started" });

/** Phases without a canary on its way. */

/**
 * The first version has nothing to be compared with and nothing to return to: it is kept trying, and replaced by whatever the spec asks for next.
 * Where part of it serves already it becomes the stable version first, so that replacing it costs no capacity.
 */
export const pending: MoveOf<"Pending"> = (context) => {
  const { input, state, canary, needed, nowMs } = context;
  const tried = state.canaryRevision;
  const { desired } = input;
  if (!input.accepted && tried === undefined)
    return stay({
      reason: "NotAccepted",
      message: "The spec is refused and nothing runs yet; correct the spec.",
    });
  if (input.accepted && tried !== desired.revision) {
    if (canary.ready === 0 || tried === undefined) {
      const told =
        tried === undefined
          ? undefined
          : {
              action: "Replace" as const,
              reason: "NeverReady",
              message: `Revision ${tried} never served; revision ${desired.revision} takes its place.`,
            };
      const change = { canaryRevision: desired.revision, waitingSince: iso(nowMs) };
      return { kind: "Take", transition: "Replaced", change, told };
    }
    const message = `Part of revision ${tried} serves; it is the stable version for the change to ${desired.revision}.`;
    const told = { action: "Adopt" as const, reason: "PartlyReady", message };
    return { kind: "Take", transition: "Adopted", change: { stableRevision: tried }, told };
  }
  if (needed > 0 && canary.ready >= needed) {
    const told = {
      action: "Finish" as const,
      reason: "FirstReady",
      message: `The first version, revision ${tried}, is Ready.`,
    };
    return { kind: "Take", transition: "FirstReady", change: { stableRevision: tried }, told };
  }
  return stay(firstVersionHold(context));
};

function firstVersionHold({ input, state, canary, needed, nowMs }: Context) {
  if (needed <= 0) return { reason: "NoPodsNeeded" as const, message: "No pods are asked for." };
  const because = canary.faults[0] ? `: ${canary.faults[0].message}` : "";
  const late = nowMs >= (atMs(state.waitingSince) ?? nowMs) + durationMs(input.spec.progressDeadline);
  const message = late
    ? `The first version is not ready within progressDeadline ${input.spec.progressDeadline}${because}; there is no earlier version to return to, so it is tried on until the spec changes.`
    : `Pods of the first version are not ready yet${because}.`;
  return { reason: "PodsNotReady" as const, message };
}

export const stable: MoveOf<"Stable"> = (context) =>
  context.input.desired.revision === context.state.stableRevision
    ? stay(undefined, { queued: undefined })
    : start(context);

export const aborted: MoveOf<"Aborted"> = (context) =>
  context.input.accepted && context.input.desired.revision === context.state.stableRevision
    ? { kind: "Take", transition: "Forgiven", change: { failed: undefined } }
    : start(context);

/** Older pods may take as long as their streams; a new canary need not wait for them, as far as there is room. */
export const draining: MoveOf<"Draining"> = (context) => {
  const { input, state } = context;
  const wanted = input.accepted && input.desired.revision !== state.stableRevision;
  const move = wanted ? start(context) : stay(undefined, { queued: undefined });
  if (move.kind === "Take") return move;
  const left = Object.entries(input.revisions).some(
    ([revision, { pods, terminating }]) => revision !== state.stableRevision && pods + terminating > 0,
  );
  return left ? move : { kind: "Take", transition: "Drained", change: { queued: move.change?.queued } };
};

function start(context: Context): Start {
  const { input, nowMs } = context;
  const hold = whyNotStart(context);
  if (hold) return stay(hold, { queued: queuedFor(context, hold) });
  const { queued } = context.state;
  const wasStable = isKnownGood(context);
  const step = wasStable ? lastStep(input.spec) : stepAt(input.spec, 0);
  const because = input.desired.because === undefined ? "" : `${input.desired.because} `;
  const how = wasStable
    ? `It was stable before (rollbackWindow ${input.spec.rollbackWindow}): it gets all of the traffic as soon as its pods are ready, without steps and evidence.`
    : `First step ${step.name} (${step.weight}%).`;
  return {
    kind: "Take",
    transition: "Started",
    change: {
      canaryRevision: input.desired.revision,
      failed: undefined,
      queued: queued?.released ? queued : undefined,
      stepIndex: step.index,
      stepName: step.name,
      approvedStep: wasStable ? step.name : undefined,
      weight: 0,
      baseline: wantsBaseline(context) ? "SameAge" : undefined,
      waitingSince: iso(nowMs),
    },
    told: {
      action: "Start",
      reason: wasStable ? "WasStable" : "NewRevision",
      message: `Canary ${input.desired.revision} (${input.desired.image}) starts. ${because}${how}`,
    },
  };
}
