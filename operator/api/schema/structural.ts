import * as z from "zod";

/** A node of a structural schema, as far as this generator writes it. */
export interface StructuralSchema {
  type?: "object" | "array" | "string" | "integer" | "boolean";
  description?: string;
  default?: unknown;
  enum?: readonly string[];
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  maxProperties?: number;
  items?: StructuralSchema;
  properties?: Record<string, StructuralSchema>;
  additionalProperties?: StructuralSchema;
  required?: readonly string[];
  "x-kubernetes-list-type"?: "map" | "set" | "atomic";
  "x-kubernetes-list-map-keys"?: readonly string[];
  "x-kubernetes-map-type"?: "atomic";
  "x-kubernetes-validations"?: readonly Validation[];
  /** Ours: the kind of text; replaced by a validation before the schema leaves this folder. */
  "x-llmbridge-kind"?: string;
}

/** One entry of `x-kubernetes-validations`. */
export interface Validation {
  rule: string;
  message: string;
  messageExpression?: string;
  reason?: "FieldValueInvalid" | "FieldValueForbidden" | "FieldValueRequired" | "FieldValueDuplicate";
  fieldPath?: string;
}

const INT32_MAX = 2_147_483_647;

/**
 * Zod schema to structural schema: no references, every node typed, `additionalProperties` only on maps, integers with a format and
 * bounds. What Kubernetes cannot express (unions, undiscriminated alternatives, unbounded lists and text) is an error here and not at
 * installation, because the API server estimates the cost of CEL rules by these bounds.
 */
export function structuralSchema(schema: z.ZodType): StructuralSchema {
  const json = z.toJSONSchema(schema, {
    io: "input",
    target: "openapi-3.0",
    reused: "inline",
    cycles: "throw",
  });
  return withFullDefaults(normalise(json as Record<string, unknown>, "$"));
}

/**
 * The default of an object spelled out with those of its fields: the API server tries the CEL rules on a default as it is written,
 * before the fields inside it are filled in.
 */
function withFullDefaults(schema: StructuralSchema): StructuralSchema {
  const node = { ...schema };
  if (node.items) node.items = withFullDefaults(node.items);
  if (!node.properties) return node;
  node.properties = mapValues(node.properties, withFullDefaults);
  if (node.default === undefined) return node;
  const inner = Object.entries(node.properties).filter(([, child]) => child.default !== undefined);
  node.default = {
    ...Object.fromEntries(inner.map(([key, child]) => [key, child.default])),
    ...node.default,
  };
  return node;
}

/** Without defaults: status is an observation, and an absent list in it is an absent list. */
export function withoutDefaults(schema: StructuralSchema): StructuralSchema {
  const { default: _, ...rest } = schema;
  if (rest.items) rest.items = withoutDefaults(rest.items);
  if (rest.properties) rest.properties = mapValues(rest.properties, withoutDefaults);
  return rest;
}

function normalise(node: Record<string, unknown>, path: string): StructuralSchema {
  for (const keyword of ["$ref", "anyOf", "oneOf", "allOf", "not"]) {
    if (keyword in node) throw new Error(`${path}: ${keyword} cannot be written in a structural schema`);
  }
  const common = pick(node, ["description", "default"]);
  switch (node.type) {
    case "object":
      return { type: "object", ...common, ...objectKeywords(node, path) };
    case "array":
      return { type: "array", ...common, ...arrayKeywords(node, path) };
    case "string":
      return { type: "string", ...common, ...textKeywords(node, path) };
    case "integer":
      return { type: "integer", ...common, ...integerKeywords(node) };
    case "boolean":
      return { type: "boolean", ...common };
    default:
      throw new Error(`${path}: type ${JSON.stringify(node.type)} cannot be written in a structural schema`);
  }
}

function objectKeywords(node: Record<string, unknown>, path: string): StructuralSchema {
  if (isNode(node.properties)) {
    const properties = Object.fromEntries(
      Object.entries(node.properties).map(([key, child]) => [
        key,
        normalise(child as Record<string, unknown>, `${path}.${key}`),
      ]),
    );
    return { ...pick(node, ["required"]), properties };
  }
  if (isNode(node.additionalProperties)) {
    if (node.maxProperties === undefined) throw new Error(`${path}: a map needs maxProperties`);
    return {
      ...pick(node, ["maxProperties"]),
      additionalProperties: normalise(node.additionalProperties, `${path}.*`),
    };
  }
  throw new Error(`${path}: an object needs properties or a value schema`);
}

function arrayKeywords(node: Record<string, unknown>, path: string): StructuralSchema {
  if (node.maxItems === undefined) throw new Error(`${path}: a list needs maxItems`);
  if (node["x-kubernetes-list-type"] === undefined)
    throw new Error(`${path}: a list needs x-kubernetes-list-type`);
  if (!isNode(node.items)) throw new Error(`${path}: a list needs items`);
  const items = normalise(node.items, `${path}[]`);
  const keywords = pick(node, [
    "minItems",
    "maxItems",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
  ]);
  for (const key of keywords["x-kubernetes-list-map-keys"] ?? []) {
    if (!items.required?.includes(key)) throw new Error(`${path}: the list's key ${key} must be required`);
  }
  return { ...keywords, items };
}

function textKeywords(node: Record<string, unknown>, path: string): StructuralSchema {
  if (node.enum !== undefined) return pick(node, ["enum"]);
  if (node.maxLength === undefined) throw new Error(`${path}: text needs maxLength`);
  const keywords = ["minLength", "maxLength", "pattern", "x-llmbridge-kind"] as const;
  return { ...(node.format === "date-time" ? { format: "date-time" } : {}), ...pick(node, keywords) };
}

function integerKeywords(node: Record<string, unknown>): StructuralSchema {
  const minimum = boundOf(node.minimum);
  const maximum = boundOf(node.maximum);
  const format = maximum !== undefined && maximum <= INT32_MAX ? "int32" : "int64";
  return {
    format,
    ...(minimum === undefined ? {} : { minimum }),
    ...(maximum === undefined ? {} : { maximum }),
  };
}

/** Zod bounds integers at 2^53 where the schema says nothing; that is no bound of ours. */
function boundOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && Math.abs(value) < Number.MAX_SAFE_INTEGER
    ? value
    : undefined;
}

function isNode(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function pick<K extends keyof StructuralSchema>(
  node: Record<string, unknown>,
  keys: readonly K[],
): Pick<StructuralSchema, K> {
  return Object.fromEntries(
    keys.filter((key) => node[key] !== undefined).map((key) => [key, node[key]]),
  ) as Pick<StructuralSchema, K>;
}

function mapValues<A, B>(record: Record<string, A>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
