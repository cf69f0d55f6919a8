import { formatKey, type KubeObject, keyOf } from "./object.ts";

/** Values under which an object is found again; an object may have several, or none. */
export type Indexer<T> = (object: T) => readonly string[];

export type Change<T> =
  /** `initial`: known from a list and not from a watch, so perhaps old news. */
  | { readonly kind: "added"; readonly object: T; readonly initial: boolean }
  | { readonly kind: "updated"; readonly object: T; readonly previous: T; readonly initial: boolean }
  /** `object` is its last state; when the deletion was only noticed by a list (`initial`), the last state that was seen. */
  | { readonly kind: "deleted"; readonly object: T; readonly initial: boolean };

/** What readers see of the objects. Everything returned is deeply frozen and shared: never copied, never to be changed. */
export interface Store<T extends KubeObject> {
  get(namespace: string, name: string): T | undefined;
  list(namespace?: string): readonly T[];
  /** @throws Error when there is no such index: a misspelt name must not look like "no objects" */
  byIndex(index: string, value: string): readonly T[];
  readonly size: number;
}

/** What the reflector does to the objects. Each method returns the changes in the order in which handlers must see them. */
export interface WritableStore<T extends KubeObject> extends Store<T> {
  set(object: T): readonly Change<T>[];
  /** Does nothing when the object held under this name is another one (uid). */
  remove(object: T): readonly Change<T>[];
  /**
   * Makes the content equal to a full list, object by object as the changes are taken: what is missing in the list was deleted.
   * @param namespace the namespace that the list covers; absent when it covers all
   */
  replace(objects: readonly T[], namespace?: string): Iterable<Change<T>>;
}

/**
 * Objects of one resource by namespace and name.
 *
 * An object whose uid differs from the one held under its name is another object: readers see a deletion and an addition, even when
 * the deletion itself was never observed. The same resourceVersion again is no change.
 */
export function createStore<T extends KubeObject>(
  indexers: Readonly<Record<string, Indexer<T>>> = {},
): WritableStore<T> {
  const objects = new Map<string, T>();
  const indexes = new Map(Object.keys(indexers).map((name) => [name, new Map<string, Map<string, T>>()]));

  const reindex = (key: string, previous: T | undefined, next: T | undefined): void => {
    for (const [name, indexer] of Object.entries(indexers)) {
      const index = indexes.get(name);
      if (!index) continue;
      for (const value of previous ? indexer(previous) : []) {
        const bucket = index.get(value);
        bucket?.delete(key);
        if (bucket?.size === 0) index.delete(value);
      }
      for (const value of next ? indexer(next) : []) {
        const bucket = index.get(value) ?? new Map<string, T>();
        index.set(value, bucket);
        bucket.set(key, next as T);
      }
    }
  };

  const drop = (key: string, initial: boolean, last?: T): Change<T>[] => {
    const previous = objects.get(key);
    if (!previous || (last && last.metadata.uid !== previous.metadata.uid)) return [];
    objects.delete(key);
    reindex(key, previous, undefined);
    return [{ kind: "deleted", object: last ? freeze(last) : previous, initial }];
  };

  const put = (raw: T, initial: boolean): Change<T>[] => {
    const key = formatKey(keyOf(raw));
    const previous = objects.get(key);
    if (previous?.metadata.resourceVersion === raw.metadata.resourceVersion) return [];
    if (previous && previous.metadata.uid !== raw.metadata.uid)
      return [...drop(key, initial), ...put(raw, initial)];
    const object = freeze(raw);
    objects.set(key, object);
    reindex(key, previous, object);
    return previous ? [{ kind: "updated", object, previous, initial }] : [{ kind: "added", object, initial }];
  };

  return {
    get size() {
      return objects.size;
    },
    get: (namespace, name) => objects.get(formatKey({ namespace, name })),
    list(namespace) {
      const all = [...objects.values()];
      return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace);
    },
    byIndex(name, value) {
      const index = indexes.get(name);
      if (!index) throw new Error(`the store has no index ${JSON.stringify(name)}`);
      return [...(index.get(value)?.values() ?? [])];
    },
    set: (object) => put(object, false),
    remove: (object) => drop(formatKey(keyOf(object)), false, object),
    *replace(list, namespace) {
      for (const key of missing(objects, list, namespace)) yield* drop(key, true);
      for (const object of list) yield* put(object, true);
    },
  };
}

/** Keys of what is held and not in the list. */
function missing<T extends KubeObject>(
  objects: ReadonlyMap<string, T>,
  list: readonly T[],
  namespace: string | undefined,
): readonly string[] {
  if (objects.size === 0) return [];
  const present = new Set(list.map((object) => formatKey(keyOf(object))));
  const isGone = ([key, object]: readonly [string, T]) =>
    !present.has(key) && (namespace === undefined || object.metadata.namespace === namespace);
  return [...objects].filter(isGone).map(([key]) => key);
}

/** Freezes an object and everything in it; parsed JSON has no cycles. */
function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) freeze(inner);
  return Object.freeze(value);
}
