import { LABELS } from "../../contract/kubernetes.ts";
import type { KubeClient } from "../kube/client.ts";
import { isConflict, isNotFound } from "../kube/errors.ts";
import type { Informer } from "../kube/informer.ts";
import { controllerOf, type DesiredObject, type KubeObject } from "../kube/object.ts";
import type { Resource } from "../kube/resources.ts";
import { Contested, type Contests, unlabelled } from "./contest.ts";
import { type BridgeRef, FIELD_MANAGER, MANAGED_BY } from "./names.ts";
import type { ChildObject } from "./plan.ts";
import { HTTP_ROUTES } from "./route/http-route.ts";

/** A child's name is taken by an object that is not ours. Nothing was written; the remedy is in the message. */
export class NameConflict extends Error {
  readonly resource: string;
  readonly childName: string;

  constructor(resource: string, childName: string, owner: string) {
    super(
      `${resource} "${childName}" already exists and belongs to ${owner}; rename or delete it, or give the LLMBridge another name.`,
    );
    this.name = "NameConflict";
    this.resource = resource;
    this.childName = childName;
  }
}

/** A child of a bridge of the same name that was deleted has not been cleaned up yet. Nothing was written; time is the remedy. */
export class NotCleanedUp extends Error {
  constructor(resource: string, childName: string) {
    super(`${resource} "${childName}" of a deleted LLMBridge of the same name is still being removed.`);
    this.name = "NotCleanedUp";
  }
}

/**
 * What was found by quorum and the plan knows nothing of. The cache will show it: no decision may rest on a cache older than it.
 * @returns whether the cache shows it already, in this very version
 */
export type OnFound = (resource: Resource, object: KubeObject) => boolean;

/** Whether the informer of the children, if there is one, holds the object in this very version. */
export function isShownBy(
  informer: Pick<Informer<KubeObject>, "store"> | undefined,
  { metadata }: KubeObject,
): boolean {
  const held = informer?.store.get(metadata.namespace ?? "", metadata.name)?.metadata;
  return held?.uid === metadata.uid && held.resourceVersion === metadata.resourceVersion;
}

interface Child {
  readonly resource: Resource;
  readonly object: ChildObject;
}

/** The version of no object: etcd's first write makes version 2. An apply bound to it makes what is not there, and conflicts with what is. */
const OF_NO_OBJECT = "1";

/**
 * Makes a child where its name is free. Where it is not, the plan was made without having seen who has it:
 * - another one: NameConflict, or NotCleanedUp; nothing is written.
 * - this bridge: the conflict is thrown once `onFound` has been told, so that the bridge is looked at again when the cache shows the child. What the
 *   plan says is not written over it. A cache that shows it already, again and again, is not behind: then it is Contested, which is reported, since
 *   a pass that ends here for ever would keep its other writes back.
 * @throws ApiError, TransportError as the client
 */
export async function createChild(
  client: KubeClient,
  bridge: BridgeRef,
  child: Child,
  contests: Contests,
  onFound: OnFound,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { resource } = child;
  const { name } = child.object.metadata;
  const metadata = { ...child.object.metadata, resourceVersion: OF_NO_OBJECT };
  const body = { ...child.object, metadata } as DesiredObject;
  try {
    // An apply, not a POST: fields that a POST sets can never be removed by a later apply of the same manager.
    await client.apply(resource, body, { fieldManager: FIELD_MANAGER, signal });
  } catch (error) {
    if (!isConflict(error)) throw error;
    const existing = await getIfThere(client, resource, bridge.namespace, name, signal);
    // Gone again; the next pass makes it.
    if (!existing) throw error;
    if (controllerOf(existing)?.uid !== bridge.uid) {
      if (isPredecessors(existing, bridge)) throw new NotCleanedUp(resource.kind, name);
      throw new NameConflict(resource.kind, name, ownerText(existing));
    }
    const isShown = onFound(
      resource,
      isSelected(child, existing) ? existing : await relabel(client, child, existing, contests, signal),
    );
    if (isShown) meet(contests, resource, existing);
    throw error;
  }
}

/** @throws Contested where this very object was met too often */
function meet(contests: Contests, { plural }: Resource, { metadata }: KubeObject): void {
  const { name, uid, resourceVersion } = metadata;
  const meeting = { kind: "Meeting", resource: plural, name, uid, resourceVersion } as const;
  contests.permit(meeting);
  contests.note(meeting);
}

/** Routes are not selected by labels: the spec may name one of somebody else's. */
const isSelected = ({ resource, object }: Child, existing: KubeObject): boolean =>
  resource.plural === HTTP_ROUTES.plural ||
  Object.entries(labelsOf(object)).every(([name, value]) => existing.metadata.labels?.[name] === value);

/** Of a child's labels those by which caches find it, and a Deployment in them is told from what is none of a bridge's (difference.ts). */
const labelsOf = ({ metadata }: ChildObject): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...Object.keys(MANAGED_BY), LABELS.bridge, LABELS.revision].flatMap((name) => {
      const value = metadata.labels?.[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );

/**
 * Somebody took labels off by which it is found. They alone are given back: what else the plan says was decided without having seen what
 * the object says, such as the generation of running pool sizes.
 * @throws Contested where they are taken off as often as they are given back, or on the way in: that write changes nothing, and would be repeated at once
 */
async function relabel(
  client: KubeClient,
  child: Child,
  existing: KubeObject,
  contests: Contests,
  signal: AbortSignal | undefined,
): Promise<KubeObject> {
  const { plural } = child.resource;
  const { namespace = "", name, uid, resourceVersion } = existing.metadata;
  const labels = labelsOf(child.object);
  const write = { kind: "Relabel", resource: plural, name, uid, labels } as const;
  contests.permit(write);
  const metadata = { uid, resourceVersion, labels };
  const after = await client.mergePatch(child.resource, namespace, name, { metadata }, { signal });
  contests.note(write);
  if (!isSelected(child, after)) throw new Contested(unlabelled(plural, name));
  return after;
}

/** The garbage collector removes it soon: its owner had this bridge's name and is gone. */
function isPredecessors(existing: KubeObject, bridge: BridgeRef): boolean {
  const owner = controllerOf(existing);
  return owner?.kind === "LLMBridge" && owner.name === bridge.name;
}

async function getIfThere(
  client: KubeClient,
  resource: Resource,
  namespace: string,
  name: string,
  signal: AbortSignal | undefined,
): Promise<KubeObject | undefined> {
  try {
    return await client.get(resource, namespace, name, { signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function ownerText(object: KubeObject): string {
  const owner = controllerOf(object);
  return owner ? `${owner.kind} "${owner.name}" (uid ${owner.uid})` : "nobody the operator knows";
}
