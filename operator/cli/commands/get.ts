import { stringify } from "yaml";
import type { Arguments } from "../arguments.ts";
import type { BridgeView, Terminal } from "../bridge-view.ts";
import { BRIDGES, type Connection, readBridge } from "../connection.ts";
import { endedBy, follow } from "../follow.ts";
import { headOf, rowOf } from "../render/row.ts";
import { lineText, tableText } from "../render/table.ts";
import { status } from "./status.ts";

/** `get`: a line for each bridge, or the objects as they are stored. Following one bridge on a terminal shows it in full. */
export async function get(args: Arguments, connection: Connection, terminal: Terminal): Promise<void> {
  const { name } = args;
  if (args.watch && name !== undefined && terminal.interactive)
    return status({ ...args, name }, connection, terminal);
  const scope = args.allNamespaces ? { ...connection, namespace: "" } : connection;
  const bridges = args.name === undefined ? await list(scope) : [await readBridge(scope, args.name)];
  if (args.output !== undefined) return terminal.write(serialised(bridges, args));
  if (bridges.length === 0 && !args.watch) {
    terminal.warn(
      args.allNamespaces
        ? "There are no bridges.\n"
        : `There are no bridges in namespace ${scope.namespace}.\n`,
    );
    return;
  }
  const rows = bridges.map((bridge) => rowOf(bridge, terminal.nowMs(), args.allNamespaces));
  const table = [headOf(args.allNamespaces), ...rows];
  terminal.write(tableText(table));
  if (!args.watch) return;
  const shown = new Map(bridges.map((bridge, index) => [keyOf(bridge), withoutAge(rows[index] ?? [])]));
  await followRows(args, scope, terminal, { widths: widthsOf(table), shown });
}

async function list({ client, namespace }: Connection): Promise<readonly BridgeView[]> {
  const bridges = await client.list<BridgeView>(BRIDGES, { namespace });
  return [...bridges].sort((a, b) => keyOf(a).localeCompare(keyOf(b)));
}

const keyOf = ({ metadata }: BridgeView) => `${metadata.namespace}/${metadata.name}`;

/** A line for every change that shows; what says the same as the last line of that bridge is left out. */
async function followRows(
  args: Arguments,
  scope: Connection,
  terminal: Terminal,
  table: { readonly widths: readonly number[]; readonly shown: Map<string, string> },
): Promise<void> {
  try {
    for await (const { bridge, gone } of follow(scope, args.name, terminal.signal)) {
      const row = gone
        ? [...(args.allNamespaces ? [bridge.metadata.namespace ?? ""] : []), bridge.metadata.name, "deleted"]
        : rowOf(bridge, terminal.nowMs(), args.allNamespaces);
      const said = withoutAge(row);
      if (table.shown.get(keyOf(bridge)) === said) continue;
      table.shown.set(keyOf(bridge), said);
      terminal.write(`${lineText(row, table.widths)}\n`);
    }
  } catch (error) {
    if (!endedBy(terminal.signal, error)) throw error;
  }
}

/** The age changes by itself and is no news. */
function withoutAge(row: readonly string[]): string {
  return row.slice(0, -1).join("|");
}

function widthsOf(table: readonly (readonly string[])[]): readonly number[] {
  return (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
}

function serialised(bridges: readonly BridgeView[], args: Arguments): string {
  const object =
    args.name === undefined ? { apiVersion: "v1", kind: "List", items: bridges } : (bridges[0] ?? {});
  return args.output === "json"
    ? `${JSON.stringify(object, null, 2)}\n`
    : stringify(object, { lineWidth: 0 });
}
