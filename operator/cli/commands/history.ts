import { resources } from "../../kube/resources.ts";
import { isBaseline } from "../../rollout/baseline.ts";
import type { Arguments } from "../arguments.ts";
import type { BridgeView } from "../bridge-view.ts";
import { type Connection, readBridge } from "../connection.ts";
import { type DeploymentView, familyOf, selectorOf } from "../family.ts";
import { historyOf } from "../history/history.ts";
import { colours } from "../render/colour.ts";
import { historyText } from "../render/history.ts";
import { serialised } from "../render/serialised.ts";
import { type Terminal, widthOf } from "../terminal.ts";

/** `history NAME`: the revisions of a bridge, newest first, and what has become of each. */
export async function history(
  args: Arguments & { readonly name: string },
  connection: Connection,
  terminal: Terminal,
): Promise<void> {
  const bridge = await readBridge(connection, args.name);
  const found = historyOf(bridge, await readDeployments(connection, bridge));
  if (args.output !== undefined) return terminal.write(serialised(found, args.output));
  const view = {
    nowMs: terminal.nowMs(),
    colour: colours(terminal.coloured),
    columns: widthOf(terminal),
  };
  terminal.write(historyText(found, view));
}

/** The Deployments of a bridge, newest first. Those of a baseline are no revisions of their own. */
export async function readDeployments(
  { client, namespace }: Connection,
  bridge: BridgeView,
): Promise<readonly DeploymentView[]> {
  const stored = await client.list(resources.deployments, {
    namespace,
    labelSelector: selectorOf(bridge.metadata.name),
  });
  return familyOf(bridge, stored, [], []).deployments.filter(({ revision }) => !isBaseline(revision));
}
