import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { keptName } from "../../bridges/names.ts";
import type { StoredContents } from "../../bridges/observe/stored-revision.ts";
import { configMapRefs, wantedContents } from "../../bridges/references.ts";
import { wantedSecrets } from "../../bridges/secret-references.ts";
import { isNotFound } from "../../kube/errors.ts";
import type { KubeObject } from "../../kube/object.ts";
import { resources } from "../../kube/resources.ts";
import type { Connection } from "../connection.ts";
import { CliFailure } from "../failure.ts";
import type { StoredVersion } from "./stored-version.ts";

/** A ConfigMap or Secret that holds something else than a revision keeps of it. */
export interface DifferingContent {
  readonly kind: "ConfigMap" | "Secret";
  readonly name: string;
  /** Name of the copy that the revision keeps; undefined where the revision was made while there was none. */
  readonly copy: string | undefined;
  /** What the revision reads of it. Undefined: all of it. */
  readonly keys: readonly string[] | undefined;
}

interface Compared {
  /** Of the bridge. */
  readonly name: string;
  /** Of what the spec asks for now; undefined where that is not known. */
  readonly asked: StoredContents | undefined;
  readonly target: Pick<StoredVersion, "revision" | "contents">;
}

/** Whose content a person has to put back, beside the spec, to have the revision again. */
export function differingContent(
  spec: LLMBridgeSpec,
  { name: bridge, asked, target: { revision, contents } }: Compared,
): readonly DifferingContent[] {
  const { configMaps = {}, secrets = {}, copies = {} } = contents ?? {};
  const maps = Object.keys(configMaps).sort();
  const isOther = (now: Readonly<Record<string, string>> | undefined, name: string, mark: string) =>
    now?.[name] !== mark;
  return [
    ...maps
      .map((name, index) => ({ name, index, mark: configMaps[name] ?? "" }))
      .filter(({ name, mark }) => isOther(asked?.configMaps, name, mark))
      .map(({ name, index, mark }) => ({
        ...{ kind: "ConfigMap" as const, name, keys: keysOfMap(spec, name) },
        copy: mark === "" ? undefined : keptName(bridge, revision, index),
      })),
    ...wantedSecrets(spec)
      .filter(({ name }) => isOther(asked?.secrets, name, secrets[name] ?? ""))
      .map(({ name, keys }) => ({
        ...{ kind: "Secret" as const, name, keys },
        copy: secrets[name] ? copies[name] : undefined,
      })),
  ];
}

function keysOfMap(spec: LLMBridgeSpec, name: string): readonly string[] | undefined {
  const wanted = wantedContents(configMapRefs(spec)).find((one) => one.name === name);
  return wanted ? wanted.keys : [];
}

type Values = Readonly<Record<string, string>>;
type Stored = KubeObject & { readonly data?: Values; readonly binaryData?: Values };

/**
 * Puts back what the revision keeps, with the rights of the person who asks for it: the operator writes no ConfigMap or Secret of others. All copies are
 * read before anything is written, since what is put back in part would be a version of its own.
 * @throws CliFailure where there is no copy to take one from
 */
export async function restoreContent(
  connection: Connection,
  content: readonly DifferingContent[],
): Promise<void> {
  const { client, namespace } = connection;
  const read = await Promise.all(content.map((one) => readBoth(connection, one)));
  for (const { kind, name, keys, kept, present } of read)
    await client.mergePatch(resourceOf(kind), namespace, name, {
      metadata: { resourceVersion: present.metadata.resourceVersion },
      data: patchOf(kept.data, present.data, keys),
      ...(kind === "ConfigMap" ? { binaryData: patchOf(kept.binaryData, present.binaryData, keys) } : {}),
    });
}

const resourceOf = (kind: DifferingContent["kind"]) =>
  kind === "Secret" ? resources.secrets : resources.configMaps;

/** What there is, and what is to be there. */
async function readBoth(
  { client, namespace }: Connection,
  content: DifferingContent,
): Promise<DifferingContent & { readonly kept: Stored; readonly present: Stored }> {
  const { kind, name, copy } = content;
  if (copy === undefined)
    throw new CliFailure(
      `that revision was made while there was no ${kind} "${name}"; delete it by hand. Nothing was written.`,
    );
  const get = (one: string) => client.get<Stored>(resourceOf(kind), namespace, one);
  try {
    const [kept, present] = await Promise.all([get(copy), get(name)]);
    return { ...content, kept, present };
  } catch (error) {
    if (isNotFound(error))
      throw new CliFailure(`${kind} "${name}", or the copy ${copy} of it, is gone. Nothing was written.`);
    throw error;
  }
}

/** The wanted values, and the removal of what else the revision reads. */
function patchOf(wanted: Values = {}, now: Values = {}, keys: readonly string[] | undefined): object {
  const others = Object.keys(now).filter(
    (key) => !(key in wanted) && (keys === undefined || keys.includes(key)),
  );
  return { ...Object.fromEntries(others.map((key) => [key, null])), ...wanted };
}
