import { durationMs, quantityBytes, quantityCpus } from "../api/v1alpha1/scalars.ts";
import type { LLMBridgeSpec } from "../api/v1alpha1/spec.ts";
import { llmBridgeSpec } from "../api/v1alpha1/spec.ts";
import { upstream } from "../api/v1alpha1/workload.ts";
import { canonicalJson, withoutDefaults } from "./canonical.ts";
import { shortHash } from "./names.ts";
import { perObject } from "./per-object.ts";
import { contentHashes, type KeptConfigMap } from "./references.ts";
import { type KeptSecret, secretFingerprints, withoutIgnore } from "./secret-references.ts";

/** Stored beside each hash, so that a version which hashes otherwise can tell by which rules a revision was named. Nothing reads it yet. */
export const HASH_ALGORITHM = "1";

const sample = llmBridgeSpec.parse({
  image: "x",
  upstreams: [{ name: "x", protocol: "OpenAI", url: "http://x" }],
});
const sampleUpstream = upstream.parse({ name: "x", protocol: "OpenAI", url: "http://x" });

/**
 * What makes a revision: every field that reaches the pod or its configuration file, normalised, defaults left out.
 *
 * Left out on purpose, because they are numbers that move under running pods or never reach one: replicas, scaling,
 * alerts, rollout, budget, metrics, workers.min, and what backends allow (pools.*.backendConnections, reserved, maxPerPod).
 * `workers.max` is in: it sets the cap that heaps are computed at.
 */
export function revisionFields(spec: LLMBridgeSpec): unknown {
  const fields = select(spec);
  const defaults = select(sample);
  return {
    ...(withoutDefaults({ ...fields, image: undefined, upstreams: undefined }, defaults) as
      | object
      | undefined),
    image: spec.image,
    upstreams: [...spec.upstreams]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((one) => ({
        ...(withoutDefaults(normaliseUpstream(one), normaliseUpstream(sampleUpstream)) as object | undefined),
        name: one.name,
        protocol: one.protocol,
        url: one.url,
      })),
  };
}

const fieldsOf = perObject(revisionFields);
const hashOf = perObject((spec: LLMBridgeSpec) => shortHash(canonicalJson(fieldsOf(spec))));

/** Content of others that is part of a revision. */
export interface KeptContent {
  readonly configMaps: readonly KeptConfigMap[];
  readonly secrets: readonly KeptSecret[];
}

/** What stands for that content in a revision's hash, by name. A kind of which none is kept is left out, so that hashes are what they always were. */
export interface ContentMarks {
  readonly configMaps?: Readonly<Record<string, string>> | undefined;
  readonly secrets?: Readonly<Record<string, string>> | undefined;
}

export const contentMarks = ({ configMaps, secrets }: KeptContent): ContentMarks => ({
  ...(configMaps.length > 0 ? { configMaps: contentHashes(configMaps) } : {}),
  ...(secrets.length > 0 ? { secrets: secretFingerprints(secrets) } : {}),
});

/**
 * The revision's hash: 10 hex digits.
 * @param marks of what is kept of others; empty where nothing is, so that such a spec's hash is what it always was
 */
export function revisionHash(spec: LLMBridgeSpec, { configMaps, secrets }: ContentMarks = {}): string {
  if (!configMaps && !secrets) return hashOf(spec);
  return shortHash(canonicalJson({ spec: fieldsOf(spec), configMaps, secrets }));
}

function select(spec: LLMBridgeSpec) {
  const { requests, limits } = spec.resources;
  const amounts = (part: { cpu: string; memory: string }) => ({
    cpu: quantityCpus(part.cpu),
    memory: quantityBytes(part.memory),
  });
  return {
    imagePullPolicy: spec.imagePullPolicy,
    resources: { requests: amounts(requests), limits: amounts(limits) },
    cache: {
      memory: quantityBytes(spec.cache.memory.maxBytes),
      redis: spec.cache.redis && { secretRef: withoutIgnore(spec.cache.redis.secretRef) },
      ttl: durationMs(spec.cache.ttl.answers),
    },
    pools: {
      postgres: spec.pools.postgres && { secretRef: withoutIgnore(spec.pools.postgres.secretRef) },
      http: spec.pools.http,
    },
    workers: { max: spec.workers.max },
    tuning: spec.tuning,
    pod: {
      ...spec.pod,
      env: byName(spec.pod.env.map(withoutIgnored)),
      envFrom: spec.pod.envFrom.map(withoutIgnored),
      mounts: spec.pod.mounts.map((mount) =>
        mount.secret ? { ...mount, secret: withoutIgnore(mount.secret) } : mount,
      ),
      imagePullSecrets: byName(spec.pod.imagePullSecrets),
    },
  };
}

type Ref = { readonly onChange?: "Ignore" | "Canary" | undefined };

const withoutIgnored = <T extends { readonly secretRef?: Ref | undefined }>(one: T): T =>
  one.secretRef ? { ...one, secretRef: withoutIgnore(one.secretRef) } : one;

function normaliseUpstream(one: LLMBridgeSpec["upstreams"][number]) {
  const { timeouts } = one;
  return {
    ...withoutIgnored(one),
    models: [...one.models].sort(),
    timeouts: {
      connect: durationMs(timeouts.connect),
      firstByte: durationMs(timeouts.firstByte),
      idle: durationMs(timeouts.idle),
    },
  };
}

/** Maps by name have no order that matters. */
function byName<T extends { name: string }>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => (a.name < b.name ? -1 : 1));
}
