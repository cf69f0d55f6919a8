import type { Arguments } from "../arguments.ts";
import { type Connection, readBridge } from "../connection.ts";
import { explanation } from "../explain/explanation.ts";
import { placeOf } from "../place.ts";
import { colours } from "../render/colour.ts";
import { explainText } from "../render/explain.ts";
import { serialised } from "../render/serialised.ts";
import { type Terminal, widthOf } from "../terminal.ts";

/** `explain NAME`: why the operator did what it did, what it waits for, and what a person could do. */
export async function explain(
  args: Arguments & { readonly name: string },
  connection: Connection,
  terminal: Terminal,
): Promise<void> {
  const bridge = await readBridge(connection, args.name);
  const nowMs = terminal.nowMs();
  const where = placeOf(args);
  if (args.output !== undefined)
    return terminal.write(serialised(explanation(bridge, nowMs, where), args.output));
  const view = { nowMs, colour: colours(terminal.coloured), columns: widthOf(terminal) };
  terminal.write(explainText(bridge, view, where));
}
