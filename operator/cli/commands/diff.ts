import { revisionName } from "../../bridges/names.ts";
import { isNotFound } from "../../kube/errors.ts";
import type { KubeObject } from "../../kube/object.ts";
import { resources } from "../../kube/resources.ts";
import type { Arguments } from "../arguments.ts";
import { bridgeView } from "../bridge-view.ts";
import { BRIDGES, type Connection, readBridge } from "../connection.ts";
import { pickRevisions } from "../diff/pick-revisions.ts";
import { revisionFiles } from "../diff/revision-files.ts";
import { CliFailure } from "../failure.ts";
import type { DeploymentView } from "../family.ts";
import { rendered } from "../offline.ts";
import { colours } from "../render/colour.ts";
import { diffText, type Side } from "../render/diff.ts";
import type { Terminal } from "../terminal.ts";
import { readDeployments } from "./history.ts";
import { readBridges } from "./render.ts";

/**
 * `diff NAME [REVISION] [REVISION]`: what was written otherwise, and what follows from it, from one revision to another.
 * `diff -f FILE`: from the stable version to what a manifest would make.
 */
export async function diff(args: Arguments, connection: Connection, terminal: Terminal): Promise<void> {
  if (args.files.length > 0) return diffManifests(args, connection, terminal);
  const [name = "", ...words] = args.words;
  const bridge = await readBridge(connection, name);
  const { before, after } = pickRevisions(bridge, await readDeployments(connection, bridge), words);
  const [from, to] = await Promise.all([before, after].map((one) => readSide(connection, one)));
  const text = from && to ? diffText(from, to, colours(terminal.coloured)) : "";
  if (text === "")
    return terminal.warn(`Revisions ${before.revision} and ${after.revision} of ${name} say the same.\n`);
  terminal.write(text);
}

/** Each bridge in the files against its stable version, or against nothing where it is new. */
async function diffManifests(args: Arguments, connection: Connection, terminal: Terminal): Promise<void> {
  for (const manifest of await readBridges(args, terminal)) {
    const { name } = manifest.metadata;
    const scope = { ...connection, namespace: manifest.metadata.namespace ?? connection.namespace };
    const stored = await stableOf(scope, name);
    const { uid } = stored ?? {};
    const metadata = { ...manifest.metadata, ...(uid === undefined ? {} : { uid }) };
    const { revision, children } = rendered({ ...manifest, metadata }, scope.namespace);
    if (revision === stored?.revision) {
      terminal.warn(`${name}: the stable version ${revision} is what the file asks for; no pod changes.\n`);
      continue;
    }
    const own = children.find((child) => child.metadata.name === revisionName(name, revision)) as ConfigMap;
    const to = { name: own.metadata.name, files: revisionFiles(own.data ?? {}, revision) };
    const from = stored?.side ?? { name: "none", files: {} };
    terminal.write(diffText(from, to, colours(terminal.coloured)));
  }
}

/** The stable version, or the newest where none is stable yet; undefined where there is no such bridge, or no revision. */
async function stableOf(
  scope: Connection,
  name: string,
): Promise<{ readonly uid: string; readonly revision: string; readonly side: Side } | undefined> {
  const stored = await scope.client.get(BRIDGES, scope.namespace, name).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  if (stored === undefined) return undefined;
  const bridge = bridgeView(stored);
  const deployments = await readDeployments(scope, bridge);
  const wanted = bridge.status.rollout?.stableRevision;
  const stable = deployments.find(({ revision }) => revision === wanted) ?? deployments[0];
  if (stable === undefined) return undefined;
  const { revision } = stable;
  return { uid: bridge.metadata.uid, revision, side: await readSide(scope, stable) };
}

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

async function readSide(
  { client, namespace }: Connection,
  { name, revision }: DeploymentView,
): Promise<Side> {
  try {
    const { data = {} } = await client.get<ConfigMap>(resources.configMaps, namespace, name);
    return { name, files: revisionFiles(data, revision) };
  } catch (error) {
    if (isNotFound(error)) throw new CliFailure(`the ConfigMap ${name} of revision ${revision} is gone.`);
    throw error;
  }
}
