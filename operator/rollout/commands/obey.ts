import type { Context } from "../context.ts";
import { abort } from "./abort.ts";
import { jump, skip } from "./jump.ts";
import type { Obedience } from "./obedience.ts";
import { promote } from "./promote.ts";
import { restart } from "./restart.ts";
import { retry } from "./retry.ts";

/** The effect of a command that was not acknowledged yet; undefined if there is none. */
export function obey(context: Context): Obedience | undefined {
  const { command, acknowledgedCommandId } = context.input;
  if (!command || command.id === acknowledgedCommandId) return undefined;
  switch (command.action) {
    case "promote":
      return promote(context, command);
    case "skip":
      return skip(context, command);
    case "jump":
      return jump(context, command);
    case "abort":
      return abort(context, command);
    case "retry":
      return retry(context, command);
    case "restart":
      return restart(context, command);
  }
}
