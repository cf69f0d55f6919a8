import { type Issue, pathText, valueAt } from "./issues.ts";

/** Lists whose entries are found by a key; `key` is absent where the entries themselves must differ. */
export const KEYED_LISTS: readonly { readonly path: readonly string[]; readonly key?: string }[] = [
  { path: ["spec", "upstreams"], key: "name" },
  { path: ["spec", "upstreams", "*", "models"] },
  { path: ["spec", "alerts"], key: "name" },
  { path: ["spec", "rollout", "steps"], key: "name" },
  { path: ["spec", "rollout", "analysis", "gates"], key: "name" },
  { path: ["spec", "rollout", "gates"], key: "name" },
  { path: ["spec", "rollout", "gates", "*", "job", "env"], key: "name" },
  { path: ["spec", "rollout", "steps", "*", "gates"] },
  { path: ["spec", "rollout", "preview", "gates"] },
  { path: ["spec", "rollout", "after"] },
  { path: ["spec", "takeOver", "services"] },
  { path: ["spec", "pod", "imagePullSecrets"], key: "name" },
  { path: ["spec", "pod", "env"], key: "name" },
  { path: ["spec", "pod", "mounts"], key: "name" },
];

/** Entries that stand twice in a list; the API server refuses them as duplicate values. */
export function duplicateIssues(root: unknown): Issue[] {
  return KEYED_LISTS.flatMap(({ path, key }) =>
    concretePaths(root, path).flatMap((list) => duplicatesIn(root, list, key)),
  );
}

function duplicatesIn(root: unknown, path: readonly (string | number)[], key: string | undefined): Issue[] {
  const entries = valueAt(root, path);
  if (!Array.isArray(entries)) return [];
  const names = entries.map((entry) => (key === undefined ? entry : valueAt(entry, [key])));
  return names.flatMap((name, index) =>
    name !== undefined && names.indexOf(name) < index
      ? [
          {
            path: pathText([...path, index]),
            message: `"${String(name)}" stands twice in this list; rename or remove one of them.`,
          },
        ]
      : [],
  );
}

/** Paths that exist in the object, with `*` replaced by each index. */
export function concretePaths(
  root: unknown,
  path: readonly string[],
): readonly (readonly (string | number)[])[] {
  return path.reduce<(string | number)[][]>(
    (found, segment) =>
      found.flatMap((prefix) => {
        if (segment !== "*") return [[...prefix, segment]];
        const list = valueAt(root, prefix);
        return Array.isArray(list) ? list.map((_, index) => [...prefix, index]) : [];
      }),
    [[]],
  );
}
