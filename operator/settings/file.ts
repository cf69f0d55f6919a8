import { parseDocument } from "yaml";
import * as z from "zod";
import { analyses } from "./analyses.ts";
import { namespaces } from "./fields.ts";
import { fleetSettings } from "./fleet.ts";
import { gateWebhook } from "./gates.ts";
import { namesDiffer } from "./names-differ.ts";
import { notification } from "./notification.ts";
import { podMonitors } from "./pod-monitors.ts";
import { formatIssues, SettingsError } from "./problem.ts";
import { source } from "./source.ts";

/** What only the administrator may decide; bridges refer to it by name. */
export const administratorSettings = z
  .strictObject({
    sources: z
      .array(source)
      .default([])
      .superRefine(namesDiffer("source"))
      .describe("Prometheus servers that bridges may take evidence and demand from."),
    notifications: z
      .array(notification)
      .default([])
      .superRefine(namesDiffer("receiver"))
      .describe("Who is told of decisions: what was done, why, and the numbers behind it."),
    gateWebhooks: z
      .array(gateWebhook)
      .default([])
      .superRefine(namesDiffer("receiver of gates"))
      .describe("Services that the gates of rollouts may ask for a verdict."),
    gateJobs: z
      .strictObject({
        allowedNamespaces: namespaces.describe('Namespaces whose bridges may; `"*"` stands for all.'),
      })
      .optional()
      .describe(
        "Let gates of rollouts run Jobs, of any image and with any Secret of their namespace. Without it none is made, and the operator has no right to.",
      ),
    podMonitors: podMonitors
      .optional()
      .describe(
        "Keep a PodMonitor (Prometheus Operator) for each bridge, wherever that API is served. Without it none is made.",
      ),
    fleet: fleetSettings
      .prefault({})
      .describe("How many rollouts there may be at once, and when there may be none."),
    httpRoutes: z
      .strictObject({
        mirroring: z
          .enum(["Refused", "Allowed"])
          .default("Refused")
          .describe(
            "Whether steps may copy requests to a canary (`mirror`). Allow it only where the gateways that bridges name implement the filter `RequestMirror`, and `percent` in it: some answer requests of such a rule with 500.",
          ),
      })
      .optional()
      .describe(
        "Let bridges split their traffic by HTTPRoutes (Gateway API, router `Gateway`), wherever that API is served. Without it none is read or written.",
      ),
    analyses,
    defaultAnalysis: z
      .string({ error: "give a name in quotes" })
      .optional()
      .describe(
        "Name of one of `analyses`, for bridges whose `spec.rollout.analysis` says nothing. Without it the defaults of the fields hold.",
      ),
  })
  .superRefine(({ analyses: known, defaultAnalysis }, context) => {
    if (defaultAnalysis === undefined || known.some(({ name: given }) => given === defaultAnalysis)) return;
    const message = `there is no analysis named ${JSON.stringify(defaultAnalysis)} in analyses; add it, or leave this out`;
    context.addIssue({ code: "custom", path: ["defaultAnalysis"], message });
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
