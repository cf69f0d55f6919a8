type Json = Readonly<Record<string, unknown>>;

/** The values with the value at a path set. */
export function withValue(path: readonly string[], value: unknown): Json {
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Json;
}

/** Paths of all leaves for which `wanted` holds. */
export function pathsOf(
  values: Json,
  wanted: (value: unknown) => boolean,
  above: readonly string[] = [],
): string[][] {
  return Object.entries(values).flatMap(([key, value]) => {
    const path = [...above, key];
    const below = isMap(value) ? pathsOf(value, wanted, path) : [];
    return wanted(value) ? [path, ...below] : below;
  });
}

export function isMap(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
