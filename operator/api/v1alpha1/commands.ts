import * as z from "zod";

/** Annotation by which a person commands a rollout; written by kubectl-llmbridge, acknowledged in status.command, never deleted by the operator. */
export const COMMAND_ANNOTATION = "llmbridge.dev/command";

/**
 * A command is bound to the revision it speaks of and, for promote, skip and jump, to the step, so that one that is stale or given twice cannot hit a
 * newer one. promote leaves the present step once its pods are ready (approval, hold and evidence are waived; `full` goes to 100 % at once), or ends
 * the watch of a promoted version; skip goes to the next step now, jump to the step `to`; abort rolls back; retry tries a failed revision again;
 * restart replaces the pods that the stable version has now.
 */
export const command = z.strictObject({
  action: z.enum(["promote", "skip", "jump", "abort", "retry", "restart"]),
  revision: z.string().min(1).max(16),
  step: z.string().max(30).optional(),
  to: z.string().max(30).optional(),
  full: z.boolean().optional(),
  id: z.string().min(1).max(64),
});
export type Command = z.infer<typeof command>;

/** Verbs of RBAC on llmbridges that stand for no request: who has them may have a rollout go on, or taken back. */
export type CommandVerb = "promote" | "abort";

/** The verb that a person needs for each command; the chart's admission policy is made from it. */
export const COMMAND_VERBS: Readonly<Record<Command["action"], CommandVerb>> = {
  promote: "promote",
  skip: "promote",
  jump: "promote",
  retry: "promote",
  restart: "promote",
  abort: "abort",
};
