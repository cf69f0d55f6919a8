import { SPEC_KEY } from "../../bridges/desired/configmaps.ts";
import { revisionName } from "../../bridges/names.ts";
import { readContents, type StoredContents } from "../../bridges/observe/stored-revision.ts";
import { parseRevisionSpec, type RevisionSpec } from "../../bridges/revision-spec.ts";
import { isNotFound } from "../../kube/errors.ts";
import type { KubeObject } from "../../kube/object.ts";
import { resources } from "../../kube/resources.ts";
import type { Connection } from "../connection.ts";
import { CliFailure } from "../failure.ts";
import type { DeploymentView } from "../family.ts";

/** What a revision was made from, as its ConfigMap keeps it. */
export interface StoredVersion {
  readonly revision: string;
  readonly spec: RevisionSpec;
  /** What stands for the content of others that it keeps; undefined where that is nothing. */
  readonly contents: StoredContents | undefined;
}

type Data = Readonly<Record<string, string>>;

async function dataOf({ client, namespace }: Connection, name: string): Promise<Data | undefined> {
  try {
    const { data = {} } = await client.get<KubeObject & { data?: Data }>(
      resources.configMaps,
      namespace,
      name,
    );
    return data;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** @throws CliFailure where it is gone, or its maker did not keep it */
export async function storedVersion(
  connection: Connection,
  { name, revision }: DeploymentView,
): Promise<StoredVersion> {
  const data = await dataOf(connection, name);
  const text = data?.[SPEC_KEY];
  const spec = text === undefined ? undefined : parseRevisionSpec(JSON.parse(text));
  if (spec) return { revision, spec, contents: readContents(data) };
  throw new CliFailure(
    data === undefined
      ? `the ConfigMap ${name} of revision ${revision} is gone.`
      : `the operator that made revision ${revision} did not keep its spec; set the spec by hand (\`kubectl llmbridge diff\` shows what differs).`,
  );
}

/** What a revision keeps of others; undefined where that is nothing, or not known. */
export const contentsOf = async (
  connection: Connection,
  bridge: string,
  revision: string,
): Promise<StoredContents | undefined> =>
  readContents(await dataOf(connection, revisionName(bridge, revision)));
