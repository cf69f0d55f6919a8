import type { OutputFormat } from "../arguments.ts";
import { BRIDGES, type Connection, readBridge } from "../connection.ts";
import type { Terminal } from "../terminal.ts";
import { reportOrder } from "./report-order.ts";

/** `pause` and `resume`: the field spec.rollout.paused, which is the whole state of it. */
export async function setPaused(
  args: {
    readonly name: string;
    readonly command: "pause" | "resume";
    readonly output: OutputFormat | undefined;
  },
  connection: Connection,
  terminal: Terminal,
): Promise<void> {
  const { name, command } = args;
  const paused = command === "pause";
  const bridge = await readBridge(connection, name);
  if (bridge.spec.rollout.paused === paused) {
    const message = paused ? "is paused already." : "is not paused.";
    return reportOrder(connection, args, { command, outcome: "Unchanged", message }, terminal);
  }
  await connection.client.mergePatch(BRIDGES, connection.namespace, name, {
    metadata: { uid: bridge.metadata.uid },
    spec: { rollout: { paused } },
  });
  const message = paused
    ? `paused. No step is left, and a canary that fails is still rolled back; \`kubectl llmbridge resume ${name}\` goes on.`
    : "goes on.";
  reportOrder(connection, args, { command, outcome: "Done", message }, terminal);
}
