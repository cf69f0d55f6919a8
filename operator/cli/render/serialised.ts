import { stringify } from "yaml";
import type { OutputFormat } from "../arguments.ts";

/** A value as `-o json` and `-o yaml` print it. */
export function serialised(value: unknown, format: OutputFormat): string {
  return format === "json"
    ? `${JSON.stringify(value, null, 2)}\n`
    : stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}
