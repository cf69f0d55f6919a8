import type { DecisionStatus, Phase, RolloutStatus } from "../api/v1alpha1/status.ts";
import { noteLots } from "./affinity.ts";
import { replicasOf } from "./allocate.ts";
import { iso, keepPause } from "./clock.ts";
import { obey } from "./commands/obey.ts";
import type { Context } from "./context.ts";
import { canaryHealthOf, evidenceOf, stepOf } from "./describe.ts";
import { asked, heard } from "./gates/book.ts";
import { contextOf, standsStill, steppingTo } from "./look.ts";
import { holding, preparing, stepping } from "./moves/canary.ts";
import { aborting, promoting, watching } from "./moves/ending.ts";
import type { MoveOf, Told } from "./moves/move.ts";
import { aborted, draining, pending, stable } from "./moves/rest.ts";
import { type Change, compact, take } from "./phases.ts";
import { whyNotHold } from "./policies/hold-instead.ts";
import { whyRecall } from "./policies/recall.ts";
import { whyWithdraw } from "./policies/withdraw.ts";
import { isUnreadable, recoverState } from "./recover.ts";
import { evictionsOf, followRestart } from "./restart.ts";
import { noteBaseline, noteRoute, noteShared, raisedUnsaid } from "./routers/noted.ts";
import { tail } from "./sentence.ts";
import { summaryOf } from "./summary.ts";
import { timingOf } from "./timing.ts";
import { tracksOf, weightsOf, withdrawn } from "./traffic.ts";
import type { AbortReason, Hold, RolloutInput, RolloutOutcome } from "./types.ts";
import { wakeAt } from "./wake.ts";
import { recalled, watchedRevision } from "./watch.ts";

/** The phase table's moves; each may only name transitions that start at its phase. */
const MOVES: { readonly [P in Phase]: MoveOf<P> } = {
  Pending: pending,
  Stable: stable,
  Preparing: preparing,
  Stepping: stepping,
  Holding: holding,
  Promoting: promoting,
  Watching: watching,
  Draining: draining,
  Aborting: aborting,
  Aborted: aborted,
};

/**
 * One pass of a rollout: at most one transition that is told, and the replicas, Services and weights that go with the state after it. Pure: the same
 * input gives the same answer, and a pass that is repeated because its writes were lost decides the same again.
 *
 * The caller writes Services before it makes a Deployment smaller, makes Deployments larger before it moves Services, and stores `state` last.
 */
export function advanceRollout(input: RolloutInput): RolloutOutcome {
  if (isUnreadable(input.state)) return leaveEverything(input, input.state.unreadable);
  const before = input.state ?? recoverState(input);
  const restart = followRestart(refresh(before, input), input);
  const { gates, told } = heard(contextOf(input, restart.state));
  const context = contextOf(input, compact({ ...restart.state, gates }));
  const step = onward(input, before.phase, stepForward(context));
  const reached = pastTheCommit(input, before.phase, step.state);
  const moved = reached.phase !== before.phase || reached.stepName !== before.stepName;
  const { hold, change = {} }: Stay = moved ? stayOnArrival(input, reached) : { hold: step.hold };
  const { timing, ended } = timingOf(before, reached, hold?.reason, input.nowMs);
  const begun: RolloutStatus = { ...reached, ...change, stepWeight: steppingTo(input, reached) };
  const state = compact({ ...begun, ...withAsked(input, begun, hold), heldFor: hold?.reason, timing });
  const isAsking = (state.gates?.length ?? 0) > (reached.gates?.length ?? 0);
  const after = contextOf(input, state);
  // Nobody gives up the version before until the commit is stored, though the state that is stored may be past it.
  const pods = reached === step.state ? after : contextOf(input, step.state);
  const services = after.router.services(after);
  const routeWeight = after.router.routeWeight(after);
  return {
    state: noteLots(noteShared(noteBaseline(state, after, services), services), after),
    replicas: replicasOf(pods),
    services,
    routeWeight,
    routeBaseline: routeWeight === undefined ? 0 : after.router.baselineWeight(after, routeWeight),
    routeMirror: after.router.routeMirror(after),
    tracks: tracksOf(pods),
    desiredWeights: weightsOf(after),
    step: stepOf(after),
    evictions: evictionsOf(after),
    decisions: decisionsOf(context, [restart.told, ...told, step.told], hold),
    commandResult: step.commandResult,
    refusal: state.stableRevision === input.desired.revision ? undefined : after.router.refusal(after),
    summary: summaryOf(after, hold),
    // What was entered in the book is asked as soon as that is stored.
    wakeAtMs: moved || isAsking ? input.nowMs : wakeAt(after),
    evidence: evidenceOf(after, before),
    canaryHealth: canaryHealthOf(after),
    hold,
    ended,
  };
}

