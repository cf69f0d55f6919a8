import type { Command } from "../../api/v1alpha1/commands.ts";
import type { Phase } from "../../api/v1alpha1/status.ts";
import type { Context } from "../context.ts";
import { refusedByFreeze } from "../fleet/queue.ts";
import type { Told } from "../moves/move.ts";
import type { Change, Transition } from "../phases.ts";
import type { CommandResult } from "../types.ts";

/** What a person's command does. It is refused, with what is there instead, where it speaks of a revision or step that is not the present one. */
export interface Obedience {
  result: CommandResult;
  change?: Change;
  /** Taken in place of the phase's own move. */
  transition?: Extract<Transition, "Jumped" | "Withdrawn" | "LetGo" | "Recalled">;
  told?: Told;
}

export const answer = (
  command: Command,
  result: CommandResult["result"],
  message: string,
): { result: CommandResult } => ({
  result: { id: command.id, action: command.action, result, message },
});

export const refuse = (command: Command, message: string): Obedience => answer(command, "Refused", message);

export const speaksOfAnother = (command: Command, present: string): string =>
  `The command speaks of revision ${command.revision}, but ${present}.`;

export const FORWARD: readonly Phase[] = ["Preparing", "Stepping", "Holding"];

/** What to do where the canary that a command is meant for was rolled back; undefined where none was. */
export function noCanary({ state: { failed } }: Context, command: Command): string | undefined {
  if (failed === undefined) return undefined;
  return `There is no canary to ${command.action}: revision ${failed.revision} was rolled back. \`kubectl llmbridge retry\` starts it again from the first step, then ${typed(command)}.`;
}

/** The command as a person types it; where it names a step, that is another one by then. */
const typed = ({ action, full }: Command): string =>
  action === "promote" ? `\`kubectl llmbridge promote${full ? " --full" : ""}\`` : action;

/** Why a command that leads a canary on, or to another step, cannot be obeyed; undefined if it can. */
export function whyNotLead(context: Context, command: Command): string | undefined {
  const { state, step, input } = context;
  if (!FORWARD.includes(state.phase)) {
    const present = state.stableRevision === undefined ? "" : ` Revision ${state.stableRevision} is stable.`;
    return noCanary(context, command) ?? `There is no canary to ${command.action}.${present}`;
  }
  if (command.revision !== state.canaryRevision)
    return speaksOfAnother(command, `the canary is ${state.canaryRevision}`);
  if (input.desired.revision !== state.canaryRevision)
    return `The spec asks for revision ${input.desired.revision} now; the canary is being withdrawn.`;
  if (command.step !== undefined && command.step !== step.name)
    return `The command speaks of step ${command.step}, but the present step is ${step.name}.`;
  if (!input.accepted) return "The spec is refused; correct it first.";
  if (input.spec.paused)
    return `The rollout is paused; \`kubectl llmbridge resume\` first, then ${typed(command)}.`;
  return refusedByFreeze(context);
}
