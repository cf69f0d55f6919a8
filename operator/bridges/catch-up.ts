import type { KubeClient } from "../kube/client.ts";
import { isForbidden } from "../kube/errors.ts";
import type { Informer } from "../kube/informer.ts";
import type { KubeObject } from "../kube/object.ts";
import type { OwnWrites } from "../kube/own-writes.ts";
import { type Resource, resourceName } from "../kube/resources.ts";
import { type Caches, saidOf, selectorOf } from "./caches.ts";
import type { Plan } from "./plan.ts";
import { writeDueInMs } from "./report.ts";
import { HTTP_ROUTES } from "./route/http-route.ts";
import type { Snapshot } from "./snapshot.ts";
import { ReadRefused } from "./unread.ts";

type Children = Pick<Caches, "children" | "pods">;

interface CatchUp {
  readonly client: Pick<KubeClient, "list">;
  readonly ownWrites: Pick<OwnWrites, "wrote" | "deleted">;
}

/**
 * Whether a plan says that something is another than before. Numbers alone are none of it: most bridges have others after a while without an operator.
 * Nor is a field that the operator before did not write. One whose status names no rollout yet has nothing but what a create finds.
 */
export function isActing({ status, nowMs }: Snapshot, wanted: Plan): boolean {
  if (status.rollout === undefined) return false;
  const known = status.revision === undefined ? { ...status, revision: wanted.status.revision } : status;
  return wanted.writes.length > 0 || writeDueInMs(known, wanted.status, nowMs, nowMs) === 0;
}

/** By resource: the version that the API server had reached when the term began. Versions of different resources say nothing of each other. */
export type TermVersions = ReadonlyMap<string, string>;

const childrenOf = ({ children, pods }: Children): Informer<KubeObject>[] => [
  ...Object.values(children),
  pods as unknown as Informer<KubeObject>,
];

/**
 * Asks what the API server has reached by now: a list carries it, however short.
 * @returns without those that nobody answered; empty where there is no bridge that anybody could have to catch up with
 */
export async function versionsNow(
  client: Pick<KubeClient, "listPage">,
  caches: Children & Pick<Caches, "bridges">,
  signal: AbortSignal,
): Promise<TermVersions> {
  const versions = new Map<string, string>();
  const [some] = caches.bridges.store.list();
  if (!some) return versions;
  const page = { namespace: some.metadata.namespace, limit: 1, metadataOnly: true, signal };
  const ask = async ({ resource }: Informer<KubeObject>): Promise<void> => {
    const { resourceVersion } = await client.listPage(resource, page);
    versions.set(resourceName(resource), resourceVersion);
  };
  await Promise.allSettled(childrenOf(caches).map(ask));
  return versions;
}

/**
 * The caches that may not show yet what there was when the term began. One that has come past it is as new as a list by quorum would have been then.
 * To be asked before the plan is made: what comes in while it is made is not in it.
 */
export const behindOf = (
  caches: Children,
  namespace: string,
  since: TermVersions,
): readonly Informer<KubeObject>[] =>
  childrenOf(caches).filter((informer) => {
    const version = since.get(resourceName(informer.resource));
    return version === undefined || informer.hasReached(namespace, version) !== true;
  });

/** However long the cache takes: by the old one nothing may be decided. */
const STRICT = { strict: true };

/**
 * Asks by quorum which children and pods there are of a bridge, and has its key wait until the caches are as new: one list a kind of what is labelled
 * with the bridge's name, of metadata alone; one of each route that concerns it, and of each object that these lists do not name and the cache holds, which may be
 * gone, or no longer be the bridge's.
 * @param behind those of which it is asked (`behindOf`)
 * @returns whether anything was asked, so that it has to be decided anew
 * @throws ReadRefused where one may not be listed; ApiError, TransportError as the client
 */
export async function catchUp(
  { client, ownWrites }: CatchUp,
  { bridge, route }: Snapshot,
  behind: readonly Informer<KubeObject>[],
  signal: AbortSignal,
): Promise<boolean> {
  const { namespace, name } = bridge;
  /** By a list of its name alone: pods may be listed, and not be got. */
  const askForOne = async (resource: Resource, { metadata }: KubeObject): Promise<void> => {
    const fieldSelector = `metadata.name=${metadata.name}`;
    const [found] = await client.list<KubeObject>(resource, {
      ...{ namespace, fieldSelector, metadataOnly: true, signal },
    });
    if (found) ownWrites.wrote(bridge, resource, found, STRICT);
    if (found?.metadata.uid !== metadata.uid)
      ownWrites.deleted(bridge, resource, namespace, metadata.name, metadata.uid, STRICT);
  };
  const ask = async (informer: Informer<KubeObject>): Promise<void> => {
    const { resource } = informer;
    const held = saidOf(informer, bridge);
    const selection = { namespace, labelSelector: selectorOf(name), metadataOnly: true };
    const found = await client
      .list<KubeObject>(resource, { ...selection, signal })
      .catch((error: unknown) => {
        throw isForbidden(error) ? new ReadRefused("list", resource, namespace, error) : error;
      });
    for (const object of found) ownWrites.wrote(bridge, resource, object, STRICT);
    const there = new Set(found.map(({ metadata }) => metadata.uid));
    await Promise.all(
      held.filter(({ metadata }) => !there.has(metadata.uid)).map((one) => askForOne(resource, one)),
    );
  };
  const routes = route.kind === "Served" ? [route.owned, route.route] : [];
  const known = new Map(routes.flatMap((one) => (one ? [[one.metadata.uid, one] as const] : [])));
  const asking = [...behind.map(ask), ...[...known.values()].map((one) => askForOne(HTTP_ROUTES, one))];
  await Promise.all(asking);
  return asking.length > 0;
}
