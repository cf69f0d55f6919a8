import { formatKey, type KubeObject, keyOf, type ObjectKey } from "./object.ts";

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
 * Guarantees: an object whose uid differs from the one held under its name is another object: readers see a deletion and an addition, even when
 * the deletion itself was never observed. The same resourceVersion again is no change. Indexes are as new as the objects. What was handed out never changes.
 * Caveats: versions are not compared by age: whoever sets an object says that it is the newest.
 * Errors: only for an index that does not exist.
 */
export function createStore<T extends KubeObject>(
  indexers: Readonly<Record<string, Indexer<T>>> = {},
): WritableStore<T> {
  // By namespace, then by name: the keys are texts that the objects hold anyway.
  const objects = new Map<string, Map<string, T>>();
  // Lists are replaced, never changed: most have few members, and a list takes a fraction of what a map does.
  const indexes = new Map(Object.keys(indexers).map((name) => [name, new Map<string, readonly T[]>()]));
  let size = 0;

  const find = ({ namespace, name }: ObjectKey): T | undefined => objects.get(namespace)?.get(name);

  const reindex = (previous: T | undefined, next: T | undefined): void => {
    for (const [name, indexer] of Object.entries(indexers)) {
      const index = indexes.get(name);
      if (!index) continue;
      for (const value of previous ? indexer(previous) : []) {
        const others = index.get(value)?.filter((one) => one !== previous) ?? [];
        if (others.length === 0) index.delete(value);
        else index.set(value, others);
      }
      for (const value of next ? new Set(indexer(next)) : [])
        index.set(value, [...(index.get(value) ?? []), next as T]);
    }
  };

  const drop = (key: ObjectKey, initial: boolean, last?: T): Change<T>[] => {
    const named = objects.get(key.namespace);
    const previous = named?.get(key.name);
    if (!named || !previous || (last && last.metadata.uid !== previous.metadata.uid)) return [];
    named.delete(key.name);
    if (named.size === 0) objects.delete(key.namespace);
    size--;
    reindex(previous, undefined);
    return [{ kind: "deleted", object: last ? freeze(last) : previous, initial }];
  };

  const put = (raw: T, initial: boolean): Change<T>[] => {
    const key = keyOf(raw);
    const previous = find(key);
    if (previous?.metadata.resourceVersion === raw.metadata.resourceVersion) return [];
    if (previous && previous.metadata.uid !== raw.metadata.uid)
      return [...drop(key, initial), ...put(raw, initial)];
    const object = freeze(raw);
    const named = objects.get(key.namespace) ?? new Map<string, T>();
    objects.set(key.namespace, named);
    named.set(key.name, object);
    reindex(previous, object);
    if (previous) return [{ kind: "updated", object, previous, initial }];
    size++;
    return [{ kind: "added", object, initial }];
  };

  const list = (namespace?: string): T[] => {
    if (namespace !== undefined) return [...(objects.get(namespace)?.values() ?? [])];
    return [...objects.values()].flatMap((named) => [...named.values()]);
  };

  return {
    get size() {
      return size;
    },
    get: (namespace, name) => find({ namespace, name }),
    list,
    byIndex(name, value) {
      const index = indexes.get(name);
      if (!index) throw new Error(`the store has no index ${JSON.stringify(name)}`);
      return index.get(value) ?? [];
    },
    set: (object) => put(object, false),
    remove: (object) => drop(keyOf(object), false, object),
    *replace(found, namespace) {
      for (const key of missing(list(namespace), found)) yield* drop(key, true);
      for (const object of found) yield* put(object, true);
    },
  };
}

/** Keys of what is held and not in the list. */
function missing<T extends KubeObject>(held: readonly T[], found: readonly T[]): readonly ObjectKey[] {
  if (held.length === 0) return [];
  const present = new Set(found.map((object) => formatKey(keyOf(object))));
  return held.map(keyOf).filter((key) => !present.has(formatKey(key)));
}

/** Freezes an object and everything in it; parsed JSON has no cycles. */
function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) freeze(inner);
  return Object.freeze(value);
}
