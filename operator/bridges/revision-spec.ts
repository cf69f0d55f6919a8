import * as z from "zod";
import { type LLMBridgeSpec, llmBridgeSpec } from "../api/v1alpha1/spec.ts";

/**
 * The part of a spec that makes a revision (revision.ts), in the shape of the spec, so that a person can go back to it. Kept with the revision; what
 * only decides (scaling, steps, alerts, what backends allow) is not in it and stays as it is then.
 */
export type RevisionSpec = z.infer<typeof revisionSpecShape>;

const { shape } = llmBridgeSpec;
const revisionSpecShape = z.object({
  image: shape.image,
  imagePullPolicy: shape.imagePullPolicy,
  resources: shape.resources,
  upstreams: shape.upstreams,
  cache: shape.cache,
  pools: shape.pools,
  workers: shape.workers,
  tuning: shape.tuning,
  pod: shape.pod,
});

export function revisionSpec(spec: LLMBridgeSpec): RevisionSpec {
  const { image, imagePullPolicy, resources, upstreams, cache, pools, workers, tuning, pod } = spec;
  return { image, imagePullPolicy, resources, upstreams, cache, pools, workers, tuning, pod };
}

/** Reads what a revision was made from; undefined where its maker did not keep it, or kept what this version cannot read. */
export const parseRevisionSpec = (value: unknown): RevisionSpec | undefined =>
  revisionSpecShape.safeParse(value).data;

/** The present spec with what made the revision put back. What backends allow now, and the least worker threads, stay as they are now. */
export function restored(present: LLMBridgeSpec, of: RevisionSpec): LLMBridgeSpec {
  const { min } = present.workers;
  return {
    ...present,
    ...of,
    workers: { ...of.workers, min: Math.min(min, of.workers.max) },
    pools: {
      ...of.pools,
      ...(of.pools.postgres && present.pools.postgres
        ? { postgres: { ...present.pools.postgres, secretRef: of.pools.postgres.secretRef } }
        : {}),
      ...(of.pools.redis && present.pools.redis ? { redis: present.pools.redis } : {}),
    },
  };
}
