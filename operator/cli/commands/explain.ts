import { type Connection, readBridge } from "../connection.ts";
import { colours } from "../render/colour.ts";
import { explainText } from "../render/explain.ts";
import type { Terminal } from "../terminal.ts";

/** `explain NAME`: why the operator did what it did, and what it waits for. */
export async function explain(
  args: { readonly name: string },
  connection: Connection,
  terminal: Terminal,
): Promise<void> {
  const bridge = await readBridge(connection, args.name);
  terminal.write(explainText(bridge, terminal.nowMs(), colours(terminal.coloured)));
}
