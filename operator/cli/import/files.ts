import type { LLMBridgeSpecInput } from "../../api/v1alpha1/spec.ts";
import type { OldContainer, OldMount, OldPodSpec, OldVolume } from "./old-pod.ts";
import { type Carried, carried, type Note } from "./parts.ts";

type Mount = NonNullable<NonNullable<LLMBridgeSpecInput["pod"]>["mounts"]>[number];

/** ConfigMaps and Secrets that the container mounts whole; of every other volume, why it is not carried. */
export function files(pod: OldPodSpec, container: OldContainer): Carried<Mount> {
  const read = (container.volumeMounts ?? []).map((mount) => {
    const volume = (pod.volumes ?? []).find(({ name }) => name === mount.name);
    return volume ? mountOf(volume, mount) : {};
  });
  const all = read.flatMap(({ mount }) => mount ?? []);
  // Names of volumes may repeat among mounts, names of mounts may not.
  const named = all.map((one, index) => {
    const repeats = all.slice(0, index).filter(({ name }) => name === one.name).length;
    return repeats === 0 ? one : { ...one, name: `${one.name}-${repeats + 1}` };
  });
  const { parts, notes } = carried(
    named,
    (one) => ({ pod: { mounts: [one] } }),
    ({ name }) => `volume ${name}`,
  );
  return { parts, notes: [...read.flatMap(({ note }) => note ?? []), ...notes] };
}

function mountOf(
  volume: OldVolume,
  { name, mountPath, subPath, subPathExpr }: OldMount,
): { mount?: Mount; note?: Note } {
  const about = `volume ${name}`;
  const { configMap, secret } = volume;
  if (!configMap && !secret)
    return {
      note: { about, message: `${kindOf(volume)} at ${mountPath} is not carried. ${instead(volume)}` },
    };
  if (subPath !== undefined || subPathExpr !== undefined || (configMap ?? secret)?.items !== undefined)
    return {
      note: {
        about,
        message: `it is mounted in part (subPath or items), and spec.pod.mounts mounts a ConfigMap or Secret whole: put these keys into one of their own, and mount that.`,
      },
    };
  const optional = (configMap ?? secret)?.optional ? { optional: true } : {};
  return {
    mount: {
      ...{ name, path: mountPath },
      ...(configMap ? { configMap: { name: configMap.name ?? "", ...optional } } : {}),
      ...(secret ? { secret: { name: secret.secretName ?? "", ...optional } } : {}),
    },
  };
}

const kindOf = (volume: OldVolume): string =>
  Object.keys(volume).find((key) => key !== "name") ?? "a volume of unknown kind";

function instead(volume: OldVolume): string {
  if ("emptyDir" in volume) return "Pods have 64Mi at /tmp to write to; nothing else outlives a restart.";
  if ("persistentVolumeClaim" in volume || "hostPath" in volume)
    return "Pods of a bridge keep nothing on disks: the cache is in memory and in Redis (spec.cache), usage records in Postgres (spec.pools.postgres).";
  return "spec.pod.mounts takes ConfigMaps and Secrets.";
}
