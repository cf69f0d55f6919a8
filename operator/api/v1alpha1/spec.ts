import * as z from "zod";
import { pod } from "./pod.ts";
import { rollout } from "./rollout.ts";
import { bytes, cpu, name, textOf } from "./scalars.ts";
import { alert, DEFAULT_REPLICAS, scaling } from "./scaling.ts";
import { takeOver } from "./take-over.ts";
import { cache, pools, resources, tuning, upstream, workers } from "./workload.ts";

/** The spec of an LLMBridge. Every field here has an effect; a field without one is not accepted. */
export const llmBridgeSpec = z
  .strictObject({
    image: textOf("image", "Image of the bridge, with a tag or a digest.", 512),
    imagePullPolicy: z
      .enum(["Always", "IfNotPresent", "Never"])
      .default("IfNotPresent")
      .meta({ description: "When the image is pulled." }),
    replicas: z.int().min(0).max(1000).default(DEFAULT_REPLICAS).meta({
      description:
        "Pods of the stable version in Fixed and External mode; the path of the scale subresource.",
    }),
    resources,
    upstreams: z
      .array(upstream)
      .min(1)
      .max(16)
      .meta({
        description: "Language models behind the bridge.",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
      }),
    cache,
    pools,
    workers,
    tuning,
    scaling,
    alerts: z
      .array(alert)
      .max(32)
      .optional()
      .meta({
        description:
          "Alerts and what they do. Absent: gc-time, pool-waiting and workers-busy with their defaults; empty: none.",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
      }),
    rollout,
    takeOver: takeOver.optional(),
    pod,
    budget: z
      .strictObject({
        cpu: cpu("CPUs of all pods together, by their limits.").optional(),
        memory: bytes("Memory of all pods together, by their limits.").optional(),
      })
      .optional()
      .meta({
        description:
          "Ceiling for the whole bridge, canary included. A stable version that would not fit at its largest is refused; a canary gets what is left, and does not start without room for one more pod.",
      }),
    metrics: z
      .strictObject({
        source: name("Name of a metric source in the operator's settings file; never a URL.", 63).default(
          "default",
        ),
      })
      .prefault({})
      .meta({ description: "Where evidence and demand are read from." }),
  })
  .meta({ description: "What the bridge should be." });

/** Spec with every default filled in. */
export type LLMBridgeSpec = z.infer<typeof llmBridgeSpec>;
/** Spec as people write it. */
export type LLMBridgeSpecInput = z.input<typeof llmBridgeSpec>;
