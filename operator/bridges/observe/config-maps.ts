import type { KubeClient } from "../../kube/client.ts";
import type { Clock } from "../../kube/clock.ts";
import { isNotFound } from "../../kube/errors.ts";
import { createInformer, type Informer } from "../../kube/informer.ts";
import type { Log } from "../../kube/log.ts";
import type { KubeMetrics } from "../../kube/metrics.ts";
import { formatKey, type KubeObject, keyOf, type ObjectKey } from "../../kube/object.ts";
import { resources } from "../../kube/resources.ts";
import { whenAborted } from "../../kube/signals.ts";
import { BY_CONFIG_MAP, type Caches, configMapIndex } from "../caches.ts";
import { MANAGED_BY } from "../names.ts";
import type { ConfigMapReading, ConfigMapReadings } from "../references.ts";

/** ConfigMaps of people, as far as bridges refer to them. */
export interface ConfigMaps {
  /** What these say now. Never throws for what the API server does; what could not be read says so. */
  read(namespace: string, names: readonly string[], signal: AbortSignal): Promise<ConfigMapReadings>;
  /** Calls the listener with each that was made, changed or deleted. */
  onChange(listener: (key: ObjectKey) => void): void;
  /** Works until the signal aborts; never rejects. Asks the API server for nothing before the first `read` of a name. */
  follow(signal: AbortSignal): Promise<void>;
}

export interface ConfigMapsOptions {
  readonly client: KubeClient;
  /** What is read is kept as long as one of these names it. */
  readonly caches: Pick<Caches, "bridges">;
  readonly namespaces?: readonly string[] | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: KubeMetrics;
}

/** How long a look waits for the first list; what is not known by then comes as a change. */
const PATIENCE_MS = 5_000;

interface Kept {
  readonly resourceVersion: string;
  readonly reading: ConfigMapReading;
}

/**
 * A watch of metadata alone, so that the ConfigMaps of a whole cluster cost a few hundred bytes each, and one GET for each version of one that a bridge
 * refers to. Nothing at all is watched before a bridge refers to any.
 */
export function createConfigMaps({ caches, ...options }: ConfigMapsOptions): ConfigMaps {
  const { client, clock } = options;
  const [[label, value] = ["", ""]] = Object.entries(MANAGED_BY);
  const informer: Informer<KubeObject> = createInformer({
    ...options,
    resource: resources.configMaps,
    namespace: options.namespaces,
    labelSelector: `${label}!=${value}`,
    metadataOnly: true,
    transform: ({ apiVersion, kind, metadata: { namespace, name, uid, resourceVersion } }) =>
      ({ apiVersion, kind, metadata: { namespace, name, uid, resourceVersion } }) as KubeObject,
  });
  const kept = new Map<string, Kept>();
  const listeners: ((key: ObjectKey) => void)[] = [];
  let begin: () => void = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  informer.onChange(({ kind, object }) => {
    const key = keyOf(object);
    if (kind === "deleted") kept.delete(formatKey(key));
    for (const listener of listeners) listener(key);
  });
  caches.bridges.onChange((change) => {
    if (change.kind === "added") return;
    // The last state of what was deleted may name others than the cache held.
    const before = change.kind === "updated" ? configMapIndex(change.previous) : [...kept.keys()];
    for (const id of before) if (!isNamed(caches, id)) kept.delete(id);
  });

  const readOne = async (key: ObjectKey, signal: AbortSignal): Promise<ConfigMapReading> => {
    const known = informer.store.get(key.namespace, key.name);
    if (!known) return { kind: "Missing" };
    const before = kept.get(formatKey(key));
    if (before?.resourceVersion === known.metadata.resourceVersion) return before.reading;
    try {
      const found = await client.get(resources.configMaps, key.namespace, key.name, { signal });
      const { data = {}, binaryData = {} } = found as Partial<
        Record<"data" | "binaryData", Record<string, string>>
      >;
      const reading = { kind: "Found", data, binaryData } as const;
      if (isNamed(caches, formatKey(key)))
        kept.set(formatKey(key), { resourceVersion: found.metadata.resourceVersion, reading });
      return reading;
    } catch (error) {
      signal.throwIfAborted();
      if (isNotFound(error)) return { kind: "Missing" };
      const why = error instanceof Error ? error.message : String(error);
      return { kind: "Unknown", message: `ConfigMap "${key.name}" cannot be read: ${why}` };
    }
  };

  return {
    async read(namespace, names, signal) {
      if (names.length === 0) return {};
      begin();
      if (!informer.isListed(namespace)) await Promise.race([informer.settled(), patience(clock)]);
      if (!informer.isListed(namespace)) {
        const message = "The ConfigMaps of the namespace have not been listed yet.";
        return Object.fromEntries(names.map((name) => [name, { kind: "Unknown", message }]));
      }
      const readings = await Promise.all(names.map((name) => readOne({ namespace, name }, signal)));
      return Object.fromEntries(names.map((name, index) => [name, readings[index] as ConfigMapReading]));
    },
    onChange: (listener) => void listeners.push(listener),
    async follow(signal) {
      await Promise.race([begun, whenAborted(signal)]);
      if (!signal.aborted) await informer.start(signal);
    },
  };
}

const isNamed = ({ bridges }: Pick<Caches, "bridges">, id: string): boolean =>
  bridges.store.byIndex(BY_CONFIG_MAP, id).length > 0;

const patience = (clock: Clock): Promise<void> =>
  new Promise((resolve) => clock.setTimer(PATIENCE_MS, resolve).unref?.());
