import type { BridgeConfig, RuntimeConfig } from "../../../contract/config.ts";
import { LABELS } from "../../../contract/kubernetes.ts";
import { sameJson } from "../canonical.ts";
import { ANNOTATIONS, revisionName, runtimeName } from "../names.ts";
import { type FixedPart, readRuntime, type StoredContents } from "../observe/stored-revision.ts";
import type { ObservedChild } from "../observed-children.ts";
import { perObject } from "../per-object.ts";
import type { ChildObject } from "../plan.ts";

/** A revision as its two ConfigMaps tell it. */
export interface StoredRevision {
  readonly revision: string;
  readonly config: BridgeConfig | undefined;
  /** The Deployment as it was rendered. */
  readonly rendered: ChildObject | undefined;
  readonly runtime: RuntimeConfig | undefined;
  /** What it was made from; undefined where its maker did not keep it. */
  readonly spec?: object | undefined;
  /** What of others it keeps, by the names of their copies. */
  readonly contents?: StoredContents | undefined;
  /** Most Postgres connections that a pod may hold which has not confirmed `runtime` (tuning/pool-budget.ts). */
  readonly postgresCeiling: number;
}

/** As the cache holds it (observe/child.ts). */
interface ConfigMap extends ChildObject {
  readonly fixed?: FixedPart;
  readonly data?: Readonly<Record<string, string>>;
}

const runtimePart = perObject(({ data }: ConfigMap) => readRuntime(data));

/** Reads back what was stored for each revision; what cannot be read is undefined, and then rendered anew or left alone. */
export function storedRevisions(
  bridge: string,
  children: readonly ObservedChild[],
): Map<string, StoredRevision> {
  const maps = children
    .filter((child) => child.resource === "configmaps")
    .map((child) => child.object as ConfigMap);
  const byName = new Map(maps.map((map) => [map.metadata.name, map]));
  const revisions = new Set(maps.flatMap((map) => map.metadata.labels?.[LABELS.revision] ?? []));
  return new Map(
    [...revisions].map((revision) => {
      const fixed = byName.get(revisionName(bridge, revision));
      const hot = byName.get(runtimeName(bridge, revision));
      return [
        revision,
        {
          revision,
          ...(fixed?.fixed ?? { config: undefined, rendered: undefined }),
          runtime: hot && runtimePart(hot),
          postgresCeiling: Number(hot?.metadata.annotations?.[ANNOTATIONS.poolCeiling] ?? 0) || 0,
        },
      ];
    }),
  );
}

/** The same numbers under the same generation, or changed numbers under the next one. */
export function nextRuntime(
  stored: RuntimeConfig | undefined,
  wanted: Omit<RuntimeConfig, "generation">,
): { readonly runtime: RuntimeConfig; readonly changed: boolean } {
  if (stored && sameJson({ ...stored, generation: 0 }, { ...wanted, generation: 0 })) {
    return { runtime: stored, changed: false };
  }
  return { runtime: { ...wanted, generation: (stored?.generation ?? 0) + 1 }, changed: true };
}
