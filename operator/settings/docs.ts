import * as z from "zod";
import { administratorSettings } from "./file.ts";
import { environmentName, flagName, PROCESS_SETTINGS } from "./process.ts";

/** The reference of all settings in Markdown, from the tables that the operator itself reads by. */
export function settingsDocs(): string {
  const flags = Object.entries(PROCESS_SETTINGS).map(([key, { description, rule, defaultText }]) =>
    row([
      `\`${flagName(key)}\``,
      `\`${environmentName(key)}\``,
      `${description} Takes ${rule}.`,
      defaultText,
    ]),
  );
  const schema = z.toJSONSchema(administratorSettings, { io: "input", unrepresentable: "any" }) as Schema;
  return [
    "# Settings of the operator",
    "",
    "## Flags and environment",
    "",
    "A flag wins over the environment, and the environment over the default.",
    "",
    row(["Flag", "Environment", "Meaning", "Default"]),
    row(["---", "---", "---", "---"]),
    ...flags,
    "",
    "## The settings file",
    "",
    "Written by the administrator (chart value `settings`), read again when it changes. A content that is not valid changes nothing:",
    "the last valid settings stay in force, the log says why, and the metric `llmbridge_operator_settings_valid` is 0.",
    "",
    row(["Field", "Meaning", "Default"]),
    row(["---", "---", "---"]),
    ...fields(schema, ""),
    "",
  ].join("\n");
}

/** The same for a terminal. */
export function settingsHelp(): string {
  const lines = Object.entries(PROCESS_SETTINGS).flatMap(([key, { description, rule, defaultText }]) => [
    `  ${flagName(key)}=VALUE  (${environmentName(key)})`,
    `      ${description} Takes ${rule}. Default: ${defaultText}.`,
  ]);
  return ["Runs the bridges of a cluster.", "", ...lines, ""].join("\n");
}

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
}

function fields(schema: Schema, prefix: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const path = prefix + name;
    const required = schema.required?.includes(name) ?? false;
    const fallback = property.default === undefined ? "none" : `\`${JSON.stringify(property.default)}\``;
    const meaning = property.description ?? "";
    return [
      row([`\`${path}\``, meaning, required ? "required" : fallback]),
      ...fields(property, `${path}.`),
      ...(property.items ? fields(property.items, `${path}[].`) : []),
    ];
  });
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
