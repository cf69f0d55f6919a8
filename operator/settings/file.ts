import { isAbsolute } from "node:path";
import { parseDocument } from "yaml";
import * as z from "zod";
import { sourceUrl } from "../prometheus/egress.ts";
import { formatIssues, SettingsError } from "./problem.ts";

const name = z
  .string({ error: "give a name in quotes" })
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "must be 1 to 63 lower-case letters, digits and dashes");
const label = z
  .string()
  .regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "must be a Prometheus label name: letters, digits and underscores");

const labels = z
  .strictObject({
    namespace: label.default("namespace").describe("Label that holds a pod's namespace."),
    pod: label.default("pod").describe("Label that holds a pod's name."),
  })
  .prefault({});

const source = z.strictObject({
  name: name.describe("What bridges write in `spec.metrics.source`."),
  url: z
    .string()
    .superRefine((url, context) => {
      try {
        sourceUrl(url);
      } catch (error) {
        context.addIssue({ code: "custom", message: error instanceof Error ? error.message : String(error) });
      }
    })
    .describe("Base address of the Prometheus API, without `/api/v1`."),
  allowedNamespaces: z
    .array(
      z
        .string()
        .regex(
          /^(\*|[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$/,
          'must be the name of a namespace, or "*" for all',
        ),
    )
    .default(["*"])
    .describe('Namespaces whose bridges may read from it; `"*"` stands for all.'),
  bearerTokenFile: z
    .string()
    .refine(isAbsolute, "must be an absolute path; mount the Secret and name the file in it")
    .optional()
    .describe("File whose content is sent as bearer token. Read for every query."),
  scrapeInterval: z
    .string()
    .regex(/^[1-9][0-9]{0,4}(s|m)$/, 'must be a number of seconds or minutes, such as "15s"')
    .default("15s")
    .describe("How often it scrapes a pod. Readings older than two scrapes are stale."),
  labels: labels.describe("How this server names what a sample belongs to."),
});

const labelKey = z
  .string()
  .regex(
    /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/,
    "must be a label of Kubernetes, such as release or example.com/team",
  );
const labelValue = z
  .string({ error: "give the value of a label in quotes" })
  .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/, "must be a value that labels may have");

const podMonitors = z.strictObject({
  labels: z
    .record(labelKey, labelValue)
    .superRefine((given, context) => {
      const message = "labels of app.kubernetes.io and llmbridge.dev are the operator's own; choose another";
      for (const key of Object.keys(given).filter((one) =>
        /^(app\.kubernetes\.io|llmbridge\.dev)\//.test(one),
      ))
        context.addIssue({ code: "custom", path: [key], message });
    })
    .default({})
    .describe("Labels by which a Prometheus selects PodMonitors, beside the operator's own."),
  interval: z
    .string()
    .regex(/^[1-9][0-9]{0,4}(s|m)$/, 'must be a number of seconds or minutes, such as "15s"')
    .default("15s")
    .describe(
      "How often a pod is scraped; not longer than `sources[].scrapeInterval` of the source that reads it.",
    ),
});

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
