import { isForbidden } from "../kube/errors.ts";
import type { KubeObject } from "../kube/object.ts";
import { resources } from "../kube/resources.ts";
import { bridgeView } from "./bridge-view.ts";
import { BRIDGES, type Connection, sentenceOf, whyNotFound } from "./connection.ts";
import { CliFailure } from "./failure.ts";
import { familyOf, selectorOf } from "./family.ts";
import { type Live, live } from "./live.ts";
import { bridgeTree } from "./render/bridge-tree.ts";
import { colours } from "./render/colour.ts";
import { fittingColumns, headOf, rowOf } from "./render/row.ts";
import { tableText } from "./render/table.ts";
import type { View } from "./render/view.ts";
import { redrawing } from "./screen.ts";
import type { Size, Terminal } from "./terminal.ts";

/** The table of bridges, redrawn on a terminal with every change. */
export function watchTable(scope: Connection, withNamespace: boolean, terminal: Terminal): Promise<void> {
  return redrawing(terminal, async (changed, signal) => {
    const bridges = await live<KubeObject>(
      scope.client,
      { resource: BRIDGES, namespace: scope.namespace },
      changed,
      signal,
    );
    return ({ columns }) => {
      const rows = [...bridges.list()]
        .map((stored) => rowOf(bridgeView(stored), terminal.nowMs(), withNamespace))
        .sort((a, b) => a.slice(0, 2).join("/").localeCompare(b.slice(0, 2).join("/")));
      const table = tableText(fittingColumns([headOf(withNamespace), ...rows], columns));
      return {
        text: rows.length === 0 ? "There are no bridges.\n" : table + troubleText([bridges], terminal),
      };
    };
  });
}

/** One bridge with its Deployments and pods, redrawn on a terminal with every change. */
export function watchFamily(scope: Connection, name: string, terminal: Terminal): Promise<void> {
  return redrawing(terminal, async (changed, signal) => {
    const { client, namespace } = scope;
    const children = { namespace, labelSelector: selectorOf(name) };
    const [bridges, deployments, pods] = await Promise.all([
      live<KubeObject>(
        client,
        { resource: BRIDGES, namespace, fieldSelector: `metadata.name=${name}` },
        changed,
        signal,
      ),
      orForbidden(
        live<KubeObject>(client, { resource: resources.deployments, ...children }, changed, signal),
      ),
      orForbidden(live<KubeObject>(client, { resource: resources.pods, ...children }, changed, signal)),
    ]);
    if (bridges.list().length === 0) throw new CliFailure(await whyNotFound(scope, name));
    const all = [bridges, deployments.live, pods.live].filter((one) => one !== undefined);
    return (size) => {
      const [stored] = bridges.list();
      if (stored === undefined) return { text: `${name} is deleted.\n`, last: true };
      const family = familyOf(bridgeView(stored), deployments.live?.list() ?? [], pods.live?.list() ?? [], [
        ...deployments.trouble,
        ...pods.trouble,
      ]);
      const text = fittingTree(
        (mostPods) =>
          bridgeTree(family, {
            nowMs: terminal.nowMs(),
            colour: colours(terminal.coloured),
            columns: size.columns,
            ...mostPods,
          }),
        size,
      );
      return { text: text + troubleText(all, terminal) };
    };
  });
}

/** With as many pods as the window has lines for. */
function fittingTree(render: (limit: Pick<View, "mostPods"> | undefined) => string, { rows }: Size): string {
  let text = render(undefined);
  for (const mostPods of [8, 4, 2, 1, 0]) {
    if (text.split("\n").length < rows) break;
    text = render({ mostPods });
  }
  return text;
}

async function orForbidden(
  asked: Promise<Live<KubeObject>>,
): Promise<{ readonly live: Live<KubeObject> | undefined; readonly trouble: readonly string[] }> {
  try {
    return { live: await asked, trouble: [] };
  } catch (error) {
    if (!isForbidden(error)) throw error;
    return { live: undefined, trouble: [sentenceOf(error)] };
  }
}

/** What is shown is how it was when changes last came in. */
function troubleText(collections: readonly Live<KubeObject>[], terminal: Terminal): string {
  const trouble = collections.map((one) => one.trouble()).find((found) => found !== undefined);
  if (trouble === undefined) return "";
  const sentence = trouble instanceof Error ? trouble.message : String(trouble);
  return `${colours(terminal.coloured).warn(`No changes come in (${sentence}); trying again.`)}\n`;
}
