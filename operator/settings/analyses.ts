import * as z from "zod";
import { analysisValues, BUILT_IN_ANALYSIS } from "../api/v1alpha1/rollout.ts";
import { analysisIssues } from "../api/v1alpha1/validate.ts";
import { namesDiffer } from "./names-differ.ts";

const name = z
  .string({ error: "give a name in quotes" })
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "must be 1 to 63 lower-case letters, digits and dashes")
  .refine(
    (given) => given !== BUILT_IN_ANALYSIS,
    `"${BUILT_IN_ANALYSIS}" is the one with every field at its default`,
  )
  .describe("What bridges write in `spec.rollout.analysis.from`.");

/** Analyses that bridges take by name; their fields are those of `spec.rollout.analysis`, and so are their rules. */
export const analyses = z
  .array(
    analysisValues.extend({ name }).superRefine(({ name: _, ...values }, context) => {
      for (const { path, message } of analysisIssues(values))
        context.addIssue({ code: "custom", path: path.split("."), message });
      namesDiffer("gate", ["gates"])(values.gates, context);
    }),
  )
  .default([])
  .superRefine(namesDiffer("analysis"))
  .describe("Analyses that bridges may take by name, with the fields of `spec.rollout.analysis`.");
export type NamedAnalysis = z.output<typeof analyses>[number];
