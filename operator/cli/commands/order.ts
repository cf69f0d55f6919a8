import { COMMAND_ANNOTATION, type Command } from "../../api/v1alpha1/commands.ts";
import type { Arguments } from "../arguments.ts";
import type { BridgeView } from "../bridge-view.ts";
import { BRIDGES, type Connection, readBridge } from "../connection.ts";
import { CliFailure } from "../failure.ts";
import { operatorAnswer } from "../operator-answer.ts";
import { placeOf } from "../place.ts";
import { withName } from "../status/with-name.ts";
import type { Terminal } from "../terminal.ts";
import { reportOrder } from "./report-order.ts";

/** Commands that the operator obeys. */
export type OrderName = Command["action"];

/**
 * `promote`, `skip`, `jump`, `abort`, `retry` and `restart`: writes the command, bound to the revision and step that status shows now, and waits until the operator
 * has answered. The uid is a precondition, so that a bridge made anew under the same name is not meant.
 */
export async function order(
  args: Arguments & { readonly name: string; readonly command: OrderName },
  connection: Connection,
  terminal: Terminal,
): Promise<void> {
  const bridge = await readBridge(connection, args.name);
  const command = commandFor(bridge, args, terminal.newId());
  const { uid } = bridge.metadata;
  await connection.client.mergePatch(BRIDGES, connection.namespace, args.name, {
    metadata: { uid, annotations: { [COMMAND_ANNOTATION]: JSON.stringify(command) } },
  });
  const { result, message } = await operatorAnswer(connection, args, terminal, ({ status }) =>
    status.command?.id === command.id ? status.command : undefined,
  );
  if (result === "Refused")
    throw new CliFailure(
      `the operator refuses to ${args.command} ${args.name}: ${withName(message, args.name, placeOf(args))}`,
    );
  const { action, id, revision, step, to } = command;
  const bound = {
    id,
    revision,
    ...(step === undefined ? {} : { step }),
    ...(to === undefined ? {} : { to }),
  };
  reportOrder(connection, args, { command: action, ...bound, outcome: result, message }, terminal);
}

/**
 * What to write for the state that the person sees.
 * @throws CliFailure when there is nothing to do it to
 */
export function commandFor(
  bridge: BridgeView,
  args: {
    readonly command: OrderName;
    readonly name: string;
    readonly full: boolean;
    readonly to?: string | undefined;
  },
  id: string,
): Command {
  const { canary, step, rollout } = bridge.status;
  if (args.command === "retry") {
    const revision = rollout?.failed?.revision;
    if (revision === undefined)
      throw new CliFailure(`no version of ${args.name} was rolled back; there is nothing to try again.`);
    return { action: "retry", revision, id };
  }
  if (args.command === "restart") {
    const stable = rollout?.stableRevision;
    if (stable === undefined)
      throw new CliFailure(`${args.name} has no stable version; there is nothing to restart.`);
    return { action: "restart", revision: stable, id };
  }
  const watched = rollout?.previousRevision === undefined ? undefined : rollout.stableRevision;
  const revision = canary?.revision ?? rollout?.canaryRevision ?? watched;
  const waits = rollout?.queued?.revision;
  // Of a change that a freeze keeps from starting there is no step yet.
  if (revision === undefined && waits !== undefined && args.command === "promote" && !args.full)
    return { action: "promote", revision: waits, id };
  if (revision === undefined) throw new CliFailure(noCanary(bridge, args));
  if (args.command === "abort") return { action: "abort", revision, id };
  // Of a version that is watched it is refused: all of the traffic was asked for the canary, and that has it.
  if (args.command === "promote" && args.full) return { action: "promote", revision, full: true, id };
  if (args.command === "promote" && revision === watched) return { action: "promote", revision, id };
  if (step === undefined)
    throw new CliFailure(`${args.name} is at no step; wait for its canary, or promote with --full.`);
  const { to } = args;
  return { action: args.command, revision, step: step.name, ...(to === undefined ? {} : { to }), id };
}

/** Where it was rolled back there is a way to what the person wants. */
function noCanary(
  { status: { rollout } }: BridgeView,
  { name, command, full }: { readonly name: string; readonly command: OrderName; readonly full: boolean },
): string {
  const failed = rollout?.failed;
  if (failed === undefined || command === "abort")
    return `${name} has no canary; there is nothing to ${command}.`;
  const then = full ? `, then \`kubectl llmbridge promote ${name} --full\` gives it all of the traffic` : "";
  return `${name} has no canary: revision ${failed.revision} was rolled back (${failed.reason}). \`kubectl llmbridge retry ${name}\` starts it again from the first step${then}.`;
}
