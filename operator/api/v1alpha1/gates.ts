import * as z from "zod";
import { bytes, cpu, duration, name, secretRef, textOf } from "./scalars.ts";

/** Gates whose verdict comes from outside: of a webhook, or of a Job. */

/** Most gates of a rollout, and of one of its steps. */
export const MOST_GATES = 8;

const webhook = z
  .strictObject({
    receiver: name("Name of one of `gateWebhooks` in the operator's settings, never a URL.", 63),
    timeout: duration("For one try.").default("10s"),
  })
  .meta({ description: "Ask an HTTPS service, which answers pass, fail or wait." });

const variable = z.strictObject({
  name: textOf("envName", "Name of the variable.", 128),
  value: z.string().max(4096).optional().meta({ description: "Its value." }),
  secretRef: secretRef("Take the value from a Secret instead.").optional(),
  configMapRef: z
    .strictObject({
      name: textOf("configMapName", "Name of the ConfigMap, in the namespace of the bridge.", 253),
      key: textOf("configMapKey", "Key in the ConfigMap.", 253),
    })
    .optional()
    .meta({ description: "Take the value from a ConfigMap instead." }),
});

const amounts = (what: string, defaults: { cpu: string; memory: string }) =>
  z
    .strictObject({
      cpu: cpu(`${what} CPUs of the Job's pod.`).default(defaults.cpu),
      memory: bytes(`${what} memory of the Job's pod.`).default(defaults.memory),
    })
    .prefault({})
    .meta({ description: `${what} CPUs and memory.` });

const words = (description: string) =>
  z.array(z.string().max(4096)).max(64).default([]).meta({
    description,
    "x-kubernetes-list-type": "atomic",
  });

const job = z
  .strictObject({
    image: textOf("image", "Image of the Job's container.", 512),
    command: words("In place of the image's entry point."),
    args: words("Arguments."),
    env: z
      .array(variable)
      .max(32)
      .default([])
      .meta({
        description: "Environment variables. Those that begin with LLMBRIDGE_ are the operator's own.",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
      }),
    resources: z
      .strictObject({
        requests: amounts("Requested", { cpu: "100m", memory: "128Mi" }),
        limits: amounts("Largest allowed", { cpu: "1", memory: "512Mi" }),
      })
      .prefault({})
      .meta({ description: "Resources of the Job's pod." }),
    backoffLimit: z.int().min(0).max(10).default(0).meta({
      description: "How often a pod that failed is tried again before the gate has failed.",
    }),
  })
  .meta({
    description:
      "Run a Job: success passes, failure fails. It runs once for each stay at a step, under the restricted Pod Security Standard and without a token.",
  });

export const externalGate = z.strictObject({
  name: name("Name of the gate, by which steps name it; no gate of `analysis` has the same."),
  webhook: webhook.optional(),
  job: job.optional(),
  begin: z.enum(["WithStep", "AfterEvidence"]).default("WithStep").meta({
    description:
      "WithStep: as soon as the step's weight is in force. AfterEvidence: when the step's hold is over and its evidence is given; only approval comes later.",
  }),
  deadline: duration("Without a verdict for so long there is none. Paused time does not count.").default(
    "30m",
  ),
  noData: z.enum(["Pause", "Proceed", "Rollback"]).default("Pause").meta({
    description: "What is done without a verdict. Nothing that goes wrong counts as failed by itself.",
  }),
  dryRun: z
    .boolean()
    .default(false)
    .meta({ description: "Asked and shown, but it neither holds nor rolls back." }),
});
export type ExternalGate = z.infer<typeof externalGate>;

/** Names of gates, as steps list them. */
export const gateNames = z.array(name("Name of a gate.")).max(MOST_GATES).optional().meta({
  description: "Names of `gates` of the rollout that must have passed before this step is left.",
  "x-kubernetes-list-type": "set",
});
