import type { Command } from "../../api/v1alpha1/commands.ts";
import type { Context } from "../context.ts";
import { releaseStart } from "../fleet/queue.ts";
import { lastStep } from "../plan.ts";
import { tail } from "../sentence.ts";
import { watchedRevision } from "../watch.ts";
import { leadTo } from "./jump.ts";
import {
  answer,
  FORWARD,
  noCanary,
  type Obedience,
  refuse,
  speaksOfAnother,
  whyNotLead,
} from "./obedience.ts";

/** Releases the present step from its hold, evidence and approval; of a version that is watched, ends the watch. */
export function promote(context: Context, command: Command): Obedience {
  const { step, state, input } = context;
  if (watchedRevision(state) !== undefined) return endWatch(context, command);
  if (!FORWARD.includes(state.phase)) return promoteStart(context, command);
  const why = whyNotLead(context, command);
  if (why) return refuse(command, why);
  if (command.full) {
    const last = lastStep(input.spec);
    const told = `A person asked for all of the traffic: next is step ${last.name} (${last.weight}%).`;
    const done = "All of the traffic moves to the canary as soon as its pods are ready.";
    return leadTo(context, command, last, { done, told, approvedStep: last.name });
  }
  if (command.step === undefined)
    return refuse(
      command,
      `The command names no step; the present one is ${step.name}. Name it, or promote fully.`,
    );
  const message = `Step ${step.name} is released; it is left as soon as its pods are ready.`;
  return { ...answer(command, "Done", message), change: { approvedStep: step.name } };
}

/** A change that waits for the fleet has no canary yet. */
function promoteStart(context: Context, command: Command): Obedience {
  const gone = context.state.queued ? undefined : noCanary(context, command);
  if (gone !== undefined) return refuse(command, gone);
  const start = releaseStart(context, command);
  if ("refused" in start) return refuse(command, start.refused);
  return { ...answer(command, "Done", start.message), change: { queued: start.queued } };
}

/** The version is promoted; what is left to leave is its watch. */
function endWatch({ state }: Context, command: Command): Obedience {
  const { stableRevision, previousRevision, phase } = state;
  if (command.revision !== stableRevision)
    return refuse(command, speaksOfAnother(command, `the promoted one is ${stableRevision}`));
  // It was meant for the canary: one that is late or given twice must not give up the version to return to.
  if (command.step !== undefined || command.full)
    return refuse(
      command,
      `Revision ${stableRevision} is promoted already and watched; a promote that names no step and is not full ends the watch.`,
    );
  if (phase === "Promoting")
    return refuse(command, "It is promoted already; its pods are not all ready yet.");
  const message = `Revision ${previousRevision} is given up before watchAfter is over.`;
  return {
    ...answer(command, "Done", message),
    transition: "LetGo",
    told: { action: "Finish", reason: "Command", message: `A person ended the watch: ${tail(message)}.` },
  };
}
