import type { Arguments } from "../arguments.ts";
import type { BridgeView, Terminal } from "../bridge-view.ts";
import { type Connection, readBridge } from "../connection.ts";
import { endedBy, follow } from "../follow.ts";
import { colours } from "../render/colour.ts";
import { detailsText } from "../render/details.ts";

/** On a terminal times go on between changes. */
const REDRAW_EVERY_MS = 1000;
const CLEAR_SCREEN = "\u001b[2J\u001b[H";

/** `status NAME`: the bridge in full; with -w again at every change, and on a terminal redrawn in place every second. */
export async function status(
  args: Arguments & { name: string },
  connection: Connection,
  terminal: Terminal,
): Promise<void> {
  const render = (bridge: BridgeView) => detailsText(bridge, terminal.nowMs(), colours(terminal.interactive));
  let latest = await readBridge(connection, args.name);
  if (!args.watch) return terminal.write(render(latest));
  let shown = "";
  const show = (text: string) => {
    if (text === shown) return;
    terminal.write(terminal.interactive ? `${CLEAR_SCREEN}${text}` : `${shown === "" ? "" : "\n"}${text}`);
    shown = text;
  };
  const timer = terminal.interactive ? setInterval(() => show(render(latest)), REDRAW_EVERY_MS) : undefined;
  try {
    for await (const { bridge, gone } of follow(connection, args.name, terminal.signal)) {
      latest = bridge;
      show(gone ? `${args.name} is deleted.\n` : render(bridge));
      if (gone) return;
    }
  } catch (error) {
    if (!endedBy(terminal.signal, error)) throw error;
  } finally {
    clearInterval(timer);
  }
}
