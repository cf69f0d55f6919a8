import { GROUP, PLURAL, VERSION } from "../api/v1alpha1/llmbridge.ts";

/** One condition in CEL that a request must meet. */
export interface Validation {
  readonly expression: string;
  /** What is said where the message cannot be computed. */
  readonly message: string;
  /** In CEL: who lacks what, and how to get it. */
  readonly messageExpression: string;
}

/** Admission of bridges beyond what their schema says; the API server evaluates it, no webhook runs. */
export interface Policy {
  readonly variables: readonly { readonly name: string; readonly expression: string }[];
  readonly validations: readonly Validation[];
}

/** The spec of a ValidatingAdmissionPolicy about bridges. It fails closed: what cannot be evaluated is refused. */
export function policySpec({ variables, validations }: Policy): object {
  return {
    failurePolicy: "Fail",
    matchConstraints: {
      resourceRules: [
        {
          apiGroups: [GROUP],
          apiVersions: [VERSION],
          operations: ["CREATE", "UPDATE"],
          resources: [PLURAL],
        },
      ],
    },
    variables,
    validations: validations.map((one) => ({ ...one, reason: "Forbidden" })),
  };
}

/** Text as a CEL literal. */
export const celText = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

/** Texts as a CEL list. */
export const celTexts = (texts: readonly string[]): string => `[${texts.map(celText).join(", ")}]`;

/** Text that goes on with how to get a right, as a CEL expression. */
export const celRemedy = (rule: { group: string; resource: string; verb: string }): string =>
  celText(
    ` In this namespace a Role with {apiGroups: [${rule.group || '""'}], resources: [${rule.resource}], verbs: [${rule.verb}]} gives it.`,
  );
