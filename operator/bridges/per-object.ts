/** Objects whose values are remembered at a time: enough for most clusters, and no more than some megabytes in the largest. */
const MOST = 256;

/**
 * Remembers what a pure function made of objects that it was asked for. For objects that never change, such as those of the caches: a new version is another
 * object.
 *
 * Where there is no room another one goes, whichever: bridges are looked at in turns, so that the one that has waited for longest is the next to be asked for.
 * Left out in that order, of 257 in a memory for 256 none would ever be found.
 * @param random default Math.random
 */
export function perObject<K extends object, V>(
  make: (object: K) => V,
  most = MOST,
  random: () => number = Math.random,
): (object: K) => V {
  const made = new Map<K, { readonly value: V }>();
  const objects: K[] = [];
  return (object) => {
    const known = made.get(object);
    if (known) return known.value;
    const value = make(object);
    made.set(object, { value });
    if (objects.length < most) objects.push(object);
    else {
      const slot = Math.floor(random() * most);
      const other = objects[slot];
      if (other) made.delete(other);
      objects[slot] = object;
    }
    return value;
  };
}
