import { type BridgeConfig, CONFIG_VERSION } from "../../../contract/config.ts";
import { MOUNTS } from "../../../contract/endpoints.ts";
import { durationMs } from "../../api/v1alpha1/scalars.ts";
import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { longestMs } from "../../tuning/drain.ts";

interface SecretRef {
  readonly name: string;
  readonly onChange?: "Ignore" | "Canary" | undefined;
}

/** Names of a revision's copies of Secrets, by the name of the Secret. */
export type SecretCopies = Readonly<Record<string, string>>;

/** The Secret that pods read for a reference: the revision's copy, where a change of it is to start a canary. */
export const secretRead = ({ name, onChange }: SecretRef, copies: SecretCopies = {}): string =>
  onChange === "Canary" ? (copies[name] ?? name) : name;

/** Where a key of a Secret is mounted. One directory a Secret, so that kubelet swaps all its keys at once. */
function secretFile(ref: SecretRef & { readonly key: string }, copies: SecretCopies | undefined): string {
  return `${MOUNTS.secrets}/${secretRead(ref, copies)}/${ref.key}`;
}

/** Every Secret that the pods mount, by name. Environment variables from Secrets are not mounted and not in here. */
export function mountedSecrets(spec: LLMBridgeSpec, copies?: SecretCopies): string[] {
  const refs = [
    spec.cache.redis?.secretRef,
    spec.pools.postgres?.secretRef,
    ...spec.upstreams.map((u) => u.secretRef),
  ];
  return [...new Set(refs.flatMap((ref) => (ref ? [secretRead(ref, copies)] : [])))].sort();
}

/** The reports ask for 600 s, headers to last byte (requirement B10). */
const REQUEST_LIMIT_MS = 600_000;

/**
 * Longest a request may take, in milliseconds, headers to last byte: ten minutes, or where an upstream may take longer to its first byte, that and the time
 * of a long stream after it.
 */
export const requestLimitMs = (upstreams: BridgeConfig["upstreams"]): number =>
  Math.max(REQUEST_LIMIT_MS, longestMs(upstreams.map(({ timeouts }) => timeouts)));

/** Largest request body (requirement B10). */
export const BODY_LIMIT_BYTES = 50 * 1024 * 1024;

export interface ConfigInput {
  readonly bridge: string;
  readonly namespace: string;
  readonly revision: string;
  readonly spec: LLMBridgeSpec;
  readonly workerCap: number;
  readonly workerHeapMiB: number;
  readonly copies?: SecretCopies;
}

/** `config.json` of a revision: everything a pod needs to know that never changes while it lives. */
export function bridgeConfigFile(input: ConfigInput): BridgeConfig {
  const { spec, copies } = input;
  const upstreams = spec.upstreams.map((one) => upstreamOf(one, copies));
  return {
    version: CONFIG_VERSION,
    bridge: input.bridge,
    namespace: input.namespace,
    revision: input.revision,
    upstreams,
    cache: {
      ttlMs: durationMs(spec.cache.ttl.answers),
      ...(spec.cache.redis ? { redisUrlFile: secretFile(spec.cache.redis.secretRef, copies) } : {}),
    },
    ...(spec.pools.postgres
      ? { postgres: { urlFile: secretFile(spec.pools.postgres.secretRef, copies) } }
      : {}),
    workers: { cap: input.workerCap, heapMiB: input.workerHeapMiB },
    limits: { bodyBytes: BODY_LIMIT_BYTES, requestMs: requestLimitMs(upstreams) },
  };
}

function upstreamOf(
  one: LLMBridgeSpec["upstreams"][number],
  copies: SecretCopies | undefined,
): BridgeConfig["upstreams"][number] {
  return {
    name: one.name,
    protocol: one.protocol,
    url: one.url,
    models: one.models,
    maxConcurrency: one.maxConcurrencyPerPod,
    ...(one.secretRef ? { tokenFile: secretFile(one.secretRef, copies) } : {}),
    timeouts: {
      connectMs: durationMs(one.timeouts.connect),
      firstByteMs: durationMs(one.timeouts.firstByte),
      idleMs: durationMs(one.timeouts.idle),
    },
  };
}
