import type { KubeClient } from "./client.ts";
import { type Clock, systemClock, type Timer } from "./clock.ts";
import type { Informer } from "./informer.ts";
import { createKubeMetrics, type KubeMetrics } from "./metrics.ts";
import { formatKey, type KubeObject, type ObjectKey } from "./object.ts";
import { type Resource, resourceName, resources } from "./resources.ts";

/**
 * Remembers what this process wrote until its own caches show it, so that no decision rests on a cache older than our own last
 * write.
 *
 * A write is seen once the informer of that resource holds the object at that version or a newer one, or has moved past that
 * version (the object may be gone again). A write that changed nothing returns a version that was seen before, so there is nothing to wait
 * for. Writes of resources without an informer are not waited for.
 *
 * Fails open after `patienceMs` (a watch may be broken, and waiting for ever would stop the operator), and at once for versions that
 * are not decimal numbers and not equal; both are counted.
 */
export interface OwnWrites {
  /**
   * Tells where writes of this resource will show up. Several informers of one resource may cover different namespaces.
   * @returns a function that ends it: what was to show up there is waited for no more
   */
  observe<T extends KubeObject>(informer: Informer<T>): () => void;
  /** Remembers that the reconcile of `key` wrote `object`; takes what the server answered. */
  wrote(key: ObjectKey, resource: Resource, object: KubeObject): void;
  /** Remembers that the reconcile of `key` deleted the object with this uid; seen once it is gone or marked as being deleted. */
  deleted(key: ObjectKey, resource: Resource, namespace: string, name: string, uid: string): void;
  /** Whether the caches show everything that reconciles of `key` wrote. */
  ready(key: ObjectKey): boolean;
  /** Calls the handler with each key that becomes ready after not having been. */
  onReady(handler: (key: ObjectKey) => void): void;
  /** A client that remembers each of its successful writes under `key`. Dry runs are not remembered. */
  clientFor(key: ObjectKey, client: KubeClient): KubeClient;
}

interface Pending {
  readonly resource: Resource;
  readonly seen: () => boolean;
  readonly timer: Timer;
}

export interface OwnWritesOptions {
  /** How long a write is waited for. Default 5 s. */
  readonly patienceMs?: number;
  readonly clock?: Clock;
  readonly metrics?: KubeMetrics;
}

export function createOwnWrites(options: OwnWritesOptions = {}): OwnWrites {
  const { patienceMs = 5000, clock = systemClock, metrics = createKubeMetrics() } = options;
  const informers = new Map<string, Informer<KubeObject>[]>();
  /** By key, then by resource and uid: only the last write of an object counts. */
  const pending = new Map<string, { readonly key: ObjectKey; readonly writes: Map<string, Pending> }>();
  const handlers: ((key: ObjectKey) => void)[] = [];

  const settle = (id: string, write: string): void => {
    const entry = pending.get(id);
    entry?.writes.get(write)?.timer.cancel();
    entry?.writes.delete(write);
    if (!entry || entry.writes.size > 0) return;
    pending.delete(id);
    for (const handler of handlers) handler(entry.key);
  };

  const check = (resource: string): void => {
    for (const [id, { writes }] of [...pending]) {
      for (const [write, { resource: written, seen }] of [...writes]) {
        if (resourceName(written) === resource && seen()) settle(id, write);
      }
    }
  };

  const remember = (key: ObjectKey, resource: Resource, uid: string, seen: () => boolean): void => {
    if (seen()) return;
    const id = formatKey(key);
    const write = `${resourceName(resource)} ${uid}`;
    const entry = pending.get(id) ?? { key, writes: new Map<string, Pending>() };
    pending.set(id, entry);
    entry.writes.get(write)?.timer.cancel();
    const timer = clock
      .setTimer(patienceMs, () => {
        metrics.ownWritesFailedOpen.inc({ resource: resourceName(resource) });
        settle(id, write);
      })
      .unref();
    entry.writes.set(write, { resource, seen, timer });
  };

  const informerFor = (resource: Resource, namespace: string): Informer<KubeObject> | undefined =>
    informers.get(resourceName(resource))?.find((informer) => informer.covers(namespace));

  const isObserved = (informer: Informer<KubeObject>): boolean =>
    informers.get(resourceName(informer.resource))?.includes(informer) ?? false;

  const wrote: OwnWrites["wrote"] = (key, resource, { metadata }) => {
    const namespace = metadata.namespace ?? "";
    const informer = informerFor(resource, namespace);
    if (!informer) return;
    remember(key, resource, metadata.uid, () => {
      if (!isObserved(informer)) return true;
      const held = informer.store.get(namespace, metadata.name)?.metadata;
      if (held?.uid === metadata.uid && held.resourceVersion === metadata.resourceVersion) return true;
      const reached = informer.hasReached(namespace, metadata.resourceVersion);
      if (reached === undefined) metrics.ownWritesFailedOpen.inc({ resource: resourceName(resource) });
      return reached ?? true;
    });
  };

  const deleted: OwnWrites["deleted"] = (key, resource, namespace, name, uid) => {
    const informer = informerFor(resource, namespace);
    if (!informer) return;
    remember(key, resource, uid, () => {
      if (!isObserved(informer)) return true;
      const held = informer.store.get(namespace, name)?.metadata;
      return held?.uid !== uid || held.deletionTimestamp !== undefined;
    });
  };

  return {
    observe(informer) {
      const name = resourceName(informer.resource);
      const known = informers.get(name) ?? [];
      informers.set(name, known);
      const observed = informer as unknown as Informer<KubeObject>;
      known.push(observed);
      const ignore = informer.onProgress(() => check(name));
      return () => {
        ignore();
        const at = known.indexOf(observed);
        if (at !== -1) known.splice(at, 1);
        check(name);
      };
    },
    wrote,
    deleted,
    ready: (key) => !pending.has(formatKey(key)),
    onReady: (handler) => void handlers.push(handler),
    clientFor(key, client) {
      const remembered = async <T extends KubeObject>(
        resource: Resource,
        dryRun: boolean | undefined,
        write: Promise<T>,
      ): Promise<T> => {
        const object = await write;
        if (!dryRun) wrote(key, resource, object);
        return object;
      };
      return {
        ...client,
        create: (resource, object, call) =>
          remembered(resource, call?.dryRun, client.create(resource, object, call)),
        apply: (resource, object, call) =>
          remembered(resource, call.dryRun, client.apply(resource, object, call)),
        applyStatus: (resource, object, call) =>
          remembered(resource, call.dryRun, client.applyStatus(resource, object, call)),
        jsonPatch: (resource, namespace, name, patch, call) =>
          remembered(resource, call?.dryRun, client.jsonPatch(resource, namespace, name, patch, call)),
        mergePatch: (resource, namespace, name, patch, call) =>
          remembered(resource, call?.dryRun, client.mergePatch(resource, namespace, name, patch, call)),
        async evict(namespace, pod, call) {
          await client.evict(namespace, pod, call);
          deleted(key, resources.pods, namespace, pod, call.uid);
        },
        async delete(resource, namespace, name, call) {
          await client.delete(resource, namespace, name, call);
          const uid = call?.uid ?? informerFor(resource, namespace)?.store.get(namespace, name)?.metadata.uid;
          if (uid !== undefined && !call?.dryRun) deleted(key, resource, namespace, name, uid);
        },
      };
    },
  };
}
