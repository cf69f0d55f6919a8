import type { KubeObject } from "../../kube/object.ts";
import type { Arguments } from "../arguments.ts";
import { type BridgeView, bridgeView } from "../bridge-view.ts";
import { BRIDGES, type Connection, readBridge, readStored, whyNotFound } from "../connection.ts";
import { CliFailure } from "../failure.ts";
import { readFamily } from "../family.ts";
import { endedBy, followTogether } from "../follow.ts";
import { bridgeTree } from "../render/bridge-tree.ts";
import { colours } from "../render/colour.ts";
import { fittingColumns, headOf, rowOf } from "../render/row.ts";
import { serialised } from "../render/serialised.ts";
import { lineText, tableText, widthsOf } from "../render/table.ts";
import { type Terminal, widthOf } from "../terminal.ts";
import { watchFamily, watchTable } from "../watching.ts";

/** `get`: a line for each bridge, one bridge as a tree, or the objects as they are stored. */
export async function get(args: Arguments, connection: Connection, terminal: Terminal): Promise<void> {
  const [name] = args.words;
  const scope = args.allNamespaces ? { ...connection, namespace: "" } : connection;
  if (args.output !== undefined) {
    const stored = name === undefined ? listOf(await list(scope)) : await readStored(scope, name);
    return terminal.write(serialised(stored, args.output));
  }
  if (args.watch && terminal.size() !== undefined)
    return name === undefined
      ? watchTable(scope, args.allNamespaces, terminal)
      : watchFamily(scope, name, terminal);
  if (args.watch) return followRows(args, scope, terminal);
  if (name !== undefined) {
    const family = await readFamily(scope, await readBridge(scope, name));
    const view = {
      nowMs: terminal.nowMs(),
      colour: colours(terminal.coloured),
      columns: widthOf(terminal),
    };
    return terminal.write(bridgeTree(family, view));
  }
  const bridges = (await list(scope)).map(bridgeView);
  if (bridges.length === 0)
    return terminal.warn(
      args.allNamespaces
        ? "There are no bridges.\n"
        : `There are no bridges in namespace ${scope.namespace}; \`kubectl llmbridge get -A\` lists all.\n`,
    );
  terminal.write(tableText(tableOf(bridges, args.allNamespaces, terminal)));
}

function tableOf(bridges: readonly BridgeView[], withNamespace: boolean, terminal: Terminal) {
  const rows = bridges.map((bridge) => rowOf(bridge, terminal.nowMs(), withNamespace));
  return fittingColumns([headOf(withNamespace), ...rows], widthOf(terminal));
}

const listOf = (items: readonly KubeObject[]) => ({ apiVersion: "v1", kind: "List", items });

async function list({ client, namespace }: Connection): Promise<readonly KubeObject[]> {
  const bridges = await client.list<KubeObject>(BRIDGES, { namespace });
  return [...bridges].sort((a, b) => keyOf(a).localeCompare(keyOf(b)));
}

const keyOf = ({ metadata }: KubeObject) => `${metadata.namespace}/${metadata.name}`;

/** On a pipe: a line for every change that shows; what says the same as the last line of that bridge is left out. */
async function followRows(args: Arguments, scope: Connection, terminal: Terminal): Promise<void> {
  const [name] = args.words;
  const rowFor = (bridge: BridgeView) => rowOf(bridge, terminal.nowMs(), args.allNamespaces);
  const shown = new Map<string, string>();
  let widths: readonly number[] = [];
  const show = (bridge: BridgeView, row: readonly string[]) => {
    if (shown.get(keyOf(bridge)) === withoutAge(row)) return;
    shown.set(keyOf(bridge), withoutAge(row));
    terminal.write(`${lineText(row, widths)}\n`);
  };
  try {
    for await (const changes of followTogether(scope, name, terminal.signal)) {
      if (widths.length === 0) {
        if (name !== undefined && changes.length === 0) throw new CliFailure(await whyNotFound(scope, name));
        const head = headOf(args.allNamespaces);
        widths = widthsOf([head, ...changes.map(({ bridge }) => rowFor(bridge))]);
        terminal.write(`${lineText(head, widths)}\n`);
      }
      for (const { bridge, gone } of changes) {
        const { namespace = "", name: ended } = bridge.metadata;
        show(
          bridge,
          gone ? [...(args.allNamespaces ? [namespace] : []), ended, "deleted", "now"] : rowFor(bridge),
        );
      }
    }
  } catch (error) {
    if (!endedBy(terminal.signal, error)) throw error;
  }
}

/** The age changes by itself and is no news. */
function withoutAge(row: readonly string[]): string {
  return row.slice(0, -1).join("|");
}
