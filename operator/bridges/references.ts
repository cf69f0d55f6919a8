import type { LLMBridgeSpec } from "../api/v1alpha1/spec.ts";
import { canonicalJson } from "./canonical.ts";
import { shortHash } from "./names.ts";

/** ConfigMaps that the pods of a spec read, and what of them makes a revision. */

/** To a ConfigMap or a Secret. */
export interface ContentRef {
  readonly name: string;
  /** Absent: all of it. */
  readonly key?: string | undefined;
  readonly optional: boolean;
  readonly onChange: "Canary" | "Ignore";
  /** Where the reference stands in the resource. */
  readonly path: string;
  /** Every key becomes a variable of this beginning. */
  readonly prefix?: string;
}

/** A ConfigMap or Secret whose content is part of a revision, and what of it: the keys that its references read, so that a change of another key is none. */
export interface WantedContent {
  readonly name: string;
  /** Undefined: all of it. */
  readonly keys: readonly string[] | undefined;
}

/** Those of which a change starts a canary, in the order of their names. */
export function wantedContents(refs: readonly ContentRef[]): readonly WantedContent[] {
  const wanted = Map.groupBy(
    refs.filter(({ onChange }) => onChange === "Canary"),
    ({ name }) => name,
  );
  return [...wanted.keys()].sort().map((name) => {
    const keys = (wanted.get(name) ?? []).map(({ key }) => key);
    return { name, keys: keys.includes(undefined) ? undefined : distinct(keys) };
  });
}

const distinct = (keys: readonly (string | undefined)[]): readonly string[] =>
  [...new Set(keys.flatMap((key) => key ?? []))].sort();

/** Text values, and others as base64, as the API has them. */
export interface ConfigMapContent {
  readonly data: Readonly<Record<string, string>>;
  readonly binaryData: Readonly<Record<string, string>>;
}

export type ConfigMapReading =
  | ({ readonly kind: "Found" } & ConfigMapContent)
  | { readonly kind: "Missing" }
  /** It could not be read, which is neither a change nor none. */
  | { readonly kind: "Unknown"; readonly message: string };

export type ConfigMapReadings = Readonly<Record<string, ConfigMapReading>>;

export function configMapRefs({ pod }: Pick<LLMBridgeSpec, "pod">): readonly ContentRef[] {
  return [
    ...pod.env.flatMap(({ configMapRef }, index) =>
      configMapRef ? [{ ...configMapRef, path: `spec.pod.env[${index}].configMapRef` }] : [],
    ),
    ...pod.envFrom.flatMap(({ configMapRef, prefix }, index) =>
      configMapRef
        ? [{ ...configMapRef, prefix: prefix ?? "", path: `spec.pod.envFrom[${index}].configMapRef` }]
        : [],
    ),
    ...pod.mounts.flatMap(({ configMap }, index) =>
      configMap ? [{ ...configMap, path: `spec.pod.mounts[${index}].configMap` }] : [],
    ),
  ];
}

/** What a revision keeps of one ConfigMap. */
export interface KeptConfigMap extends ConfigMapContent {
  readonly name: string;
  /** Among those that the revision keeps, in the order of their names. */
  readonly index: number;
  /** Undefined where the ConfigMap is not there and need not be. */
  readonly found: boolean;
}

/** The ConfigMaps of which a change starts a canary, with what is read of them now; undefined where one could not be read. */
export function keptConfigMaps(
  spec: Pick<LLMBridgeSpec, "pod">,
  readings: ConfigMapReadings,
): readonly KeptConfigMap[] | undefined {
  const kept = wantedContents(configMapRefs(spec)).map(({ name, keys }, index) => {
    const reading = readings[name];
    if (!reading || reading.kind === "Unknown") return undefined;
    if (reading.kind === "Missing") return { name, index, found: false, data: {}, binaryData: {} };
    const only = (values: Readonly<Record<string, string>>) =>
      Object.fromEntries(Object.entries(values).filter(([key]) => keys === undefined || keys.includes(key)));
    return { name, index, found: true, data: only(reading.data), binaryData: only(reading.binaryData) };
  });
  return kept.every((one) => one !== undefined) ? kept : undefined;
}

/** Part of a revision's hash; empty for a spec that keeps none, whose hash is what it always was. */
export function contentHashes(kept: readonly KeptConfigMap[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    kept.map(({ name, found, data, binaryData }) => [
      name,
      found ? shortHash(canonicalJson({ data, binaryData })) : "",
    ]),
  );
}

/** Where there is no cluster to read from: every ConfigMap that a spec refers to, with the keys that it names and nothing in them. */
export function configMapsFor(
  spec: { readonly ok: true; readonly value: Pick<LLMBridgeSpec, "pod"> } | { readonly ok: false },
): ConfigMapReadings {
  const readings: Record<string, { kind: "Found"; data: Record<string, string>; binaryData: object }> = {};
  for (const { name, key } of spec.ok ? configMapRefs(spec.value) : []) {
    const reading = readings[name] ?? { kind: "Found", data: {}, binaryData: {} };
    readings[name] = reading;
    if (key !== undefined) reading.data[key] = "";
  }
  return readings as ConfigMapReadings;
}
