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
 * Guarantees: a key is not ready before every write of its reconciles was seen, and `onReady` tells of each key that becomes so. A write is seen once
 * the informer of that resource holds the object at that version or a newer one, or has moved past that version (the object may be gone again). A write
 * that changed nothing returns a version that was seen before, so there is nothing to wait for. Writes of resources without an informer are not waited for.
 *
 * Caveats: only writes that were answered are known of; what a lost answer may have changed has to be read. Fails open after `patienceMs` (a watch may be
 * broken, and waiting for ever would stop the operator), and at once for versions that are not decimal numbers and not equal; both are counted. For a
 * resource that decisions rest on and writes cannot be bound to, and for an object that is known to be there and not in the cache, waiting never ends so:
 * its informer is told to read anew, again and again.
 *
 * Errors: none of its own; a client from `clientFor` throws what the client that it was made of throws.
 */
export interface OwnWrites {
  /**
   * Tells where writes of this resource will show up. Several informers of one resource may cover different namespaces.
   * @param strict never fails open for want of time. Default false
   * @returns a function that ends it: what was to show up there is waited for no more
   */
  observe<T extends KubeObject>(informer: Informer<T>, options?: Strictness): () => void;
  /**
   * Remembers that the reconcile of `key` wrote `object`, or read it by quorum; takes what the server answered.
   * @param strict waits for this one as for a strict resource. Default: as the resource was observed
   */
  wrote(key: ObjectKey, resource: Resource, object: KubeObject, options?: Strictness): void;
  /** Remembers that the reconcile of `key` deleted the object with this uid; seen once it is gone or marked as being deleted. `strict` as above. */
  deleted(
    key: ObjectKey,
    resource: Resource,
    namespace: string,
    name: string,
    uid: string,
    options?: Strictness,
  ): void;
  /** Whether the caches show everything that reconciles of `key` wrote. */
  ready(key: ObjectKey): boolean;
  /** Calls the handler with each key that becomes ready after not having been. */
  onReady(handler: (key: ObjectKey) => void): void;
  /**
   * A client that remembers each of its successful writes under `key`. Dry runs are not remembered.
   * @param onWritten told of each of them
   */
  clientFor(key: ObjectKey, client: KubeClient, onWritten?: () => void): KubeClient;
}

export interface Strictness {
  readonly strict?: boolean;
}

interface Pending {
  readonly resource: Resource;
  readonly seen: () => boolean;
  timer: Timer;
}

/** Where a write is to show up. */
interface Place {
  readonly informer: Informer<KubeObject>;
  readonly strict: boolean;
}

export interface OwnWritesOptions {
  /** How long a write is waited for, or of a strict resource, until its informer is told to read anew. Default 5 s. */
  readonly patienceMs?: number;
  readonly clock?: Clock;
  readonly metrics?: KubeMetrics;
}

export function createOwnWrites(options: OwnWritesOptions = {}): OwnWrites {
  const { patienceMs = 5000, clock = systemClock, metrics = createKubeMetrics() } = options;
  const places = new Map<string, Place[]>();
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

  const remember = (
    key: ObjectKey,
    place: Place,
    object: { readonly resource: Resource; readonly namespace: string; readonly uid: string },
    isShown: () => boolean,
    { strict = place.strict }: Strictness = {},
  ): void => {
    const { resource, namespace } = object;
    const seen = () => !isObserved(place) || isShown();
    if (seen()) return;
    const id = formatKey(key);
    const write = `${resourceName(resource)} ${object.uid}`;
    const entry = pending.get(id) ?? { key, writes: new Map<string, Pending>() };
    pending.set(id, entry);
    entry.writes.get(write)?.timer.cancel();
    const wait = (): Timer => clock.setTimer(patienceMs, () => (strict ? renew() : failOpen())).unref();
    const waiting: Pending = { resource, seen, timer: wait() };
    const failOpen = (): void => {
      metrics.ownWritesFailedOpen.inc({ resource: resourceName(resource) });
      settle(id, write);
    };
    const renew = (): void => {
      // Nothing is shown of what may not be read. Whoever looks has to see to that himself.
      if (place.informer.refusal(namespace)) {
        failOpen();
        return;
      }
      place.informer.renew(namespace, patienceMs);
      waiting.timer = wait();
    };
    entry.writes.set(write, waiting);
  };

  const placeOf = (resource: Resource, namespace: string): Place | undefined =>
    places.get(resourceName(resource))?.find(({ informer }) => informer.covers(namespace));

  const isObserved = (place: Place): boolean =>
    places.get(resourceName(place.informer.resource))?.includes(place) ?? false;

  const wrote: OwnWrites["wrote"] = (key, resource, { metadata }, options) => {
    const { namespace = "", uid } = metadata;
    const place = placeOf(resource, namespace);
    if (!place) return;
    const isShown = (): boolean => {
      const held = place.informer.store.get(namespace, metadata.name)?.metadata;
      if (held?.uid === uid && held.resourceVersion === metadata.resourceVersion) return true;
      const reached = place.informer.hasReached(namespace, metadata.resourceVersion);
      if (reached === undefined) metrics.ownWritesFailedOpen.inc({ resource: resourceName(resource) });
      return reached ?? true;
    };
    remember(key, place, { resource, namespace, uid }, isShown, options);
  };

  const deleted: OwnWrites["deleted"] = (key, resource, namespace, name, uid, options) => {
    const place = placeOf(resource, namespace);
    if (!place) return;
    const isShown = (): boolean => {
      const held = place.informer.store.get(namespace, name)?.metadata;
      return held?.uid !== uid || held.deletionTimestamp !== undefined;
    };
    remember(key, place, { resource, namespace, uid }, isShown, options);
  };

  return {
    observe(informer, { strict = false } = {}) {
      const name = resourceName(informer.resource);
      const known = places.get(name) ?? [];
      places.set(name, known);
      const place: Place = { informer: informer as unknown as Informer<KubeObject>, strict };
      known.push(place);
      const ignore = informer.onProgress(() => check(name));
      return () => {
        ignore();
        const at = known.indexOf(place);
        if (at !== -1) known.splice(at, 1);
        check(name);
      };
    },
    wrote,
    deleted,
    ready: (key) => !pending.has(formatKey(key)),
    onReady: (handler) => void handlers.push(handler),
    clientFor(key, client, onWritten = () => undefined) {
      const remembered = async <T extends KubeObject>(
        resource: Resource,
        dryRun: boolean | undefined,
        write: Promise<T>,
      ): Promise<T> => {
        const object = await write;
        if (dryRun) return object;
        wrote(key, resource, object);
        onWritten();
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
          onWritten();
        },
        async delete(resource, namespace, name, call) {
          await client.delete(resource, namespace, name, call);
          const uid =
            call?.uid ?? placeOf(resource, namespace)?.informer.store.get(namespace, name)?.metadata.uid;
          if (call?.dryRun) return;
          if (uid !== undefined) deleted(key, resource, namespace, name, uid);
          onWritten();
        },
      };
    },
  };
}
