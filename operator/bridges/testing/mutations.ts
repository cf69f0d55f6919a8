import { fieldSchema } from "../../api/crd.ts";
import type { StructuralSchema } from "../../api/schema/structural.ts";
import type { LLMBridgeSpecInput } from "../../api/v1alpha1/spec.ts";

/** One field of the spec given another value than the base has. */
export interface Mutation {
  /** `rollout.steps[].weight`: lists are changed in their first item. */
  readonly path: string;
  readonly value: unknown;
}

/** Values of each kind of text, of which the first that the base does not have is taken. */
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  image: ["registry.example/bridge:9"],
  cpu: ["750m", "900m"],
  bytes: ["400Mi", "48Mi"],
  name: ["other"],
  url: ["http://other.example/v2"],
  objectName: ["other"],
  headerName: ["x-other"],
  matchValue: ["other"],
  hostname: ["other.example.com"],
  secretName: ["other-secret"],
  secretKey: ["other-key"],
  configMapName: ["other-map"],
  configMapKey: ["other-key"],
  mountPath: ["/etc/other"],
  duration: ["20s", "40s"],
  percent: ["2%", "4%"],
  growth: ["30%"],
  threshold: ["60%"],
  limit: ["300Mi"],
  nodeVersion: ["22"],
  envName: ["OTHER_NAME"],
};

/** Every field of the schema with another value than `base` has: the given one where not every value of its kind would do. */
export function mutations(
  base: LLMBridgeSpecInput,
  given: Readonly<Record<string, unknown>>,
): readonly Mutation[] {
  return specLeaves().map(([path, leaf]) => ({
    path,
    value: given[path] ?? other(leaf, valueAt(base, path)),
  }));
}

/** Every field of the schema that can be wrong by itself, with such a value. */
export function wrongs(): readonly Mutation[] {
  return specLeaves().flatMap(([path, leaf]) => {
    const value = wrong(leaf);
    return value === undefined ? [] : [{ path, value }];
  });
}

function wrong(leaf: StructuralSchema): unknown {
  if (leaf.enum) return "Nonsense";
  if (leaf.type === "integer") return leaf.minimum === undefined ? undefined : leaf.minimum - 1;
  if (leaf.type === "boolean") return "Off";
  return leaf.pattern === undefined ? undefined : "! wrong";
}

function specLeaves(): [string, StructuralSchema][] {
  const spec = fieldSchema().properties?.spec;
  if (!spec) throw new Error("the schema has no spec");
  return leaves(spec, "");
}

function leaves(schema: StructuralSchema, path: string): [string, StructuralSchema][] {
  if (schema.properties) {
    return Object.entries(schema.properties).flatMap(([name, inner]) =>
      leaves(inner, path === "" ? name : `${path}.${name}`),
    );
  }
  return schema.items ? leaves(schema.items, `${path}[]`) : [[path, schema]];
}

function other(leaf: StructuralSchema, present: unknown): unknown {
  const now = present ?? leaf.default;
  if (leaf.enum) return leaf.enum.find((one) => one !== now);
  switch (leaf.type) {
    case "boolean":
      return now !== true;
    case "integer": {
      const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = leaf;
      if (typeof now !== "number") return Math.max(minimum, Math.min(maximum, 100));
      return now < maximum ? now + 1 : now - 1;
    }
    case "object":
      return { "example.com/changed": "yes" };
    default: {
      const texts = TEXTS[leaf["x-llmbridge-kind"] ?? ""] ?? ["changed"];
      return texts.find((one) => one !== now);
    }
  }
}

const stepsOf = (path: string): (string | number)[] =>
  path.split(".").flatMap((part) => (part.endsWith("[]") ? [part.slice(0, -2), 0] : [part]));

function valueAt(value: unknown, path: string): unknown {
  return stepsOf(path).reduce<unknown>(
    (inner, step) => (inner as Record<string | number, unknown> | undefined)?.[step],
    value,
  );
}

/** The spec with the mutation in it; the base stays as it is. */
export function mutated(base: LLMBridgeSpecInput, { path, value }: Mutation): LLMBridgeSpecInput {
  const copy = structuredClone(base) as unknown as Record<string | number, unknown>;
  const steps = stepsOf(path);
  let inner = copy;
  for (const [index, step] of steps.slice(0, -1).entries()) {
    inner[step] ??= typeof steps[index + 1] === "number" ? [] : {};
    inner = inner[step] as Record<string | number, unknown>;
  }
  inner[steps.at(-1) as string | number] = value;
  return copy as unknown as LLMBridgeSpecInput;
}
