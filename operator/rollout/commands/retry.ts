import type { Command } from "../../api/v1alpha1/commands.ts";
import type { Context } from "../context.ts";
import { answer, type Obedience, refuse } from "./obedience.ts";

/** Takes the mark of failure off a revision that the spec still asks for. */
export function retry({ state, input }: Context, command: Command): Obedience {
  const { failed } = state;
  if (!failed) return refuse(command, "No revision is marked as failed.");
  if (failed.revision !== command.revision || input.desired.revision !== failed.revision)
    return refuse(
      command,
      `The command speaks of revision ${command.revision}; the failed one is ${failed.revision} and the spec asks for ${input.desired.revision}.`,
    );
  return {
    ...answer(command, "Done", `Revision ${failed.revision} is tried again from the first step.`),
    change: { failed: undefined },
  };
}
