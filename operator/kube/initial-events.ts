import type { ObjectEvent } from "./client.ts";
import { formatKey, type KubeObject, keyOf } from "./object.ts";

/** Events of a streaming list so far, the newest first. Each shares those before it, so that one more costs no copy of a long list. */
export interface InitialEvents<T> {
  readonly newest: ObjectEvent<T>;
  readonly before: InitialEvents<T> | undefined;
}

/** What is there after these events, in the order in which it was last told. */
export function objectsOf<T extends KubeObject>(events: InitialEvents<T> | undefined): readonly T[] {
  const told = new Set<string>();
  const objects: T[] = [];
  for (let each = events; each; each = each.before) {
    const { type, object } = each.newest;
    const key = formatKey(keyOf(object));
    if (told.has(key)) continue;
    told.add(key);
    if (type !== "DELETED") objects.push(object);
  }
  return objects.reverse();
}
