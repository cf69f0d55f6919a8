import { isDeepStrictEqual } from "node:util";
import {
  BRIDGE_PERMISSIONS,
  CANARY_SECRET_PERMISSIONS,
  FINGERPRINT_KEY_PERMISSIONS,
  GATE_JOB_PERMISSIONS,
  HTTP_ROUTE_DEFINITION_PERMISSIONS,
  HTTP_ROUTE_PERMISSIONS,
  LEASE_PERMISSIONS,
  type Permission,
  POD_MONITOR_DEFINITION_PERMISSIONS,
  POD_MONITOR_PERMISSIONS,
  ruleOf,
  SECRET_COPY_PERMISSIONS,
} from "../../operator/permissions.ts";

/** The rules of the chart's roles, as templates that its role files include. */
export function chartPermissions(): string {
  return `${[
    "{{- /* Generated from operator/permissions.ts; do not edit. */ -}}",
    define("rules", "On bridges and their children: in the whole cluster, or in each watched namespace."),
    ...rules(BRIDGE_PERMISSIONS),
    "{{- end }}",
    define("podMonitorRules", "Beside them where the settings ask for PodMonitors."),
    ...rules(POD_MONITOR_PERMISSIONS),
    "{{- end }}",
    define("podMonitorDefinitionRules", "Beside those in the whole cluster."),
    ...rules(POD_MONITOR_DEFINITION_PERMISSIONS),
    "{{- end }}",
    define("gateJobRules", "Beside them where the settings let gates run Jobs."),
    ...rules(GATE_JOB_PERMISSIONS),
    "{{- end }}",
    define("httpRouteRules", "Beside them where the settings let bridges use HTTPRoutes."),
    ...rules(HTTP_ROUTE_PERMISSIONS),
    "{{- end }}",
    define("httpRouteDefinitionRules", "Beside those in the whole cluster."),
    ...rules(HTTP_ROUTE_DEFINITION_PERMISSIONS),
    "{{- end }}",
    define("canarySecretRules", "Beside them where Secrets are named whose changes may start canaries."),
    ...rules(
      CANARY_SECRET_PERMISSIONS,
      '{{ toJson .Values.canarySecrets | trimPrefix "[" | trimSuffix "]" }}',
    ),
    ...rules(SECRET_COPY_PERMISSIONS),
    "{{- end }}",
    define("fingerprintKeyRules", "Beside those, in the operator's own namespace."),
    ...rules(FINGERPRINT_KEY_PERMISSIONS),
    "{{- end }}",
    define("leaseRules", "In the operator's own namespace. A name cannot be asked of a create."),
    ...rules(LEASE_PERMISSIONS.map((one) => ({ ...one, verbs: one.verbs.filter(isCreate) }))),
    ...rules(
      LEASE_PERMISSIONS.map((one) => ({ ...one, verbs: one.verbs.filter((verb) => !isCreate(verb)) })),
      '{{ include "llmbridge-operator.name" . }}',
    ),
    "{{- end }}",
  ].join("\n")}\n`;
}

const isCreate = (verb: string): boolean => verb === "create";

const define = (name: string, comment: string): string =>
  `\n{{- /* ${comment} */ -}}\n{{- define "llmbridge-operator.${name}" -}}`;

/** One rule for neighbours that differ only in their resource, with the reason above it. */
function rules(permissions: readonly Permission[], nameTemplate?: string): string[] {
  const lines: string[] = [];
  for (let i = 0; i < permissions.length; ) {
    const first = permissions[i] as Permission;
    const rest = permissions.slice(i);
    const end = rest.findIndex((one) => !isDeepStrictEqual(sharedPart(one), sharedPart(first)));
    const group = rest.slice(0, end === -1 ? undefined : end);
    const objectName = nameTemplate ?? first.name;
    const names = group.flatMap((one) => ruleOf(one).resources);
    lines.push(
      `# ${first.why}`,
      `- apiGroups: [${first.resource.group || '""'}]`,
      `  resources: [${names.join(", ")}]`,
      ...(objectName === undefined ? [] : [`  resourceNames: [${objectName}]`]),
      `  verbs: [${first.verbs.join(", ")}]`,
    );
    i += group.length;
  }
  return lines;
}

const sharedPart = ({ resource, verbs, name, why }: Permission) => ({
  group: resource.group,
  verbs,
  name,
  why,
});
