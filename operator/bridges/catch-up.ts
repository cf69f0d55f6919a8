import type { KubeClient } from "../kube/client.ts";
import { isForbidden, isNotFound } from "../kube/errors.ts";
import type { Informer } from "../kube/informer.ts";
import type { KubeObject } from "../kube/object.ts";
import type { OwnWrites } from "../kube/own-writes.ts";
import { type Caches, saidOf, selectorOf } from "./caches.ts";
import type { Plan } from "./plan.ts";
import { writeDueInMs } from "./report.ts";
import { HTTP_ROUTES } from "./route/http-route.ts";
import type { Snapshot } from "./snapshot.ts";
import { ReadRefused } from "./unread.ts";

interface CatchUp {
  readonly client: Pick<KubeClient, "get" | "list">;
  readonly caches: Pick<Caches, "children" | "pods">;
  readonly ownWrites: Pick<OwnWrites, "wrote" | "deleted">;
}

/**
 * The version that the API server has reached by now, of whatever resource: a list carries it, however short.
 * @returns undefined where nobody has to catch up, or nobody answers: then everything is asked for
 */
export async function versionNow(
  client: Pick<KubeClient, "listPage">,
  bridges: Informer<KubeObject>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const [some] = bridges.store.list();
  if (!some) return undefined;
  const { resource } = bridges;
  const page = { namespace: some.metadata.namespace, limit: 1, metadataOnly: true, signal };
  return client.listPage(resource, page).then(
    ({ resourceVersion }) => resourceVersion,
    () => undefined,
  );
}

/** However long the cache takes: by the old one nothing may be decided. */
const STRICT = { strict: true };

/**
 * Whether a plan says that something is another than before. Numbers alone are none of it: most bridges have others after a while without an operator.
 * One whose status names no rollout yet has nothing but what a create finds.
 */
export function isActing({ status, nowMs }: Snapshot, wanted: Plan): boolean {
  if (status.rollout === undefined) return false;
  return wanted.writes.length > 0 || writeDueInMs(status, wanted.status, nowMs, nowMs) === 0;
}

/**
 * Asks by quorum which children and pods there are of a bridge, and has its key wait until the caches are as new: one list a kind of what is labelled
 * with the bridge's name, of metadata alone, and one GET for each route that concerns it. A cache that has come past what there was when the term
 * began is as new as that already, and not asked for.
 * @param since what there was then (`versionNow`)
 * @returns whether anything was asked, so that it has to be decided anew
 * @throws ReadRefused where one may not be listed; ApiError, TransportError as the client
 */
export async function catchUp(
  { client, caches, ownWrites }: CatchUp,
  { bridge, route }: Snapshot,
  since: string | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const { namespace, name } = bridge;
  const isBehind = (informer: Informer<KubeObject>): boolean =>
    since === undefined || informer.hasReached(namespace, since) !== true;
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
    for (const { metadata } of held)
      if (!there.has(metadata.uid))
        ownWrites.deleted(bridge, resource, namespace, metadata.name, metadata.uid, STRICT);
  };
  const askForRoute = async ({ metadata }: KubeObject): Promise<void> => {
    try {
      const found = await client.get(HTTP_ROUTES, namespace, metadata.name, { signal });
      ownWrites.wrote(bridge, HTTP_ROUTES, found, STRICT);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      ownWrites.deleted(bridge, HTTP_ROUTES, namespace, metadata.name, metadata.uid, STRICT);
    }
  };
  const routes = route.kind === "Served" ? [route.owned, route.route] : [];
  const known = new Map(routes.flatMap((one) => (one ? [[one.metadata.uid, one] as const] : [])));
  const behind = [...Object.values(caches.children), caches.pods as unknown as Informer<KubeObject>].filter(
    isBehind,
  );
  const asking = [...behind.map(ask), ...[...known.values()].map(askForRoute)];
  await Promise.all(asking);
  return asking.length > 0;
}
