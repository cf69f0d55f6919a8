import { pathText, valueAt } from "../../api/v1alpha1/issues.ts";
import { llmBridgeSpec } from "../../api/v1alpha1/spec.ts";

/**
 * A stored spec without the fields that this version does not know, and their paths.
 *
 * The API server drops what its schema does not have, so such a field is one of a newer CRD, and where it has a default it stands in
 * every object. Refusing it would stop every bridge between the upgrade of the CRD and that of the operator.
 */
export function withoutNewerFields(spec: unknown): {
  readonly spec: unknown;
  readonly newer: readonly string[];
} {
  const unknown = (llmBridgeSpec.safeParse(spec).error?.issues ?? []).flatMap((issue) =>
    issue.code === "unrecognized_keys" ? [{ path: issue.path, keys: issue.keys }] : [],
  );
  const known = structuredClone(spec);
  for (const { path, keys } of unknown)
    for (const key of keys) delete (valueAt(known, path) as Record<string, unknown>)[key];
  const newer = unknown.flatMap(({ path, keys }) => keys.map((key) => pathText(["spec", ...path, key])));
  return { spec: known, newer };
}
