import { LLMBRIDGES } from "../../../operator/bridges/caches.ts";
import type { KubeClient } from "../../../operator/kube/client.ts";
import type { KubeObject } from "../../../operator/kube/object.ts";
import { type Resource, resources } from "../../../operator/kube/resources.ts";
import { until } from "../../kube/until.ts";

/** One change of one object. */
export interface Change {
  /** Plural name. */
  readonly resource: string;
  readonly isGone: boolean;
  /** As it was left; of one that is gone, as it was last. */
  readonly object: KubeObject;
}

export interface History {
  /**
   * Every change until now, in the order in which the store took them.
   * @throws where a watch has failed
   */
  changes(): Promise<readonly Change[]>;
  /** Ends the watches. */
  close(): Promise<void>;
}

const RECORDED: readonly Resource[] = [
  LLMBRIDGES,
  resources.deployments,
  resources.services,
  resources.configMaps,
  resources.pods,
];
/** Longer than a story with its faults; a watch that ends sooner is a failure of the test. */
const WATCHED_SECONDS = 900;

/**
 * Records what changes in a namespace, of bridges, what serves for them and these kinds, by the API server's own watches. Unlike looks from time to time it misses no state, however short, and shows no two
 * objects as they never were at once: versions count all changes of all resources of one store.
 */
export async function recordHistory(
  client: KubeClient,
  namespace: string,
  also: readonly Resource[] = [],
): Promise<History> {
  const recorded = [...RECORDED, ...also];
  const stop = new AbortController();
  const changes: Change[] = [];
  const newest = new Map<string, number>();
  let failure: unknown;
  const follow = async (resource: Resource, onOpen: () => void): Promise<void> => {
    const { signal } = stop;
    const watch = { namespace, initialEvents: true, timeoutSeconds: WATCHED_SECONDS, signal } as const;
    const events = await client.watch<KubeObject>(resource, watch);
    onOpen();
    for await (const event of events) {
      if (!("object" in event)) continue;
      const { type, object } = event;
      changes.push({ resource: resource.plural, isGone: type === "DELETED", object });
      newest.set(keyOf(resource, object), versionOf(object));
    }
    throw new Error(`the watch of ${resource.plural} has ended`);
  };
  const opened = recorded.map((resource) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const ended = follow(resource, resolve).catch((error: unknown) => {
      failure ??= error;
      resolve();
    });
    return { promise, ended };
  });
  await Promise.all(opened.map(({ promise }) => promise));
  return {
    async changes() {
      for (const resource of recorded) {
        const present = await client.list(resource, { namespace });
        await until(`the changes of ${resource.plural}`, () => {
          if (failure !== undefined) throw failure;
          return present.every((object) => (newest.get(keyOf(resource, object)) ?? 0) >= versionOf(object));
        });
      }
      return changes.toSorted((a, b) => versionOf(a.object) - versionOf(b.object));
    },
    async close() {
      stop.abort();
      await Promise.all(opened.map(({ ended }) => ended));
    },
  };
}

const versionOf = ({ metadata }: KubeObject): number => Number(metadata.resourceVersion);
const keyOf = (resource: Resource, { metadata }: KubeObject): string => `${resource.plural} ${metadata.name}`;