/** Pauses keep their clocks, and a mark of failure ends when the spec asks for something else. */
function refresh(state: RolloutStatus, input: RolloutInput): RolloutStatus {
  const kept = seen(keepPause(state, standsStill(input), input.nowMs), input);
  const outdated =
    input.accepted && kept.failed !== undefined && kept.failed.revision !== input.desired.revision;
  return outdated ? { ...kept, failed: undefined } : kept;
}

/**
 * The state with what is seen of the route. A weight that was raised before status could say so is passed over only where the canary enters the step in this
 * very pass: one that waits is protected by nothing, since it counts as led to by nobody, and is taken out.
 */
function seen(state: RolloutStatus, input: RolloutInput): RolloutStatus {
  const enters =
    raisedUnsaid(state, input) !== undefined && MOVES.Preparing(contextOf(input, state)).kind === "Take";
  return enters ? state : noteRoute(state, input);
}

/** Why a phase is not left, and its clocks. */
interface Stay {
  readonly hold: Hold | undefined;
  readonly change?: Change;
}

/** The book with the gates that are to be asked from now on. */
const withAsked = (input: RolloutInput, state: RolloutStatus, hold: Hold | undefined) => ({
  gates: asked(contextOf(input, state), hold),
});

interface Pass {
  state: RolloutStatus;
  told?: Told | undefined;
  hold?: Hold | undefined;
  commandResult?: RolloutOutcome["commandResult"];
}

/** A person's command first, then what makes a canary leave, then what its phase does. */
function stepForward(context: Context): Pass {
  const obedience = obey(context);
  const commandResult = obedience?.result;
  if (obedience?.transition) {
    const state = take(context.state, obedience.transition, context.nowMs, obedience.change);
    return { state, told: obedience.told, commandResult };
  }
  const commanded = obedience?.change
    ? contextOf(context.input, compact({ ...context.state, ...obedience.change }))
    : context;
  const pass = withdraw(commanded) ?? move(commanded);
  return { ...pass, told: pass.told ?? obedience?.told, commandResult };
}

const CAN_WITHDRAW: readonly Phase[] = ["Preparing", "Stepping", "Holding"];
const CAN_RECALL: readonly Phase[] = ["Promoting", "Watching"];

/** Reasons that say nothing against the version. */
const BLAMELESS: readonly AbortReason[] = ["Superseded", "Reverted"];

function withdraw(context: Context): Pass | undefined {
  const { state, nowMs } = context;
  const canary = CAN_WITHDRAW.includes(state.phase) ? state.canaryRevision : undefined;
  const promoted = CAN_RECALL.includes(state.phase) ? watchedRevision(state) : undefined;
  const revision = canary ?? promoted;
  const why = promoted ? whyRecall(context) : canary ? whyWithdraw(context) : undefined;
  if (!why || revision === undefined) return undefined;
  const { reason } = why;
  const message = tail(why.message).slice(0, 500);
  const blameless = BLAMELESS.includes(reason);
  const failed = blameless ? undefined : { revision, reason, message, time: iso(nowMs) };
  return {
    state: promoted
      ? take(state, "Recalled", nowMs, { ...recalled(state, nowMs), failed })
      : take(state, "Withdrawn", nowMs, { ...withdrawn(context), failed }),
    told: {
      action: blameless ? "Withdraw" : "Rollback",
      reason,
      message: `Revision ${revision} is ${blameless ? "withdrawn" : "rolled back"}: ${message}.`,
      refused: blameless ? [] : [`hold where it is: ${whyNotHold(context.input.spec, reason)}`],
    },
  };
}

function move(context: Context): Pass {
  const { state } = context;
  const next = MOVES[state.phase](context);
  if (next.kind === "Stay") return { state: compact({ ...state, ...next.change }), hold: next.hold };
  return { state: take(state, next.transition, context.nowMs, next.change), told: next.told };
}

