import { describe, expect, it } from "vitest";
import type { StructuralSchema } from "./structural.ts";
import { celString, nodeAt, withKindRules, withRules } from "./validations.ts";

const schema: StructuralSchema = {
  type: "object",
  properties: {
    list: {
      type: "array",
      items: {
        type: "object",
        properties: { size: { type: "string", maxLength: 9, pattern: "x", "x-llmbridge-kind": "bytes" } },
      },
    },
  },
};

describe("withKindRules", () => {
  it("puts a rule that says what to write in place of the pattern", () => {
    const node = nodeAt(withKindRules(schema), "list[].size");
    expect(node.pattern).toBeUndefined();
    expect(node["x-llmbridge-kind"]).toBeUndefined();
    expect(node["x-kubernetes-validations"]?.[0]?.rule).toContain("self.matches(r'^([1-9]");
  });
});

describe("withRules", () => {
  const validation = { rule: "true", message: "m" };

  it("adds rules in order and leaves the schema it was given alone", () => {
    const other = { rule: "false", message: "n" };
    const placed = withRules(schema, [
      { path: "list[]", validation },
      { path: "list[]", validation: other },
    ]);
    expect(nodeAt(placed, "list[]")["x-kubernetes-validations"]).toEqual([validation, other]);
    expect(nodeAt(schema, "list[]")["x-kubernetes-validations"]).toBeUndefined();
  });

  it("throws when a rule's field is gone", () => {
    expect(() => withRules(schema, [{ path: "list[].gone", validation }])).toThrow("no field at list[].gone");
  });
});

it("celString escapes quotes and backslashes", () => {
  expect(celString("a'b\\c")).toBe("'a\\'b\\\\c'");
});
