import { formatKey, type KubeObject, keyOf } from "./object.ts";
import type { ObjectEvent } from "./watch-event.ts";

/** Events of a streaming list so far, the newest first. Each shares those before it, so that one more costs no copy of a long list. */
export interface InitialEvents<T> {
  readonly newest: ObjectEvent<T>;
  readonly before: InitialEvents<T> | undefined;
}

/** What is there after these events, in the order in which it was last told. */
export function objectsOf<T extends KubeObject>(events: InitialEvents<T> | undefined): readonly T[] {
  const told = new Set<string>();
  const objects: T[] = [];
  if (onlyAdded(events)) {
    for (let each = events; each; each = each.before) objects.push(each.newest.object);
    return objects.reverse();
  }
  for (let each = events; each; each = each.before) {
    const { type, object } = each.newest;
    const key = formatKey(keyOf(object));
    if (told.has(key)) continue;
    told.add(key);
    if (type !== "DELETED") objects.push(object);
  }
  return objects.reverse();
}

/** An object that is told of twice has been changed or deleted in between. */
function onlyAdded(events: InitialEvents<KubeObject> | undefined): boolean {
  for (let each = events; each; each = each.before) if (each.newest.type !== "ADDED") return false;
  return true;
}
