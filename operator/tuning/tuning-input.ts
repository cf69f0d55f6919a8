import { quantityBytes, quantityCpus } from "../api/v1alpha1/scalars.ts";
import type { LLMBridgeSpec } from "../api/v1alpha1/spec.ts";

/** What Node of a pod is tuned from. */
export interface TuningInput {
  /** Version in the image, such as "24.21"; with the major alone only flags that every minor takes are used. */
  nodeVersion: string;
  objective: "Latency" | "Throughput";
  memoryLimitBytes: number;
  /** In CPUs. */
  cpuLimit: number;
  /** Bytes of the in-memory cache (off-heap). */
  cacheBytes: number;
  workers: { min: number; max: number };
  nodeOptions: LLMBridgeSpec["tuning"]["nodeOptions"];
}

/** The tuning input of a spec that the schema has accepted. */
export function tuningInput(
  spec: Pick<LLMBridgeSpec, "tuning" | "resources" | "cache" | "workers">,
): TuningInput {
  return {
    nodeVersion: spec.tuning.nodeVersion,
    objective: spec.tuning.objective,
    memoryLimitBytes: quantityBytes(spec.resources.limits.memory),
    cpuLimit: quantityCpus(spec.resources.limits.cpu),
    cacheBytes: quantityBytes(spec.cache.memory.maxBytes),
    workers: spec.workers,
    nodeOptions: spec.tuning.nodeOptions,
  };
}
