import { fieldSchema } from "../../operator/api/crd.ts";
import { PRINTER_COLUMNS } from "../../operator/api/schema/columns.ts";
import type { StructuralSchema } from "../../operator/api/schema/structural.ts";
import { nodeAt, type PlacedValidation } from "../../operator/api/schema/validations.ts";
import { KINDS } from "../../operator/api/v1alpha1/kinds.ts";
import { RULES } from "../../operator/api/v1alpha1/rules/index.ts";
import { cell, code, NOTICE, table } from "./markdown.ts";
import { environmentSection, nodeOptionsSection } from "./node-reference.ts";

/** docs/reference/llmbridge.md: every field with type, default, bounds and description, and every rule. */
export function resourceReference(): string {
  const schema = fieldSchema();
  const spec = nodeAt(schema, "spec");
  const status = nodeAt(schema, "status");
  return [
    NOTICE,
    "# LLMBridge",
    "`llmbridge.dev/v1alpha1`, kind `LLMBridge`, namespaced; short name `llmb`, category `llmbridge`. Subresources: `status`, and `scale` on `.spec.replicas` (mode External).",
    "A field is required where the default column says so; where it is empty the field may be left out. The kinds of text are explained [below](#kinds-of-text).",
    ...topics("spec", spec),
    "## Rules",
    "Besides types and bounds the API server refuses what breaks one of these rules; `kubectl llmbridge lint` says the same before anything is sent.",
    table(
      ["field", "rule"],
      RULES.map((rule) => [code(placeOf(rule)), cell(rule.validation.message)]),
    ),
    "## Kinds of text",
    table(
      ["kind", "pattern", "text that does not match"],
      Object.entries(KINDS).map(([kind, { pattern, remedy }]) => [kind, code(pattern), cell(remedy)]),
    ),
    ...nodeOptionsSection(),
    ...environmentSection(),
    "## status",
    "What the operator observed and decided; never written by people.",
    fieldTable("status", status, { defaults: false }),
    "## Columns of `kubectl get llmbridges`",
    table(
      ["column", "shows", "path"],
      PRINTER_COLUMNS.map(({ name, description, jsonPath, priority }) => [
        priority === undefined ? name : `${name} (\`-o wide\`)`,
        cell(description),
        code(jsonPath),
      ]),
    ),
    "",
  ].join("\n\n");
}

function placeOf({ path, validation }: PlacedValidation): string {
  return `${path}${validation.fieldPath ?? ""}`.replace(/^\./, "") || "metadata.name";
}

/** The scalars of spec in one table, and each of its objects and lists of objects in one of its own. */
function topics(path: string, node: StructuralSchema): string[] {
  const fields = Object.entries(node.properties ?? {});
  const simple = fields.filter(([, child]) => !hasFields(child));
  const rows = simple.map(([name, child]) => row(`${path}.${name}`, child, node, name, true));
  return [
    `## ${path}`,
    table(COLUMNS, rows),
    ...fields
      .filter(([, child]) => hasFields(child))
      .flatMap(([name, child]) => [
        `## ${path}.${name}`,
        ...(child.description === undefined ? [] : [child.description]),
        fieldTable(`${path}.${name}`, child, { defaults: true }),
      ]),
  ];
}

const COLUMNS = ["field", "type", "default", "bounds", "description"];

function fieldTable(path: string, node: StructuralSchema, { defaults }: { defaults: boolean }): string {
  const columns = defaults ? COLUMNS : COLUMNS.filter((column) => column !== "default");
  return table(columns, rowsBelow(path, node, defaults));
}

function rowsBelow(path: string, node: StructuralSchema, defaults: boolean): string[][] {
  const at = node.items ? `${path}[]` : path;
  const fields = node.items ? node.items : node;
  return Object.entries(fields.properties ?? {}).flatMap(([name, child]) => [
    row(`${at}.${name}`, child, fields, name, defaults),
    ...(hasFields(child) ? rowsBelow(`${at}.${name}`, child, defaults) : []),
  ]);
}

function row(
  path: string,
  node: StructuralSchema,
  parent: StructuralSchema,
  name: string,
  defaults: boolean,
): string[] {
  const first = [code(path), typeOf(node)];
  const last = [cell(boundsOf(node)), cell(node.description ?? "")];
  return defaults
    ? [...first, defaultOf(node, parent.required?.includes(name) ?? false), ...last]
    : [...first, ...last];
}

function hasFields(node: StructuralSchema): boolean {
  return node.properties !== undefined || node.items?.properties !== undefined;
}

function typeOf(node: StructuralSchema): string {
  if (node.enum) return node.enum.map(code).join(", ");
  if (node.items) return node.items.properties ? "list" : `list of ${typeOf(node.items)}`;
  if (node.additionalProperties) return "map of text";
  if (node.properties) return "object";
  if (node.format === "date-time") return "time";
  return node["x-llmbridge-kind"] ?? (node.type === "string" ? "text" : (node.type ?? ""));
}

function defaultOf(node: StructuralSchema, required: boolean): string {
  if (required) return "**required**";
  if (node.default === undefined || node.properties) return "";
  return code(typeof node.default === "string" ? node.default : JSON.stringify(node.default));
}

function boundsOf(node: StructuralSchema): string {
  const { minimum, maximum, minItems, maxItems, maxLength, maxProperties } = node;
  if (minimum !== undefined || maximum !== undefined) return `${minimum ?? ""} to ${maximum ?? ""}`.trim();
  if (maxItems !== undefined) return `${minItems ?? 0} to ${maxItems} entries${keyOf(node)}`;
  if (maxProperties !== undefined) return `up to ${maxProperties} entries`;
  if (maxLength !== undefined && node["x-llmbridge-kind"] === undefined)
    return `up to ${maxLength} characters`;
  return "";
}

function keyOf(node: StructuralSchema): string {
  const keys = node["x-kubernetes-list-map-keys"];
  return keys ? `, unique by ${keys.join(", ")}` : node["x-kubernetes-list-type"] === "set" ? ", unique" : "";
}
