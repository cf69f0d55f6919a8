import { stringify } from "yaml";
import { commandPolicy } from "../../operator/admission/commands.ts";
import { type Policy, policySpec } from "../../operator/admission/policy.ts";
import { secretPolicy } from "../../operator/admission/secrets.ts";

/** The chart's admission policies, each with its binding and the value that switches it off. */
export function chartAdmission(): string {
  return `{{- /* Generated from operator/admission; do not edit. */ -}}\n${[
    document(
      "commands",
      "Commands and edits that steer a rollout need the verbs promote and abort.",
      commandPolicy(),
    ),
    document("secrets", "Whoever names a Secret in a bridge must be allowed to get it.", secretPolicy()),
  ].join("")}`;
}

function document(value: "commands" | "secrets", comment: string, policy: Policy): string {
  const spec = stringify(policySpec(policy), { lineWidth: 0 });
  if (spec.includes("{{"))
    throw new Error(`the policy ${value} contains {{, which Helm would read as a template`);
  const name = `{{ include "llmbridge-operator.name" . }}-${value}`;
  const head = (kind: string) => [
    "apiVersion: admissionregistration.k8s.io/v1",
    `kind: ${kind}`,
    "metadata:",
    `  name: ${name}`,
    '  labels: {{- include "llmbridge-operator.labels" . | nindent 4 }}',
    "spec:",
  ];
  return `${[
    `{{- if .Values.admissionPolicies.${value} }}`,
    "---",
    `# ${comment}`,
    ...head("ValidatingAdmissionPolicy"),
    ...spec
      .trimEnd()
      .split("\n")
      .map((line) => `  ${line}`),
    "---",
    ...head("ValidatingAdmissionPolicyBinding"),
    `  policyName: ${name}`,
    "  validationActions: [Deny]",
    "  {{- with .Values.watchNamespaces }}",
    "  matchResources:",
    "    namespaceSelector:",
    "      matchExpressions:",
    "        - {key: kubernetes.io/metadata.name, operator: In, values: {{ toJson . }}}",
    "  {{- end }}",
    "{{- end }}",
  ].join("\n")}\n`;
}
