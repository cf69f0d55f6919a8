import type { Informer } from "../kube/informer.ts";
import type { KubeObject, ObjectKey } from "../kube/object.ts";
import { keyOf } from "../kube/object.ts";
import type { AddOptions } from "../kube/queue.ts";
import { bridgeKeyOf, type Caches } from "./caches.ts";
import { sameJson } from "./canonical.ts";
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
    enqueue(keyOf(change.object), { priority: change.initial ? "resync" : urgencyOf(change.kind) });
  });
  for (const kind of CHILD_KINDS) watchOwned(caches.children[kind], childFacts, enqueue);
  watchOwned(caches.pods, (pod) => observePod(pod), enqueue);
}

/** Thousands that are made at once must not keep an edit of one that serves waiting. */
const urgencyOf = (kind: "added" | "updated" | "deleted") => (kind === "added" ? "new" : "user");

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
    if (!key) return;
    if (change.kind === "updated" && sameJson(facts(change.previous), facts(change.object))) return;
    enqueue(key, change.initial ? { priority: "resync" } : { priority: "child", afterMs: COMPANY_MS });
  });
}
