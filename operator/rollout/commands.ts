import type { Command } from "../api/v1alpha1/commands.ts";
import { iso } from "./clock.ts";
import type { Context } from "./context.ts";
import { refusedByFreeze, releaseStart } from "./fleet/queue.ts";
import type { Told } from "./moves/move.ts";
import type { Change, Transition } from "./phases.ts";
import { lastStep } from "./plan.ts";
import { tail } from "./sentence.ts";
import type { CommandResult } from "./types.ts";
import { recalled, watchedRevision } from "./watch.ts";

/** What a person's command does. It is refused, with what to do instead, where it speaks of a revision or step that is not the present one. */
export interface Obedience {
  result: CommandResult;
  change?: Change;
  /** Taken in place of the phase's own move. */
  transition?: Extract<Transition, "Skipped" | "Withdrawn" | "LetGo" | "Recalled">;
  told?: Told;
}

/** The effect of a command that was not acknowledged yet; undefined if there is none. */
export function obey(context: Context): Obedience | undefined {
  const { command, acknowledgedCommandId } = context.input;
  if (!command || command.id === acknowledgedCommandId) return undefined;
  switch (command.action) {
    case "promote":
      return promote(context, command);
    case "abort":
      return abort(context, command);
    case "retry":
      return retry(context, command);
  }
}

const answer = (
  command: Command,
  result: CommandResult["result"],
  message: string,
): { result: CommandResult } => ({
  result: { id: command.id, action: command.action, result, message },
});

function promote(context: Context, command: Command): Obedience {
  const { state, step, input } = context;
  const refuse = (message: string) => answer(command, "Refused", message);
  if (watchedRevision(state) !== undefined) return endWatch(context, command);
  if (state.phase !== "Preparing" && state.phase !== "Stepping" && state.phase !== "Holding")
    return promoteStart(context, command);
  if (command.revision !== state.canaryRevision)
    return refuse(
      `The command speaks of revision ${command.revision}, but the canary is ${state.canaryRevision}.`,
    );
  if (input.desired.revision !== state.canaryRevision)
    return refuse(`The spec asks for revision ${input.desired.revision} now; the canary is being withdrawn.`);
  if (command.step !== undefined && command.step !== step.name)
    return refuse(`The command speaks of step ${command.step}, but the present step is ${step.name}.`);
  if (!input.accepted) return refuse("The spec is refused; correct it first.");
  if (input.spec.paused) return refuse("The rollout is paused; `kubectl llmbridge resume` it first.");
  const frozen = refusedByFreeze(context);
  if (frozen !== undefined) return refuse(frozen);
  if (command.full) return promoteFully(context, command);
  if (command.step === undefined)
    return refuse(`The command names no step; the present one is ${step.name}. Name it, or promote fully.`);
  const message = `Step ${step.name} is released; it is left as soon as its pods are ready.`;
  return { ...answer(command, "Done", message), change: { approvedStep: step.name } };
}

function promoteStart(context: Context, command: Command): Obedience {
  const start = releaseStart(context, command);
  if ("refused" in start) return answer(command, "Refused", start.refused);
  return { ...answer(command, "Done", start.message), change: { queued: start.queued } };
}

/** Straight to the last step, released already. Capacity is built up first, as at any step. */
function promoteFully({ state, input, nowMs }: Context, command: Command): Obedience {
  const last = lastStep(input.spec);
  const change = { stepName: last.name, stepIndex: last.index, approvedStep: last.name };
  const done = answer(
    command,
    "Done",
    "All of the traffic moves to the canary as soon as its pods are ready.",
  );
  const told: Told = {
    action: "Step",
    reason: "Command",
    message: `A person asked for all of the traffic: next is step ${last.name} (${last.weight}%).`,
  };
  const isThere = state.phase === "Preparing" || state.stepName === last.name;
  return isThere
    ? { ...done, change, told }
    : { ...done, told, transition: "Skipped", change: { ...change, waitingSince: iso(nowMs) } };
}

/** The version is promoted; what is left to leave is its watch. */
function endWatch({ state }: Context, command: Command): Obedience {
  const { stableRevision, previousRevision, phase } = state;
  if (command.revision !== stableRevision)
    return answer(command, "Refused", speaksOfAnother(command, `the promoted one is ${stableRevision}`));
  if (phase === "Promoting")
    return answer(command, "Refused", "It is promoted already; its pods are not all ready yet.");
  const message = `Revision ${previousRevision} is given up before watchAfter is over.`;
  return {
    ...answer(command, "Done", message),
    transition: "LetGo",
    told: { action: "Finish", reason: "Command", message: `A person ended the watch: ${tail(message)}.` },
  };
}

const speaksOfAnother = (command: Command, present: string): string =>
  `The command speaks of revision ${command.revision}, but ${present}.`;

/** Back to the version before a promoted one that is still watched. */
function recall({ state, nowMs }: Context, command: Command): Obedience {
  const { stableRevision, previousRevision } = state;
  if (command.revision !== stableRevision)
    return answer(command, "Refused", speaksOfAnother(command, `the promoted one is ${stableRevision}`));
  const message = "a person asked for it";
  const failed = { revision: command.revision, reason: "Command", message, time: iso(nowMs) };
  return {
    ...answer(command, "Done", `Revision ${previousRevision} takes the traffic back.`),
    transition: "Recalled",
    change: { ...recalled(state, nowMs), failed },
    told: {
      action: "Rollback",
      reason: "Command",
      message: `Revision ${command.revision} is rolled back to ${previousRevision}: ${message}.`,
    },
  };
}

function abort(context: Context, command: Command): Obedience {
  const { state, nowMs } = context;
  const refuse = (message: string) => answer(command, "Refused", message);
  if (watchedRevision(state) !== undefined) return recall(context, command);
  if (state.phase === "Pending") return refuse("The first version has no earlier one to return to.");
  if (state.phase === "Promoting" || state.phase === "Draining")
    return refuse("The version is promoted already; set the spec back to return to the earlier one.");
  if (state.canaryRevision === undefined) return refuse("There is no canary to abort.");
  if (command.revision !== state.canaryRevision)
    return refuse(
      `The command speaks of revision ${command.revision}, but the canary is ${state.canaryRevision}.`,
    );
  const message = "a person asked for it";
  const failed = { revision: command.revision, reason: "Command", message, time: iso(nowMs) };
  if (state.phase === "Aborting")
    return {
      ...answer(command, "Done", "The canary is being withdrawn already."),
      change: { failed: state.failed ?? failed },
    };
  return {
    ...answer(command, "Done", "The canary is withdrawn."),
    transition: "Withdrawn",
    change: { failed, waitingSince: iso(nowMs) },
    told: {
      action: "Rollback",
      reason: "Command",
      message: `Revision ${command.revision} is rolled back: ${message}.`,
    },
  };
}

function retry({ state, input }: Context, command: Command): Obedience {
  const { failed } = state;
  if (!failed) return answer(command, "Refused", "No revision is marked as failed.");
  if (failed.revision !== command.revision || input.desired.revision !== failed.revision)
    return answer(
      command,
      "Refused",
      `The command speaks of revision ${command.revision}; the failed one is ${failed.revision} and the spec asks for ${input.desired.revision}.`,
    );
  return {
    ...answer(command, "Done", `Revision ${failed.revision} is tried again from the first step.`),
    change: { failed: undefined },
  };
}
