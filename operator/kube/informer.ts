import { breath } from "./breath.ts";
import type { KubeClient } from "./client.ts";
import { type Clock, type Random, systemClock } from "./clock.ts";
import { type ApiError, isForbidden } from "./errors.ts";
import { type Log, silentLog } from "./log.ts";
import { createKubeMetrics, type KubeMetrics } from "./metrics.ts";
import type { KubeObject } from "./object.ts";
import type { Shape } from "./protobuf.ts";
import { DEFAULT_TIMING, type ReflectorTiming, runReflector } from "./reflector.ts";
import { BehindError, type ListMode, type ReflectorEffect, type ReflectorState } from "./reflector-state.ts";
import { compareResourceVersions } from "./resource-version.ts";
import { type Resource, resourceName } from "./resources.ts";
import { type Change, createStore, type Indexer, type Store } from "./store.ts";

export interface InformerOptions<T extends KubeObject> {
  readonly client: KubeClient;
  readonly resource: Resource;
  /** One namespace, or several, each with a watch of its own. Default: all. */
  readonly namespace?: string | readonly string[] | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Holds nothing of the objects but type and metadata, and is sent no more. */
  readonly metadataOnly?: boolean | undefined;
  /** How the whole collection is read. Stream, the default, turns to pages by itself where the server does not stream lists. */
  readonly listing?: ListMode | undefined;
  /** Of a built-in kind: the fields that are read, so that watches and streamed lists come as protocol buffers. Default: JSON. */
  readonly shape?: Shape | undefined;
  /** Drops what nobody reads; must keep name, namespace, uid and resourceVersion. Default: drops managedFields. */
  readonly transform?: ((object: T) => T) | undefined;
  readonly indexers?: Readonly<Record<string, Indexer<T>>> | undefined;
  /** Told of each list or watch that failed, and is tried again all the same; must not throw. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
  /**
   * What rests on the copy is left alone where it may not be read, so that a refusal is worth a warning and the gauge `namespaces_refused`. Default
   * false: whoever holds the copy says what comes of it.
   */
  readonly isVital?: boolean | undefined;
  readonly timing?: Partial<ReflectorTiming> | undefined;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Log;
  readonly metrics?: KubeMetrics;
}

/**
 * The API server answers 403 to a list, the first or one that follows; what is held may be as old as the first refusal. Where only watching is refused,
 * lists follow one another, and nothing is refused.
 */
export interface Refusal {
  /** Empty: all namespaces. */
  readonly namespace: string;
  /** The server's own words. */
  readonly message: string;
  readonly forMs: number;
}

export interface InformerHealth {
  readonly synced: boolean;
  /** Each namespace has been listed, or may not be. */
  readonly settled: boolean;
  /** What may not be read at present. */
  readonly refused: readonly Refusal[];
  /** Phase of each reflector: listing, streaming, watching or waiting. */
  readonly phases: readonly ReflectorState<KubeObject>["phase"][];
  /** Since the reflector that has been still for longest entered a state or heard anything. */
  readonly stillMs: number;
}

/**
 * A local, current copy of a collection.
 *
 * Guarantees: handlers see changes of one object in order and never two at a time; between two changes intermediate states may be
 * left out; a deletion followed by a creation under the same name is seen as both, even across a broken connection; a failing
 * handler disturbs nobody else.
 * Caveats: the copy lags behind the server, and what this process has just written may not be in it yet (own-writes.ts).
 */
export interface Informer<T extends KubeObject> {
  readonly resource: Resource;
  readonly store: Store<T>;
  /** Resolves after the first full list of every namespace. Stays pending while the server cannot be reached. */
  synced(): Promise<void>;
  /**
   * Resolves once every namespace has been listed, or has turned out to be one that may not be (403): one whose rights are gone must not
   * keep the others waiting, and where nothing may be read somebody has to say so. Tried again all the same.
   */
  settled(): Promise<void>;
  /** Whether the namespace has been listed. */
  isListed(namespace: string): boolean;
  /** Why the namespace may not be read; undefined where it may, or nothing is known yet. */
  refusal(namespace: string): Refusal | undefined;
  /** Runs until the signal aborts; the promise then resolves. Never rejects. May be called once. */
  start(signal: AbortSignal): Promise<void>;
  /**
   * Calls the handler with every change from now on, and at once with `added` for each object that is there already.
   * @returns a function that ends it
   */
  onChange(handler: (change: Change<T>) => void): () => void;
  /**
   * Calls the handler after each sign that the copy has moved forward, with or without a change.
   * @returns a function that ends it
   */
  onProgress(handler: () => void): () => void;
  /** Calls the handler with each namespace that may not be read any more, or again; with the empty one where all are read at once. */
  onRights(handler: (namespace: string) => void): void;
  /** Whether this informer would see an object of the namespace (labels apart). */
  covers(namespace: string): boolean;
  /** Whether everything up to this version has been seen; undefined when versions cannot be compared. */
  hasReached(namespace: string, resourceVersion: string): boolean | undefined;
  /**
   * Reads the collection anew where nothing was heard of it for `quietMs`: the caller knows of something that the watch should have
   * brought by now. One that brings other changes is only slow, and is left alone; so is a list under way.
   */
  renew(namespace: string, quietMs: number): void;
  health(): InformerHealth;
}

