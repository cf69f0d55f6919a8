import { revisionName } from "../../bridges/names.ts";
import { isNotFound } from "../../kube/errors.ts";
import type { KubeObject } from "../../kube/object.ts";
import { resources } from "../../kube/resources.ts";
import type { Arguments } from "../arguments.ts";
import { bridgeView } from "../bridge-view.ts";
import { BRIDGES, type Connection, readBridge } from "../connection.ts";
import { pickRevisions } from "../diff/pick-revisions.ts";
import { CONTENTS, revisionFiles } from "../diff/revision-files.ts";
import { CliFailure } from "../failure.ts";
import type { DeploymentView } from "../family.ts";
import { rendered } from "../offline.ts";
import type { Comparison, DiffOutput } from "../outputs.ts";
import { colours } from "../render/colour.ts";
import { diffText, type FileDiff, fileDiffs, type Side } from "../render/diff.ts";
import { serialised } from "../render/serialised.ts";
import type { Terminal } from "../terminal.ts";
import { readDeployments } from "./history.ts";
import { readBridges } from "./render.ts";

/**
 * `diff NAME [REVISION] [REVISION]`: what was written otherwise, and what follows from it, from one revision to another.
 * `diff -f FILE`: from the stable version to what a manifest would make.
 */
export async function diff(args: Arguments, connection: Connection, terminal: Terminal): Promise<void> {
  const compared =
    args.files.length > 0
      ? await compareManifests(args, connection, terminal)
      : [await compareRevisions(args, connection)];
  if (args.output !== undefined) {
    const found: DiffOutput = { comparisons: compared.map(recordOf) };
    return terminal.write(serialised(found, args.output));
  }
  for (const { diffs, equal } of compared) {
    if (diffs.length === 0) terminal.warn(`${equal}\n`);
    else terminal.write(diffText(diffs, colours(terminal.coloured)));
  }
}

/** What `-o` prints, but for the texts, and what a person is told where nothing differs. */
interface Compared extends Omit<Comparison, "files"> {
  readonly diffs: readonly FileDiff[];
  readonly equal: string;
}

const recordOf = ({ diffs, equal: _, ...about }: Compared): Comparison => ({
  ...about,
  files: diffs.map(({ file, lines }) => ({ file, diff: lines.map((line) => `${line}\n`).join("") })),
});

async function compareRevisions(args: Arguments, connection: Connection): Promise<Compared> {
  const [name = "", ...words] = args.words;
  const bridge = await readBridge(connection, name);
  const { before, after } = pickRevisions(bridge, await readDeployments(connection, bridge), words);
  const [from, to] = await Promise.all([readSide(connection, before), readSide(connection, after)]);
  return {
    bridge: { namespace: connection.namespace, name },
    ...{ before: before.revision, after: after.revision, diffs: fileDiffs(from, to) },
    equal: `Revisions ${before.revision} and ${after.revision} of ${name} say the same.`,
  };
}

/** Each bridge in the files against its stable version, or against nothing where it is new. */
async function compareManifests(
  args: Arguments,
  connection: Connection,
  terminal: Terminal,
): Promise<readonly Compared[]> {
  const compared: Compared[] = [];
  for (const manifest of await readBridges(args, terminal)) {
    const { name } = manifest.metadata;
    const scope = { ...connection, namespace: manifest.metadata.namespace ?? connection.namespace };
    const stored = await stableOf(scope, name);
    const { uid } = stored ?? {};
    const metadata = { ...manifest.metadata, ...(uid === undefined ? {} : { uid }) };
    const { revision, children } = rendered({ ...manifest, metadata }, scope.namespace);
    const own = children.find((child) => child.metadata.name === revisionName(name, revision)) as ConfigMap;
    const to = withoutContents({ name: own.metadata.name, files: revisionFiles(own.data ?? {}, revision) });
    const from = withoutContents(stored?.side ?? { name: "none", files: {} });
    compared.push({
      bridge: { namespace: scope.namespace, name },
      ...(stored === undefined ? {} : { before: stored.revision }),
      after: revision,
      // What the operator of another version rendered is never rendered again, so it is no difference.
      diffs: revision === stored?.revision ? [] : fileDiffs(from, to),
      equal: `${name}: the stable version ${revision} is what the file asks for; no pod changes.`,
    });
  }
  return compared;
}

function withoutContents({ name, files: { [CONTENTS]: _, ...files } }: Side): Side {
  return { name, files };
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
