import type { Command } from "../../api/v1alpha1/commands.ts";
import { iso } from "../clock.ts";
import type { Context } from "../context.ts";
import { withdrawn } from "../traffic.ts";
import { recalled, watchedRevision } from "../watch.ts";
import { answer, type Obedience, refuse, speaksOfAnother } from "./obedience.ts";

const BECAUSE = "a person asked for it";

/** Withdraws the canary, or a promoted version that is still watched, and marks it as failed. */
export function abort(context: Context, command: Command): Obedience {
  const { state, nowMs } = context;
  if (watchedRevision(state) !== undefined) return recall(context, command);
  if (state.phase === "Pending") return refuse(command, "The first version has no earlier one to return to.");
  if (state.phase === "Promoting" || state.phase === "Draining")
    return refuse(
      command,
      `Revision ${state.stableRevision} is promoted already; set the spec back, or \`kubectl llmbridge undo\`, to return to the earlier one.`,
    );
  if (state.canaryRevision === undefined)
    return refuse(command, `There is no canary to abort; revision ${state.stableRevision} is stable.`);
  if (command.revision !== state.canaryRevision)
    return refuse(command, speaksOfAnother(command, `the canary is ${state.canaryRevision}`));
  const failed = failedBy(command, nowMs);
  if (state.phase === "Aborting")
    return {
      ...answer(command, "Done", "The canary is being withdrawn already."),
      change: { failed: state.failed ?? failed },
    };
  return {
    ...answer(command, "Done", "The canary is withdrawn."),
    transition: "Withdrawn",
    change: { ...withdrawn(context), failed },
    told: {
      action: "Rollback",
      reason: "Command",
      message: `Revision ${command.revision} is rolled back: ${BECAUSE}.`,
    },
  };
}

const failedBy = ({ revision }: Command, nowMs: number) => ({
  revision,
  reason: "Command",
  message: BECAUSE,
  time: iso(nowMs),
});

/** Back to the version before a promoted one that is still watched. */
function recall({ state, nowMs }: Context, command: Command): Obedience {
  const { stableRevision, previousRevision } = state;
  if (command.revision !== stableRevision)
    return refuse(command, speaksOfAnother(command, `the promoted one is ${stableRevision}`));
  return {
    ...answer(command, "Done", `Revision ${previousRevision} takes the traffic back.`),
    transition: "Recalled",
    change: { ...recalled(state, nowMs), failed: failedBy(command, nowMs) },
    told: {
      action: "Rollback",
      reason: "Command",
      message: `Revision ${command.revision} is rolled back to ${previousRevision}: ${BECAUSE}.`,
    },
  };
}