/**
 * Where the pods for a weight are there already, applying it takes the Services that this pass writes and nothing else: the step is entered
 * and held in one, and a last step that a person released is passed too. Each pass more would cost a write of the status.
 */
function onward(input: RolloutInput, before: Phase, pass: Pass): Pass {
  const held = pass.state.phase === "Stepping" ? withWeightApplied(input, pass) : pass;
  if (held.state.phase !== "Holding" || before === "Holding" || held.told !== undefined) return held;
  const arrived = onArrival(input, held.state);
  const next = withdraw(arrived) ?? move(arrived);
  return next.told === undefined ? held : { ...next, commandResult: held.commandResult };
}

function withWeightApplied(input: RolloutInput, pass: Pass): Pass {
  const next = MOVES.Stepping(onArrival(input, pass.state));
  if (next.kind !== "Take" || next.transition !== "WeightApplied") return pass;
  return { ...pass, state: take(pass.state, "WeightApplied", input.nowMs, next.change), hold: undefined };
}

/**
 * Where the promoted version has all its pods already, nothing is left to wait for between its commit and its watch or the end of the version before:
 * one status tells of both.
 */
function pastTheCommit(input: RolloutInput, before: Phase, state: RolloutStatus): RolloutStatus {
  if (state.phase !== "Promoting" || before === "Promoting") return state;
  const next = MOVES.Promoting(onArrival(input, state));
  return next.kind === "Take" ? take(state, next.transition, input.nowMs, next.change) : state;
}

/**
 * Why the phase just entered is not left at once, and the clocks that begin with that, told together with the entry: a status of its own a moment later
 * would cost a write.
 */
function stayOnArrival(input: RolloutInput, state: RolloutStatus): Stay {
  const next = MOVES[state.phase](onArrival(input, state));
  return next.kind === "Stay" ? next : { hold: undefined };
}

/** Whether the canary has served is only known of the step before, so that it counts as not known. */
function onArrival(input: RolloutInput, state: RolloutStatus): Context {
  const revisions = Object.fromEntries(
    Object.entries(input.revisions).map(([name, facts]) => [name, { ...facts, servedRequests: undefined }]),
  );
  return contextOf({ ...input, revisions }, state);
}

/** Holds worth telling when they begin; the others are the ordinary course of a rollout. */
const WORTH_TELLING: readonly Hold["reason"][] = [
  "NotAccepted",
  "AlertHold",
  "TooFewPods",
  "NoRoom",
  "FleetFreeze",
  "FleetOrder",
  "FleetLimit",
  "ProvedWorse",
  "GateViolated",
  "GateFailed",
  "GateNoData",
  "MetricsUnavailable",
  "Inconclusive",
  "NoDataTooLong",
];

function decisionsOf(
  { state, nowMs }: Context,
  all: readonly (Told | undefined)[],
  hold: Hold | undefined,
): DecisionStatus[] {
  const time = iso(nowMs);
  const decisions: DecisionStatus[] = [];
  for (const told of all.filter((one) => one !== undefined))
    decisions.push({ time, ...told, refused: (told.refused ?? []).map((one) => one.slice(0, 200)) });
  if (hold && hold.reason !== state.heldFor && WORTH_TELLING.includes(hold.reason))
    decisions.push({
      time,
      action: "Hold",
      reason: hold.reason,
      message: hold.message.slice(0, 600),
      refused: [],
    });
  return decisions;
}

/** What a newer operator wrote is not ours to interpret: nothing moves, in any direction. */
function leaveEverything(input: RolloutInput, message: string): RolloutOutcome {
  const hold: Hold = {
    reason: "UnreadableState",
    message: `${message}; replicas and traffic stay as they are. Install the operator that wrote it, or remove status.rollout.`,
  };
  return {
    state: undefined,
    replicas: Object.fromEntries(
      Object.entries(input.revisions).map(([revision, { wantedReplicas }]) => [revision, wantedReplicas]),
    ),
    services: undefined,
    routeWeight: undefined,
    routeBaseline: 0,
    routeMirror: 0,
    tracks: undefined,
    evictions: undefined,
    desiredWeights: {},
    step: undefined,
    decisions: [],
    commandResult: undefined,
    refusal: undefined,
    summary: hold.message,
    wakeAtMs: undefined,
    evidence: { action: "stop" },
    canaryHealth: undefined,
    hold,
    ended: undefined,
  };
}
