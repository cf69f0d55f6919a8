import * as z from "zod";
import { ACTIONS } from "../notify/actions.ts";
import { checkTarget, mountedFile, name, namespaces, signingKeys, tls, url } from "./fields.ts";

const ACTION_NAMES = Object.keys(ACTIONS);

/** Who is told of decisions. */
export const notification = z
  .strictObject({
    name: name.describe("Name of the receiver, in metrics and log lines."),
    url: url("a receiver of notifications", "")
      .optional()
      .describe("Where decisions are posted to; this or `urlFile`."),
    urlFile: mountedFile()
      .optional()
      .describe(
        "File that holds the URL, for one that is itself a secret, such as Slack's. Read for every post.",
      ),
    format: z
      .enum(["CloudEvents", "Slack"], { error: "must be CloudEvents or Slack" })
      .default("CloudEvents")
      .describe("`CloudEvents` 1.0 in structured mode, or `Slack`: the body of its incoming webhooks."),
    namespaces: namespaces.describe('Namespaces whose decisions it is told of; `"*"` stands for all.'),
    actions: z
      .array(z.enum(ACTION_NAMES, { error: `must be one of ${ACTION_NAMES.join(", ")}` }))
      .min(1, "must not be empty; leave it out for all actions")
      .optional()
      .describe(
        `Actions that it is told of: ${Object.entries(ACTIONS)
          .map(([action, meaning]) => `\`${action}\` (${meaning})`)
          .join(", ")}. Without it: all.`,
      ),
    reasons: z
      .array(
        z
          .string()
          .regex(/^[A-Z][A-Za-z]{0,63}$/, "must be a reason of a decision, such as ErrorsProvedWorse"),
      )
      .min(1, "must not be empty; leave it out for all reasons")
      .optional()
      .describe("Reasons that it is told of. Without it: all."),
    secretFile: signingKeys,
    tls: tls.describe("For `https`, as for sources."),
    timeout: z
      .string()
      .regex(/^([1-9]|[1-5][0-9]|60)s$/, "must be 1s to 60s")
      .default("10s")
      .describe("For one attempt."),
  })
  .superRefine((given, context) => {
    checkTarget(given, context);
    if (given.format === "Slack" && given.secretFile !== undefined)
      context.addIssue({
        code: "custom",
        path: ["secretFile"],
        message: "has no effect in the format Slack, which knows no signatures; remove it",
      });
  });