/** Nothing here reads managedFields, and they are often the largest part of an object. */
export function dropManagedFields<T extends KubeObject>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata as T["metadata"] & { managedFields?: unknown };
  return { ...object, metadata };
}

/** What is covered by one reflector. */
interface Part<T> {
  reached: string;
  refusal: { readonly error: ApiError; readonly sinceMs: number } | undefined;
  phase: ReflectorState<T>["phase"];
  movedAt: number;
  giveUp: (why: Error) => void;
}

const createPart = <T>(): Part<T> => ({
  ...{ reached: "", refusal: undefined, phase: "listing", movedAt: 0 },
  giveUp: () => {},
});

export function createInformer<T extends KubeObject>(options: InformerOptions<T>): Informer<T> {
  const { resource, client, clock = systemClock, log = silentLog, metrics = createKubeMetrics() } = options;
  const { isVital = false } = options;
  const name = resourceName(resource);
  const store = createStore<T>(options.indexers);
  const handlers = new Set<(change: Change<T>) => void>();
  const progressHandlers = new Set<() => void>();
  const rightsHandlers: ((namespace: string) => void)[] = [];
  const { promise: synced, resolve: resolveSynced } = Promise.withResolvers<void>();
  const { promise: settled, resolve: resolveSettled } = Promise.withResolvers<void>();
  const given = options.namespace;
  const namespaces: readonly string[] =
    given === undefined || given === "" ? [""] : typeof given === "string" ? [given] : given;
  const parts = new Map(namespaces.map((namespace) => [namespace, createPart<T>()]));
  let started = false;
  /** What this informer adds to the gauge, which it shares with others of the same resource. */
  let counted = 0;
  const count = (size: number): void => {
    metrics.storeObjects.inc({ resource: name }, size - counted);
    counted = size;
  };

  const call = <A extends readonly unknown[]>(handler: (...inputs: A) => void, ...inputs: A): void => {
    try {
      handler(...inputs);
    } catch (error) {
      metrics.handlerErrors.inc({ resource: name });
      log.error({ err: error, resource: name }, "a change handler failed");
    }
  };

  const tell = (change: Change<T>): void => {
    for (const handler of handlers) call(handler, change);
  };

  const isSynced = () => [...parts.values()].every(({ reached }) => reached !== "");
  const isSettled = () => [...parts.values()].every(({ reached, refusal }) => reached !== "" || refusal);
  const tellRights = (namespace: string): void => {
    for (const handler of rightsHandlers) call(handler, namespace);
  };

  const refuse = (namespace: string, part: Part<T>, error: unknown): void => {
    // A list follows each watch that is refused, also one whose first events were to be the list, and says whether there is anything to see.
    if (!isForbidden(error) || part.phase !== "listing") return;
    const isNews = part.refusal === undefined;
    part.refusal = { error, sinceMs: part.refusal?.sinceMs ?? clock.monotonic() };
    if (!isNews) return;
    if (isVital) {
      metrics.namespacesRefused.set({ resource: name, namespace }, 1);
      log.warn(
        { err: error, resource: name, namespace },
        "it may not be read; what rests on it is left alone",
      );
    }
    if (isSettled()) resolveSettled();
    tellRights(namespace);
  };

  const admit = (namespace: string, part: Part<T>): void => {
    if (!part.refusal) return;
    part.refusal = undefined;
    if (isVital) {
      metrics.namespacesRefused.remove({ resource: name, namespace });
      log.info({ resource: name, namespace }, "it may be read now");
    }
    tellRights(namespace);
  };

  const refusalOf = (namespace: string, { refusal }: Part<T>): Refusal | undefined =>
    refusal && {
      namespace,
      message: refusal.error.status.message ?? refusal.error.message,
      forMs: clock.monotonic() - refusal.sinceMs,
    };

  const moveTo = (namespace: string, resourceVersion: string): void => {
    const part = parts.get(namespace);
    if (part) {
      part.reached = resourceVersion;
      admit(namespace, part);
    }
    count(store.size);
    if (isSynced()) resolveSynced();
    if (isSettled()) resolveSettled();
    for (const handler of progressHandlers) call(handler);
  };

  /** A list of tens of thousands is taken in over several turns of the event loop. */
  const replaceAll = async (
    namespace: string,
    items: readonly T[],
    resourceVersion: string,
  ): Promise<void> => {
    for (const change of store.replace(items, namespace === "" ? undefined : namespace)) {
      tell(change);
      const pause = breath();
      if (pause) await pause;
    }
    moveTo(namespace, resourceVersion);
  };

  const apply = (namespace: string, effect: ReflectorEffect<T>): Promise<void> | undefined => {
    if (effect.kind === "replace") return replaceAll(namespace, effect.items, effect.resourceVersion);
    if (effect.kind === "reached") moveTo(namespace, effect.resourceVersion);
    else {
      const { object } = effect;
      for (const change of effect.kind === "set" ? store.set(object) : store.remove(object)) tell(change);
      moveTo(namespace, object.metadata.resourceVersion);
    }
    return undefined;
  };

  const partOf = (namespace: string) => parts.get(namespace) ?? parts.get("");

  return {
    resource,
    store,
    synced: () => synced,
    settled: () => settled,
    isListed: (namespace) => (partOf(namespace)?.reached ?? "") !== "",
    refusal(namespace) {
      const part = partOf(namespace);
      return part && refusalOf(parts.has(namespace) ? namespace : "", part);
    },
    async start(signal) {
      if (started) throw new Error(`the informer for ${name} was started twice`);
      started = true;
      const runs = [...parts].map(([namespace, part]) =>
        runReflector<T>(
          {
            client,
            resource,
            selection: {
              namespace,
              labelSelector: options.labelSelector,
              fieldSelector: options.fieldSelector,
              metadataOnly: options.metadataOnly,
            },
            shape: options.shape,
            listing: options.listing ?? "Stream",
            transform: options.transform ?? dropManagedFields,
            onEffect: (effect) => apply(namespace, effect),
            onState: (state) => {
              part.phase = state.phase;
              part.movedAt = clock.monotonic();
            },
            onWatch: (giveUp) => {
              part.giveUp = giveUp;
            },
            onFailure: (error) => {
              refuse(namespace, part, error);
              options.onFailure?.(error);
            },
            clock,
            random: options.random ?? Math.random,
            log,
            metrics,
            timing: { ...DEFAULT_TIMING, ...options.timing },
          },
          signal,
        ),
      );
      await Promise.all(runs);
      for (const [namespace, { refusal }] of parts)
        if (refusal && isVital) metrics.namespacesRefused.remove({ resource: name, namespace });
      count(0);
    },
    onChange(handler) {
      handlers.add(handler);
      for (const object of store.list()) call(handler, { kind: "added", object, initial: true } as Change<T>);
      return () => void handlers.delete(handler);
    },
    onProgress(handler) {
      progressHandlers.add(handler);
      return () => void progressHandlers.delete(handler);
    },
    onRights: (handler) => void rightsHandlers.push(handler),
    covers: (namespace) => partOf(namespace) !== undefined,
    hasReached(namespace, resourceVersion) {
      const reached = partOf(namespace)?.reached ?? "";
      if (reached === "") return false;
      const order = compareResourceVersions(reached, resourceVersion);
      return order === undefined ? undefined : order >= 0;
    },
    renew(namespace, quietMs) {
      const part = partOf(namespace);
      if (part?.phase !== "watching" || clock.monotonic() - part.movedAt < quietMs) return;
      part.giveUp(new BehindError("the watch does not bring what is known to be there"));
    },
    health: () => ({
      synced: isSynced(),
      settled: isSettled(),
      refused: [...parts].flatMap(([namespace, part]) => refusalOf(namespace, part) ?? []),
      phases: [...parts.values()].map((part) => part.phase),
      stillMs: clock.monotonic() - Math.min(...[...parts.values()].map((part) => part.movedAt)),
    }),
  };
}
