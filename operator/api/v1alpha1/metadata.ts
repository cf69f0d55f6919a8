import * as z from "zod";
import { textOf } from "./scalars.ts";

const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;

/** A value that is empty counts as "". */
const labelValue = z
  .string()
  .max(63)
  .regex(LABEL_VALUE, {
    error: ({ input }) =>
      `"${String(input)}" is not the value of a label; use letters, digits, '-', '_' and '.', beginning and ending with a letter or digit.`,
  })
  .nullable();

/** Written by the server, or by those who need not be told how. */
const others = Object.fromEntries(
  [
    ...[
      "generateName",
      "finalizers",
      "ownerReferences",
      "managedFields",
      "selfLink",
      "uid",
      "resourceVersion",
    ],
    ...["generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"],
  ].map((field) => [field, z.unknown().optional()]),
);

/**
 * What the API server takes as `metadata` of a manifest; a field may stand there without a value. Asked of what a person writes, never of what is stored:
 * a newer API server may have more fields.
 */
export const manifestMetadata = z.strictObject({
  name: z.string(),
  namespace: textOf("name", "Its namespace.", 63).nullish(),
  labels: z.record(z.string(), labelValue).nullish(),
  annotations: z.record(z.string(), z.string().nullable()).nullish(),
  ...others,
});
