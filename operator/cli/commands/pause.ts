import { BRIDGES, type Connection, readBridge } from "../connection.ts";
import type { Terminal } from "../terminal.ts";

/** `pause` and `resume`: the field spec.rollout.paused, which is the whole state of it. */
export async function setPaused(
  args: { readonly name: string; readonly command: "pause" | "resume" },
  connection: Connection,
  terminal: Terminal,
): Promise<void> {
  const paused = args.command === "pause";
  const bridge = await readBridge(connection, args.name);
  if (bridge.spec.rollout.paused === paused)
    return terminal.write(`${args.name}: ${paused ? "is paused already" : "is not paused"}.\n`);
  await connection.client.mergePatch(BRIDGES, connection.namespace, args.name, {
    metadata: { uid: bridge.metadata.uid },
    spec: { rollout: { paused } },
  });
  terminal.write(
    paused
      ? `${args.name}: paused. No step is left, and a canary that fails is still rolled back; \`kubectl llmbridge resume ${args.name}\` goes on.\n`
      : `${args.name}: goes on.\n`,
  );
}
