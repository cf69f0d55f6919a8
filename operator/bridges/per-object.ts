/** Objects whose values are remembered at a time: enough for most clusters, and no more than some megabytes in the largest. */
const MOST = 256;

/**
 * Remembers what a pure function made of the last objects it was asked for. For objects that never change, such as those of the caches: a
 * new version is another object.
 */
export function perObject<K extends object, V>(make: (object: K) => V, most = MOST): (object: K) => V {
  const made = new Map<K, { readonly value: V }>();
  return (object) => {
    const known = made.get(object) ?? { value: make(object) };
    // Whoever was asked for last goes to the end of the line.
    made.delete(object);
    made.set(object, known);
    for (const oldest of made.keys()) {
      if (made.size <= most) break;
      made.delete(oldest);
    }
    return known.value;
  };
}
