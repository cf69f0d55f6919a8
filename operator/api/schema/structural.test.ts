import { describe, expect, it } from "vitest";
import * as z from "zod";
import { structuralSchema, withoutDefaults } from "./structural.ts";

const atomic = { "x-kubernetes-list-type": "atomic" };

describe("structuralSchema", () => {
  it("writes types, bounds, formats and descriptions, and no additionalProperties beside properties", () => {
    const schema = z.strictObject({
      size: z.int().min(1).max(10).meta({ description: "How many." }),
      big: z.int().min(0),
      word: z.string().max(5).optional(),
      mode: z.enum(["A", "B"]).default("A"),
      flag: z.boolean().default(false),
    });
    expect(structuralSchema(schema)).toEqual({
      type: "object",
      required: ["size", "big"],
      properties: {
        size: { type: "integer", format: "int32", minimum: 1, maximum: 10, description: "How many." },
        big: { type: "integer", format: "int64", minimum: 0 },
        word: { type: "string", maxLength: 5 },
        mode: { type: "string", enum: ["A", "B"], default: "A" },
        flag: { type: "boolean", default: false },
      },
    });
  });

  it("spells out the default of an object with those of its fields, however deep", () => {
    const inner = z.strictObject({ a: z.int().max(9).default(1), b: z.int().max(9).optional() }).prefault({});
    const schema = z.strictObject({
      outer: z.strictObject({ inner, c: z.boolean().default(true) }).prefault({}),
    });
    expect(structuralSchema(schema).properties?.outer?.default).toEqual({ inner: { a: 1 }, c: true });
  });

  it("writes lists with their type and keys", () => {
    const entry = z.strictObject({ name: z.string().max(9) });
    const keyed = { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] };
    const { properties } = structuralSchema(z.strictObject({ list: z.array(entry).max(3).meta(keyed) }));
    expect(properties?.list).toMatchObject({ type: "array", maxItems: 3, ...keyed });
  });

  it.each<[string, z.ZodType]>([
    ["text without maxLength", z.strictObject({ a: z.string() })],
    ["a list without maxItems", z.strictObject({ a: z.array(z.boolean()).meta(atomic) })],
    ["a list without a list type", z.strictObject({ a: z.array(z.boolean()).max(2) })],
    ["a map without maxProperties", z.strictObject({ a: z.record(z.string(), z.string().max(3)) })],
    ["a union", z.strictObject({ a: z.union([z.string().max(3), z.boolean()]) })],
    ["a fraction", z.strictObject({ a: z.number() })],
  ])("throws on %s", (_, schema) => {
    expect(() => structuralSchema(schema)).toThrow("$.a");
  });

  it("throws on a list key that may be absent", () => {
    const entry = z.strictObject({ name: z.string().max(9).optional() });
    const list = z
      .array(entry)
      .max(3)
      .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] });
    expect(() => structuralSchema(z.strictObject({ list }))).toThrow("the list's key name must be required");
  });
});

it("withoutDefaults takes them from every level", () => {
  const entry = z.strictObject({ a: z.boolean().default(true) });
  const schema = structuralSchema(z.strictObject({ list: z.array(entry).max(2).default([]).meta(atomic) }));
  expect(JSON.stringify(schema)).toContain("default");
  expect(JSON.stringify(withoutDefaults(schema))).not.toContain("default");
});
