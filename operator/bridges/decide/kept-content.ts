import type { KeepSecretWrite } from "../apply.ts";
import { keptSecretName, revisionName } from "../names.ts";
import type { ObservedPod } from "../observe/pod.ts";
import type { StoredContents } from "../observe/stored-revision.ts";
import { contentMarks, type KeptContent } from "../revision.ts";
import type { Snapshot } from "../snapshot.ts";
import type { ChildrenInput } from "./children-input.ts";
import type { StoredRevision } from "./runtime.ts";

/** What the revision keeps of others, to be stored with it; undefined where that is nothing. */
export function contentsOf({ kept, snapshot }: ChildrenInput, revision: string): StoredContents | undefined {
  const { configMaps, secrets } = kept;
  if (configMaps.length === 0 && secrets.length === 0) return undefined;
  const making = Math.floor(snapshot.nowMs / 1000).toString(36);
  const copies = secrets.map(({ name, index }) => [
    name,
    keptSecretName(snapshot.bridge.name, revision, index, making),
  ]);
  return { ...contentMarks(kept), ...(copies.length > 0 ? { copies: Object.fromEntries(copies) } : {}) };
}

/** Names of the Secrets that revisions keep copies of, by the names of the copies. */
export const copiedSecrets = (stored: ReadonlyMap<string, StoredRevision>): ReadonlyMap<string, string> =>
  new Map(
    [...stored.values()].flatMap(({ contents }) =>
      Object.entries(contents?.copies ?? {}).map(([from, copy]) => [copy, from] as const),
    ),
  );

/** What has changed of it since the stable version was made, as a sentence; undefined where nothing has, or it is not known what there was. */
export function changedContent(kept: KeptContent, before: StoredContents | undefined): string | undefined {
  const now = contentMarks(kept);
  const changed = (["configMaps", "secrets"] as const).flatMap((kind) =>
    Object.entries(now[kind] ?? {})
      .filter(([name, mark]) => before?.[kind]?.[name] !== undefined && before[kind][name] !== mark)
      .map(([name]) => `${kind === "secrets" ? "Secret" : "ConfigMap"} "${name}"`),
  );
  const [one] = changed;
  if (one === undefined) return undefined;
  return changed.length === 1 ? `${one} has changed.` : `${changed.slice(0, 4).join(", ")} have changed.`;
}

/**
 * The copies that have to be made. The operator has no right to look whether one is there: it is where the revision's Deployment is, which is made after
 * it, unless a pod does not find it.
 */
export function missingCopies(
  { kept, snapshot }: ChildrenInput,
  revision: string,
  contents: StoredContents | undefined,
): readonly KeepSecretWrite[] {
  const isMade = snapshot.deployments.some(
    ({ name }) => name === revisionName(snapshot.bridge.name, revision),
  );
  return kept.secrets.flatMap(({ name: from, keys, fingerprint }) => {
    const name = contents?.copies?.[from];
    if (name === undefined || fingerprint === undefined) return [];
    if (isMade && !isMissed(snapshot, revision, name)) return [];
    return [{ kind: "KeepSecret" as const, revision, name, from, keys, fingerprint }];
  });
}

/** As kubelet says it of a volume, in an Event, and of a variable, in the pod's status. */
function isMissed({ pods, kubelet }: Snapshot, revision: string, copy: string): boolean {
  const says = ({ name, waiting }: ObservedPod) =>
    `${waiting?.message ?? ""} ${kubelet[name]?.message ?? ""}`;
  return pods.some((pod) => pod.revision === revision && says(pod).includes(`secret "${copy}" not found`));
}
