import { randomBytes } from "node:crypto";
import type { LLMBridgeSpecInput } from "../../operator/api/v1alpha1/spec.ts";
import { LLMBRIDGES } from "../../operator/bridges/caches.ts";
import type { KubeClient } from "../../operator/kube/client.ts";
import { isNotFound } from "../../operator/kube/errors.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { cacheRoot } from "../../tools/setup/cache.ts";
import { createProgress, type Progress } from "../../tools/setup/progress.ts";
import type { LocalCluster } from "../cluster/cluster.ts";
import { until } from "../cluster/until.ts";
import { clusterUp } from "../cluster/up.ts";
import { type BridgeVersion, bridgeVersionImage, modelImage, productImages } from "../images/all.ts";
import { type Load, type LoadOptions, startLoad } from "../load/load.ts";
import { Bridge, openApi } from "./api.ts";
import { deployModel, type Model } from "./model.ts";
import { ensureOperator } from "./operator.ts";

/** A namespace of its own on the test cluster, with the operator installed by the chart and a model stand-in. */
export interface Scene {
  readonly cluster: LocalCluster;
  readonly client: KubeClient;
  readonly namespace: string;
  readonly model: Model;
  /** Image reference of a version of the bridge that is on the node. */
  image(version: "first" | BridgeVersion): Promise<string>;
  bridge(name?: string): Bridge;
  /** A small spec that promotes within half a minute, is not watched after that, and is judged anew each time, unless it says so. */
  spec(more?: Partial<LLMBridgeSpecInput>): Promise<LLMBridgeSpecInput>;
  /** Traffic to the bridge's Service, or to another address; stopped with the scene if not before. */
  load(bridge: Bridge, options: Omit<LoadOptions, "url"> & { readonly url?: string }): Promise<Load>;
  /** `http://address` of a Service of the namespace, as this machine reaches it. */
  serviceUrl(name: string, port?: number): Promise<string>;
  close(): Promise<void>;
}

const FIRST_IMAGE = "llmbridge/bridge:dev";

/** Progress of tests goes to standard error, out of the way of reporters. */
export const testProgress: Progress = createProgress({
  write: (text) => process.stderr.write(text),
  nowMs: Date.now,
});

export interface SceneOptions {
  readonly progress?: Progress;
  /** A fixed namespace, made anew if it exists. Default: the name with a random ending. */
  readonly namespace?: string;
}

export async function openScene(name: string, options: SceneOptions = {}): Promise<Scene> {
  const { progress = testProgress } = options;
  const cluster = await clusterUp({ progress });
  const cache = cacheRoot(process.env);
  const loaded = new Map<string, Promise<string>>();
  const images = await productImages(cache, progress);
  for (const image of images) await cluster.loadImage(image);
  await cluster.loadImage(await modelImage(cache));
  const api = openApi(cluster.kubeconfigPath);
  await progress.step("Operator installed by its chart", () => ensureOperator(cluster, api.client, images));
  const namespace = options.namespace ?? `${name}-${randomBytes(3).toString("hex")}`;
  if (options.namespace !== undefined) await removeNamespace(api.client, namespace);
  await api.client.create(resources.namespaces, {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: namespace },
  });
  const serviceUrl = async (service: string, port = 80) => {
    const { spec } = await api.client.get<KubeObject & { spec: { clusterIP: string } }>(
      resources.services,
      namespace,
      service,
    );
    return port === 80 ? `http://${spec.clusterIP}` : `http://${spec.clusterIP}:${port}`;
  };
  const model = await deployModel(api.client, namespace, serviceUrl);
  const loads: Load[] = [];

  const image = (version: "first" | BridgeVersion): Promise<string> => {
    if (version === "first") return Promise.resolve(FIRST_IMAGE);
    const loading =
      loaded.get(version) ??
      bridgeVersionImage(cache, version).then(async (built) => {
        await cluster.loadImage(built);
        return built.name;
      });
    loaded.set(version, loading);
    return loading;
  };

  return {
    cluster,
    client: api.client,
    namespace,
    model,
    image,
    serviceUrl,
    bridge: (bridgeName = "chat") => new Bridge(api.client, namespace, bridgeName),
    spec: async (more = {}) => {
      const base = smallSpec(await image("first"), model);
      const everyTime = { watchAfter: "0s", rollbackWindow: 0 };
      return { ...base, ...more, rollout: { ...everyTime, ...(more.rollout ?? base.rollout) } };
    },
    async load(bridge, options) {
      const load = startLoad({ ...options, url: options.url ?? (await serviceUrl(bridge.name)) });
      loads.push(load);
      return load;
    },
    async close() {
      await Promise.all(loads.map((load) => load.stop(5_000)));
      await removeBridges(api.client, namespace);
      await deleteNamespace(api.client, namespace);
      await api.close();
    },
  };
}

/** Small pods and short windows, so that a rollout that takes days in production takes half a minute here. */
function smallSpec(image: string, model: Model): LLMBridgeSpecInput {
  return {
    image,
    imagePullPolicy: "Never",
    resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { cpu: "1", memory: "320Mi" } },
    cache: { memory: { maxBytes: "8Mi" } },
    workers: { min: 1, max: 1 },
    upstreams: [
      { name: "model", protocol: "OpenAI", url: `${model.urlInCluster}/v1`, maxConcurrencyPerPod: 64 },
    ],
    scaling: { minReplicas: 3, maxReplicas: 6, demandWindow: "15s", scaleDownWindow: "1m" },
    rollout: {
      steps: [
        { name: "quarter", weight: 25, hold: "10s" },
        { name: "half", weight: 50, hold: "5s" },
        { name: "all", weight: 100, hold: "5s" },
      ],
      analysis: { interval: "5s", errors: { rollbackAbove: "1%", promoteBelow: "3%" } },
      progressDeadline: "2m",
    },
  };
}

/** Bridges go before their namespace, so that the operator is not asked to make children where none can be made. */
async function removeBridges(client: KubeClient, namespace: string): Promise<void> {
  for (const { metadata } of await client.list(LLMBRIDGES, { namespace })) {
    await client.delete(LLMBRIDGES, namespace, metadata.name).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}

/** Its pods drain while the next suite opens its scene; what comes to rest by itself need not be waited for. */
async function deleteNamespace(client: KubeClient, namespace: string): Promise<boolean> {
  try {
    await client.delete(resources.namespaces, "", namespace);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/**
 * A namespace that is to be made anew. Its pods go first: with pods in it, the namespace's own controller looks again only after half
 * of their grace period, which is minutes.
 */
async function removeNamespace(client: KubeClient, namespace: string): Promise<void> {
  await removeBridges(client, namespace);
  const labelSelector = "app.kubernetes.io/managed-by=llmbridge-operator";
  await until(
    `the bridges' pods in ${namespace} to be gone`,
    180_000,
    async () => {
      const pods = await client.list(resources.pods, { namespace, labelSelector });
      return pods.length === 0 ? undefined : `${pods.length} are left`;
    },
    500,
  );
  if (!(await deleteNamespace(client, namespace))) return;
  await until(
    `namespace ${namespace} to be gone`,
    180_000,
    async () => {
      try {
        await client.get(resources.namespaces, "", namespace);
        return "it is still there";
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    500,
  );
}
