import { describe, expect, it } from "vitest";
import { customResourceDefinition, fieldSchema } from "./crd.ts";
import type { StructuralSchema } from "./schema/structural.ts";
import { nodeAt } from "./schema/validations.ts";
import { KEYED_LISTS } from "./v1alpha1/keyed-lists.ts";
import { RULES } from "./v1alpha1/rules/index.ts";

describe("the CRD", () => {
  it("keeps no note of ours in the schema", () => {
    expect(JSON.stringify(customResourceDefinition())).not.toContain("x-llmbridge");
  });

  it("points the scale subresource at fields that exist", () => {
    const { scale } = customResourceDefinition().spec.versions[0]?.subresources ?? {};
    for (const path of Object.values(scale ?? {}))
      expect(nodeAt(fieldSchema(), path.slice(1)).type).toBeDefined();
  });

  it("lets each part of the status have one owner, and each condition its own", () => {
    const { status } = customResourceDefinition().spec.versions[0]?.schema.openAPIV3Schema.properties ?? {};
    const owned = Object.entries(status?.properties ?? {}).filter(([, { type, ...part }]) =>
      type === "array"
        ? part["x-kubernetes-list-type"] !== "atomic"
        : type === "object" && part["x-kubernetes-map-type"] !== "atomic",
    );
    expect(owned.map(([name, part]) => [name, part["x-kubernetes-list-map-keys"]])).toEqual([
      ["conditions", ["type"]],
    ]);
  });

  it("describes every field of the spec", () => {
    expect(undescribed(nodeAt(fieldSchema(), "spec"), "spec")).toEqual([]);
  });
});

describe("the rules", () => {
  it("have names of their own", () => {
    expect(new Set(RULES.map(({ id }) => id)).size).toBe(RULES.length);
  });

  it("say a whole sentence", () => {
    for (const { id, validation } of RULES) expect(validation.message, id).toMatch(/^\S.*\.$/);
  });
});

it("KEYED_LISTS names every keyed list of the spec", () => {
  const keyed = KEYED_LISTS.map(({ path, key }) => `${path.join(".").replaceAll(".*", "[]")}:${key ?? ""}`);
  expect(keyed.sort()).toEqual(keyedListsIn(nodeAt(fieldSchema(), "spec"), "spec").sort());
});

function undescribed(node: StructuralSchema, path: string): string[] {
  const below = Object.entries(node.items?.properties ?? node.properties ?? {}).flatMap(([name, child]) =>
    undescribed(child, `${path}.${name}`),
  );
  return node.description === undefined ? [path, ...below] : below;
}

function keyedListsIn(node: StructuralSchema, path: string): string[] {
  const type = node["x-kubernetes-list-type"];
  const own =
    type === "map" || type === "set" ? [`${path}:${node["x-kubernetes-list-map-keys"]?.[0] ?? ""}`] : [];
  const fields = Object.entries(node.items?.properties ?? node.properties ?? {});
  const at = node.items ? `${path}[]` : path;
  return [...own, ...fields.flatMap(([name, child]) => keyedListsIn(child, `${at}.${name}`))];
}
