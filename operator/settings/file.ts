import { parseDocument } from "yaml";
import * as z from "zod";
import { fleetSettings } from "./fleet.ts";
import { podMonitors } from "./pod-monitors.ts";
import { formatIssues, SettingsError } from "./problem.ts";
import { source } from "./source.ts";

/** What only the administrator may decide; bridges refer to it by name. */
export const administratorSettings = z.strictObject({
  sources: z
    .array(source)
    .default([])
    .superRefine((sources, context) => {
      sources.forEach(({ name: given }, index) => {
        if (sources.findIndex((other) => other.name === given) < index) {
          const message = `there is another source named ${JSON.stringify(given)}; names must differ`;
          context.addIssue({ code: "custom", path: [index, "name"], message });
        }
      });
    })
    .describe("Prometheus servers that bridges may take evidence and demand from."),
  podMonitors: podMonitors
    .optional()
    .describe(
      "Keep a PodMonitor (Prometheus Operator) for each bridge, wherever that API is served. Without it none is made.",
    ),
  fleet: fleetSettings
    .prefault({})
    .describe("How many rollouts there may be at once, and when there may be none."),
});

export type AdministratorSettings = z.output<typeof administratorSettings>;

/**
 * Parses the settings file.
 * @throws SettingsError with every issue, each with its place in the file
 */
export function parseAdministratorSettings(text: string): AdministratorSettings {
  const document = parseDocument(text, { uniqueKeys: true });
  const [problem] = document.errors;
  if (problem) throw new SettingsError(`not valid YAML: ${problem.message.split("\n")[0] ?? ""}`);
  const result = administratorSettings.safeParse(document.toJS() ?? {});
  if (!result.success) throw new SettingsError(formatIssues(result.error));
  return result.data;
}
