import type { LLMBridgeSpec } from "../api/v1alpha1/spec.ts";
import { type ContentRef, type WantedContent, wantedContents } from "./references.ts";

/** Secrets that the pods of a spec read, and what of them makes a revision. No content passes here: of that only fingerprints are known. */

/** What is known of the content of such a Secret. */
export type SecretFinding =
  | {
      readonly kind: "Found";
      /** Every key that it has. */
      readonly keys: readonly string[];
      /** Stands for what is read of it: the same for the same content, and nobody without the operator's key can tell which. */
      readonly fingerprint: string;
    }
  | { readonly kind: "Missing" }
  /** The operator has no right to read it. */
  | { readonly kind: "Forbidden"; readonly message: string }
  /** It could not be read, which is neither a change nor none. */
  | { readonly kind: "Unknown"; readonly message: string };

export type SecretFindings = Readonly<Record<string, SecretFinding>>;

type Spec = Pick<LLMBridgeSpec, "upstreams" | "cache" | "pools" | "pod">;
type Written = {
  readonly name: string;
  readonly key?: string | undefined;
  readonly optional?: boolean;
  readonly onChange?: "Ignore" | "Canary" | undefined;
};

export function secretRefs({ upstreams, cache, pools, pod }: Spec): readonly ContentRef[] {
  const at = (path: string, ref: Written | undefined, prefix?: string): readonly ContentRef[] =>
    ref
      ? [
          {
            ...{ name: ref.name, key: ref.key, path },
            optional: ref.optional ?? false,
            onChange: ref.onChange ?? "Ignore",
            ...(prefix === undefined ? {} : { prefix }),
          },
        ]
      : [];
  return [
    ...upstreams.flatMap(({ secretRef }, index) => at(`spec.upstreams[${index}].secretRef`, secretRef)),
    ...at("spec.cache.redis.secretRef", cache.redis?.secretRef),
    ...at("spec.pools.postgres.secretRef", pools.postgres?.secretRef),
    ...pod.env.flatMap(({ secretRef }, index) => at(`spec.pod.env[${index}].secretRef`, secretRef)),
    ...pod.envFrom.flatMap(({ secretRef, prefix = "" }, index) =>
      at(`spec.pod.envFrom[${index}].secretRef`, secretRef, prefix),
    ),
    ...pod.mounts.flatMap(({ secret }, index) => at(`spec.pod.mounts[${index}].secret`, secret)),
  ];
}

/** The Secrets of which a change starts a canary, in the order of their names. */
export const wantedSecrets = (spec: Spec): readonly WantedContent[] => wantedContents(secretRefs(spec));

/** What a revision keeps of one Secret. */
export interface KeptSecret extends WantedContent {
  /** Among those that the revision keeps, in the order of their names. */
  readonly index: number;
  /** Undefined where the Secret is not there and need not be. */
  readonly fingerprint: string | undefined;
}

/** Those of which a change starts a canary, as they are now; undefined where one cannot be read. */
export function keptSecrets(spec: Spec, findings: SecretFindings): readonly KeptSecret[] | undefined {
  const kept = wantedSecrets(spec).map((wanted, index) => {
    const finding = findings[wanted.name];
    if (finding?.kind === "Found") return { ...wanted, index, fingerprint: finding.fingerprint };
    return finding?.kind === "Missing" ? { ...wanted, index, fingerprint: undefined } : undefined;
  });
  return kept.every((one) => one !== undefined) ? kept : undefined;
}

/** Part of a revision's hash. */
export const secretFingerprints = (kept: readonly KeptSecret[]): Readonly<Record<string, string>> =>
  Object.fromEntries(kept.map(({ name, fingerprint = "" }) => [name, fingerprint]));

/** Where there is no cluster to read from: every Secret that a spec keeps, with the keys that it names and an unknown content. */
export function secretsFor(
  spec: { readonly ok: true; readonly value: Spec } | { readonly ok: false },
): SecretFindings {
  if (!spec.ok) return {};
  return Object.fromEntries(
    wantedSecrets(spec.value).map(({ name, keys = [] }) => [
      name,
      { kind: "Found", keys, fingerprint: "unknown" } as const,
    ]),
  );
}

/** A reference as it counts for a revision: to ignore changes is what not saying anything means. */
export function withoutIgnore<T extends { readonly onChange?: "Ignore" | "Canary" | undefined }>(ref: T): T {
  const { onChange, ...rest } = ref;
  return (onChange === "Canary" ? ref : rest) as T;
}
