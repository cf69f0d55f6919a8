import type { LLMBridgeStatus } from "../api/v1alpha1/status.ts";
import type { Informer } from "../kube/informer.ts";
import type { KubeObject, ObjectKey } from "../kube/object.ts";
import { keyOf } from "../kube/object.ts";
import type { AddOptions } from "../kube/queue.ts";
import type { Change } from "../kube/store.ts";
import { bridgeKeyOf, type Caches } from "./caches.ts";
import { sameJson } from "./canonical.ts";
import { commandGivenTo } from "./observe/command.ts";
import { observePod } from "./observe/pod.ts";
import { CHILD_KINDS } from "./plan.ts";

/**
 * Children and pods change in company: pods become ready together, and their Deployment says so a moment later. One look at all of it costs
 * fewer writes, and none of them meets a Deployment whose status is being written.
 */
const COMPANY_MS = 100;

/** Which changes lead to a look at which bridge. What nothing is decided on, such as our own status writes, leads to none. */
export function connectTriggers(
  caches: Caches,
  enqueue: (key: ObjectKey, options: AddOptions) => void,
): void {
  caches.bridges.onChange((change) => {
    if (change.kind === "updated" && !specChanged(change.previous, change.object)) return;
    enqueue(keyOf(change.object), { priority: urgencyOf(change) });
  });
  for (const kind of CHILD_KINDS) watchOwned(caches.children[kind], childFacts, enqueue);
  watchOwned(caches.pods, (pod) => observePod(pod), enqueue);
  for (const informer of caches.all)
    informer.onRights((namespace) => {
      for (const bridge of caches.bridges.store.list())
        if (namespace === "" || bridge.metadata.namespace === namespace)
          enqueue(keyOf(bridge), { priority: "resync" });
    });
}

/**
 * Thousands that are made at once must not keep an edit of one that serves waiting; nor must a look at thousands, which a start begins with, keep
 * one waiting that was edited while no operator ran.
 */
function urgencyOf(change: Change<KubeObject>): AddOptions["priority"] {
  if (!change.initial) return change.kind === "added" ? "new" : "user";
  return isUnanswered(change.object) ? "user" : "resync";
}

/** Somebody asked for something that the status does not answer yet. Who is new and has no status waits as all who are new do. */
function isUnanswered(object: KubeObject): boolean {
  const { observedGeneration, command } = (object as { status?: Partial<LLMBridgeStatus> }).status ?? {};
  const { generation, deletionTimestamp } = object.metadata;
  if (observedGeneration === undefined) return false;
  if (deletionTimestamp !== undefined || observedGeneration !== generation) return true;
  const given = commandGivenTo(object);
  return given !== undefined && given.id !== command?.id;
}

function specChanged(before: KubeObject, after: KubeObject): boolean {
  const facts = ({ metadata }: KubeObject) => ({
    uid: metadata.uid,
    generation: metadata.generation,
    annotations: metadata.annotations,
    labels: metadata.labels,
    deleted: metadata.deletionTimestamp,
  });
  return !sameJson(facts(before), facts(after));
}

/** Everything of a child but what changes by itself: versions and status. */
export function childFacts(object: KubeObject): unknown {
  const { metadata, ...rest } = object as KubeObject & { status?: unknown };
  const { resourceVersion: _, generation: __, ...meta } = metadata;
  return { ...rest, metadata: meta, status: undefined };
}

/** @returns a function that ends it */
export function watchOwned<T extends KubeObject>(
  informer: Informer<T>,
  facts: (object: T) => unknown,
  enqueue: (key: ObjectKey, options: AddOptions) => void,
): () => void {
  return informer.onChange((change) => {
    const key = bridgeKeyOf(change.object);
    const before = change.kind === "updated" ? bridgeKeyOf(change.previous) : key;
    const isMoved = before?.name !== key?.name;
    if (change.kind === "updated" && !isMoved && sameJson(facts(change.previous), facts(change.object)))
      return;
    const add: AddOptions = change.initial
      ? { priority: "resync" }
      : { priority: "child", afterMs: COMPANY_MS };
    if (key) enqueue(key, add);
    // Whose label was taken off it, or written over, misses it.
    if (before && isMoved) enqueue(before, add);
  });
}
