import { isNotFound } from "../../kube/errors.ts";
import type { KubeObject } from "../../kube/object.ts";
import { resources } from "../../kube/resources.ts";
import { type Connection, readBridge } from "../connection.ts";
import { pickRevisions } from "../diff/pick-revisions.ts";
import { revisionFiles } from "../diff/revision-files.ts";
import { CliFailure } from "../failure.ts";
import type { DeploymentView } from "../family.ts";
import { colours } from "../render/colour.ts";
import { diffText, type Side } from "../render/diff.ts";
import type { Terminal } from "../terminal.ts";
import { readDeployments } from "./history.ts";

/** `diff NAME [REVISION] [REVISION]`: what was written otherwise, and what follows from it, from one revision to another. */
export async function diff(
  [name = "", ...words]: readonly string[],
  connection: Connection,
  terminal: Terminal,
): Promise<void> {
  const bridge = await readBridge(connection, name);
  const { before, after } = pickRevisions(bridge, await readDeployments(connection, bridge), words);
  const [from, to] = await Promise.all([before, after].map((one) => readSide(connection, one)));
  const text = from && to ? diffText(from, to, colours(terminal.coloured)) : "";
  if (text === "")
    return terminal.warn(`Revisions ${before.revision} and ${after.revision} of ${name} say the same.\n`);
  terminal.write(text);
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
