import { expect, it } from "vitest";
import { MOST_GATES } from "../api/v1alpha1/gates.ts";
import { secretPaths } from "./secrets.ts";

it("finds every field of the spec that names a Secret", () => {
  expect([...secretPaths()].sort()).toEqual([
    "spec.cache.redis.secretRef.name",
    "spec.pod.envFrom[].secretRef.name",
    "spec.pod.env[].secretRef.name",
    "spec.pod.imagePullSecrets[].name",
    "spec.pod.mounts[].secret.name",
    "spec.pools.postgres.secretRef.name",
    ...Array.from(
      { length: MOST_GATES },
      (_, place) => `spec.rollout.gates[${place}].job.env[].secretRef.name`,
    ),
    "spec.upstreams[].secretRef.name",
  ]);
});
