import { stringify } from "yaml";
import type { OutputFormat } from "../arguments.ts";

/** A value as `-o json` and `-o yaml` print it. */
export function serialised(value: unknown, format: OutputFormat): string {
  return format === "json" ? `${JSON.stringify(value, null, 2)}\n` : asYaml(value);
}

/** Whatever reads YAML 1.1 (kubectl does) or 1.2 reads the same from it: `on`, `0b1` and 1_000 as text are in quotes. */
export const YAML_OPTIONS = { lineWidth: 0, aliasDuplicateObjects: false, compat: "yaml-1.1" } as const;

export const asYaml = (value: unknown): string => stringify(value, YAML_OPTIONS);
