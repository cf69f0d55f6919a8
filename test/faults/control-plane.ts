import { dirname } from "node:path";
import { createClient, type KubeClient } from "../../operator/kube/client.ts";
import { createInformer } from "../../operator/kube/informer.ts";
import { loadKubeConfig } from "../../operator/kube/kubeconfig.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { createTransport } from "../../operator/kube/transport.ts";
import { cacheRoot } from "../../tools/setup/cache.ts";
import { createProgress } from "../../tools/setup/progress.ts";
import { toolPaths } from "../../tools/setup/tools.ts";
import { type ApiServer, apiServerUp } from "../cluster/api-server.ts";
import { startComponent } from "../cluster/component.ts";
import { controllerManager } from "../cluster/control-plane.ts";
import { type BridgeApi, bridgeApi } from "../conformance/bridge-api.ts";

/**
 * The real API server with the real controllers of Deployments, ReplicaSets and garbage, and no node: pods are said to be Ready as soon
 * as they exist. All that an operator sees of a cluster, ready in five seconds.
 */
export interface ControlPlane {
  readonly server: ApiServer;
  readonly api: BridgeApi;
  readonly client: KubeClient;
  down(): Promise<void>;
}

const CONTROLLERS = [
  "deployment-controller",
  "replicaset-controller",
  "garbage-collector-controller",
  "namespace-controller",
  "resourcequota-controller",
];

export interface ControlPlaneOptions {
  /** More flags of the API server. */
  readonly flags?: readonly string[];
}

/** An image of this tag never starts: kubelet would wait for a volume. */
export const STUCK = "stuck";

export async function startControlPlane({ flags = [] }: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const progress = createProgress({ write: () => {}, nowMs: Date.now });
  const server = await apiServerUp({ progress, extraFlags: flags });
  const { kubeconfigPath } = server;
  const api = bridgeApi(kubeconfigPath);
  await api.installCrd();
  const flagsOfManager = [`--controllers=${CONTROLLERS.join(",")}`];
  const manager = controllerManager(toolPaths(cacheRoot(process.env)), kubeconfigPath, flagsOfManager);
  // Whatever ends the API server ends what shares its folder.
  await startComponent(manager, { owner: dirname(kubeconfigPath) });
  const transport = createTransport({
    kubeConfig: loadKubeConfig({ kubeconfig: kubeconfigPath }),
    userAgent: "llmbridge-test",
  });
  const client = createClient(transport);
  const stop = new AbortController();
  const pods = createInformer<Pod>({ client, resource: resources.pods });
  pods.onChange(({ kind, object }) => {
    if (kind === "deleted" || object.metadata.deletionTimestamp || object.status?.containerStatuses) return;
    // A pod that is gone by now needs no status.
    playKubelet(api, object).catch(() => undefined);
  });
  const watching = pods.start(stop.signal);
  return {
    server,
    api,
    client,
    async down() {
      stop.abort();
      await watching;
      await transport.close();
      await api.close();
      await server.down();
    },
  };
}

interface Pod extends KubeObject {
  readonly spec: { readonly containers: readonly { readonly name: string; readonly image: string }[] };
  readonly status?: { readonly containerStatuses?: readonly unknown[] };
}

function playKubelet(api: BridgeApi, pod: Pod): Promise<unknown> {
  const { namespace, name } = pod.metadata;
  const time = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const condition = (type: string) => ({ type, status: "True", lastTransitionTime: time });
  const isStuck = pod.spec.containers.some(({ image }) => image.endsWith(`:${STUCK}`));
  const running = {
    phase: "Running",
    startTime: time,
    podIP: "10.0.0.1",
    podIPs: [{ ip: "10.0.0.1" }],
    conditions: ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map(condition),
  };
  const status = {
    ...(isStuck ? { phase: "Pending", startTime: time, conditions: [condition("PodScheduled")] } : running),
    containerStatuses: pod.spec.containers.map((container) => ({
      name: container.name,
      image: container.image,
      imageID: container.image,
      ready: !isStuck,
      restartCount: 0,
      started: !isStuck,
      state: isStuck ? { waiting: { reason: "ContainerCreating" } } : { running: { startedAt: time } },
    })),
  };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/status`;
  return api.request("PATCH", path, { status }, "application/merge-patch+json");
}
