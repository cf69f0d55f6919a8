import * as z from "zod";
import { name, onSecretChange, podSecretRef, textMap, textOf } from "./scalars.ts";

/** What people may set of the pods, their environment and files. */

const toleration = z.strictObject({
  key: z
    .string()
    .max(316)
    .optional()
    .meta({ description: "Key of the taint; absent with Exists: every taint." }),
  operator: z.enum(["Exists", "Equal"]).optional().meta({ description: "Absent: Equal." }),
  value: z.string().max(63).optional().meta({ description: "Value of the taint, with Equal." }),
  effect: z
    .enum(["NoSchedule", "PreferNoSchedule", "NoExecute"])
    .optional()
    .meta({ description: "Effect of the taint; absent: every effect." }),
  tolerationSeconds: z
    .int()
    .min(0)
    .max(2_147_483_647)
    .optional()
    .meta({ description: "How long a pod stays after a NoExecute taint; absent: for ever." }),
});

const optional = (what: string) =>
  z
    .boolean()
    .default(false)
    .meta({ description: `The pods start without it where ${what} is not there.` });

const configMap = {
  name: textOf("configMapName", "Name of the ConfigMap, in the namespace of the bridge.", 253),
  optional: optional("the ConfigMap"),
  onChange: z.enum(["Canary", "Ignore"]).default("Canary").meta({
    description:
      "Canary: a change of its content is a new revision, and each revision keeps the content it was made with. Ignore: the pods read the ConfigMap itself, files as they change, variables when they start.",
  }),
};
const wholeConfigMap = z.strictObject(configMap);
const configMapKey = z.strictObject({
  ...configMap,
  key: textOf("configMapKey", "Key in the ConfigMap.", 253),
});
const wholeSecret = z.strictObject({
  name: textOf("secretName", "Name of the Secret, in the namespace of the bridge.", 253),
  optional: optional("the Secret"),
  onChange: onSecretChange,
});

const variable = z.strictObject({
  name: textOf("envName", "Name of the variable.", 128),
  value: z.string().max(4096).optional().meta({ description: "Its value." }),
  secretRef: podSecretRef("Take the value from a Secret instead.").optional(),
  configMapRef: configMapKey.optional().meta({ description: "Take the value from a ConfigMap instead." }),
});

const variables = z.strictObject({
  prefix: textOf("envName", "Put before the name of each.", 64).optional(),
  configMapRef: wholeConfigMap.optional().meta({ description: "The ConfigMap." }),
  secretRef: wholeSecret.optional().meta({ description: "The Secret." }),
});

const mount = z.strictObject({
  name: name("Name of the mount.", 40),
  path: textOf(
    "mountPath",
    "Directory in the container where each key is a file; not one that the image or the operator uses.",
    256,
  ),
  configMap: wholeConfigMap.optional().meta({ description: "The ConfigMap." }),
  secret: wholeSecret.optional().meta({ description: "The Secret. Its files follow it." }),
});

export const pod = z
  .strictObject({
    nodeSelector: textMap("Node labels the pods need.", { entries: 32, valueLength: 63 }),
    tolerations: z
      .array(toleration)
      .max(32)
      .default([])
      .meta({ description: "Taints the pods tolerate.", "x-kubernetes-list-type": "atomic" }),
    imagePullSecrets: z
      .array(z.strictObject({ name: textOf("secretName", "Name of the Secret.", 253) }))
      .max(16)
      .default([])
      .meta({
        description: "Secrets for pulling the image.",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
      }),
    priorityClassName: z.string().max(253).optional().meta({ description: "Priority class of the pods." }),
    labels: textMap("More labels for the pods; labels of llmbridge.dev and app.kubernetes.io are refused.", {
      entries: 32,
      valueLength: 63,
    }),
    annotations: textMap(
      "More annotations for the pods; those of llmbridge.dev and prometheus.io are refused.",
      { entries: 32, valueLength: 4096 },
    ),
    env: z
      .array(variable)
      .max(64)
      .default([])
      .meta({
        description: "More environment variables. NODE_OPTIONS and variables that load code are refused.",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
      }),
    envFrom: z.array(variables).max(16).default([]).meta({
      description:
        "Every key of a ConfigMap or Secret as an environment variable; later ones win, and what the operator sets and `env` before them.",
      "x-kubernetes-list-type": "atomic",
    }),
    mounts: z
      .array(mount)
      .max(16)
      .default([])
      .meta({
        description: "ConfigMaps and Secrets as files.",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
      }),
  })
  .prefault({})
  .meta({ description: "Curated overrides of the pods." });
