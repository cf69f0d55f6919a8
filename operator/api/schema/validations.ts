import { KINDS, type KindName } from "../v1alpha1/kinds.ts";
import type { StructuralSchema, Validation } from "./structural.ts";

/** Where a rule of the API stands: a path such as `spec.rollout.steps` or, for each entry of a list, `spec.alerts[]`. */
export interface PlacedValidation {
  readonly path: string;
  readonly validation: Validation;
}

/** Text of a kind is checked by a CEL rule whose message says what to write, in place of a pattern. */
export function withKindRules(schema: StructuralSchema): StructuralSchema {
  const { "x-llmbridge-kind": kindName, ...node } = schema;
  if (node.items) node.items = withKindRules(node.items);
  if (node.additionalProperties) node.additionalProperties = withKindRules(node.additionalProperties);
  if (node.properties) {
    node.properties = Object.fromEntries(
      Object.entries(node.properties).map(([key, child]) => [key, withKindRules(child)]),
    );
  }
  if (kindName === undefined) return node;
  const { pattern: _, ...text } = node;
  return { ...text, "x-kubernetes-validations": [kindRule(kindName as KindName)] };
}

function kindRule(kind: KindName): Validation {
  const { pattern, remedy } = KINDS[kind];
  return {
    rule: `self.matches(r'${pattern}')`,
    message: `The text ${remedy}`,
    messageExpression: `'"' + self + '" ' + ${celString(remedy)}`,
  };
}

/** A copy of the schema with each rule at its place. Throws when a path does not exist, so that a renamed field cannot lose its rule. */
export function withRules(schema: StructuralSchema, rules: readonly PlacedValidation[]): StructuralSchema {
  const copy = structuredClone(schema);
  for (const { path, validation } of rules) {
    const node = nodeAt(copy, path);
    node["x-kubernetes-validations"] = [...(node["x-kubernetes-validations"] ?? []), validation];
  }
  return copy;
}

/** The schema node at a path; "" is the root. */
export function nodeAt(schema: StructuralSchema, path: string): StructuralSchema {
  let node: StructuralSchema | undefined = schema;
  for (const segment of path === "" ? [] : path.split(".")) {
    const listItem = segment.endsWith("[]");
    node = node?.properties?.[listItem ? segment.slice(0, -2) : segment];
    if (listItem) node = node?.items;
  }
  if (!node) throw new Error(`no field at ${path}`);
  return node;
}

/** A CEL string literal. */
export function celString(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
