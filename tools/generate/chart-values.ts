import * as z from "zod";
import { administratorSettings } from "../../operator/settings/file.ts";

/** What `helm install` takes; anything else in a values file is refused by the generated values.schema.json. */

const flag = (description: string) => z.boolean().meta({ description });
const stringMap = (description: string) => z.record(z.string(), z.string()).meta({ description });
/** Parts of a pod that are passed on as they are; the API server checks them. */
const passedOn = (description: string) => z.array(z.looseObject({})).meta({ description });
const volumeName = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
  .max(40);
const quantities = z.strictObject({
  cpu: z.union([z.string(), z.number()]).optional(),
  memory: z.string().optional(),
  "ephemeral-storage": z.string().optional(),
});

const chartValues = z
  .strictObject({
    global: z.looseObject({}).meta({ description: "Set by parent charts; not read." }),
    image: z.strictObject({
      repository: z.string().min(1),
      tag: z.string(),
      digest: z.string().regex(/^(sha256:[a-f0-9]{64})?$/),
      pullPolicy: z.enum(["Always", "IfNotPresent", "Never"]),
    }),
    imagePullSecrets: z.array(z.strictObject({ name: z.string() })),
    replicas: z.int().min(0).max(5),
    logLevel: z.enum(["debug", "info", "warn", "error"]),
    watchNamespaces: z.array(z.string().min(1)),
    bridgeSelector: z.string(),
    settings: administratorSettings,
    sourceSecrets: z.array(z.strictObject({ name: volumeName, secretName: z.string().min(1) })),
    sourceConfigMaps: z.array(z.strictObject({ name: volumeName, configMapName: z.string().min(1) })),
    canarySecrets: z
      .array(z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/))
      .max(200)
      .meta({ description: "Names of Secrets whose changes bridges may take through a canary." }),
    crds: z.strictObject({
      install: flag("Install the CustomResourceDefinition."),
      keep: flag("Keep it on uninstall."),
    }),
    rbac: z.strictObject({
      create: flag("Create roles and bindings."),
      aggregateUserRoles: flag("Extend the cluster roles view, edit and admin."),
    }),
    admissionPolicies: z.strictObject({
      commands: flag("Ask for the verbs promote and abort where a rollout is commanded or steered."),
      secrets: flag("Let nobody name a Secret in a bridge that they may not get."),
    }),
    serviceAccount: z.strictObject({
      create: z.boolean(),
      name: z.string(),
      annotations: stringMap("Annotations."),
    }),
    resources: z.strictObject({ requests: quantities.optional(), limits: quantities.optional() }),
    podDisruptionBudget: z.strictObject({ enabled: z.boolean() }),
    networkPolicy: z.strictObject({
      enabled: z.boolean(),
      metricsFrom: passedOn("NetworkPolicy peers that may scrape metrics."),
      egressPorts: z.array(z.int().min(1).max(65_535)),
    }),
    metrics: z.strictObject({
      service: z.strictObject({ enabled: z.boolean() }),
      podMonitor: z.strictObject({
        enabled: z.boolean(),
        labels: stringMap("Labels by which a Prometheus selects it."),
        interval: z.string().regex(/^[0-9]+(ms|s|m)$/),
      }),
    }),
    podAnnotations: stringMap("More annotations of the operator's pods."),
    podLabels: stringMap("More labels of the operator's pods."),
    priorityClassName: z.string(),
    nodeSelector: stringMap("Node labels that the operator's pods need."),
    tolerations: passedOn("Tolerations of the operator's pods."),
    affinity: z.looseObject({}),
    topologySpreadConstraints: passedOn("Topology spread of the operator's pods."),
  })
  .partial();

/** values.schema.json: JSON Schema of draft 7, which every Helm since 3 reads. */
export function valuesSchemaJson(): string {
  const schema = z.toJSONSchema(chartValues, {
    ...{ io: "input", target: "draft-7", reused: "inline" },
    // The operator parses addresses by hand; the schema can at least refuse what is none.
    override: ({ jsonSchema, path }) => {
      if (path.at(-1) === "url") jsonSchema.pattern = "^https?://";
    },
  });
  return `${JSON.stringify({ ...schema, title: "Values of the llmbridge-operator chart" }, null, 2)}\n`;
}
