import { dirname } from "node:path";
import { createClient, type KubeClient } from "../../operator/kube/client.ts";
import { createInformer } from "../../operator/kube/informer.ts";
import { loadKubeConfig } from "../../operator/kube/kubeconfig.ts";
import { resources } from "../../operator/kube/resources.ts";
import { createTransport } from "../../operator/kube/transport.ts";
import { cacheRoot } from "../../tools/setup/cache.ts";
import { createProgress } from "../../tools/setup/progress.ts";
import { toolPaths } from "../../tools/setup/tools.ts";
import { type ApiServer, apiServerUp } from "../cluster/api-server.ts";
import { type Component, startComponent } from "../cluster/component.ts";
import { controllerManager, scheduler } from "../cluster/control-plane.ts";
import { type BridgeApi, bridgeApi } from "../conformance/bridge-api.ts";
import { type PlayedPod, playKubelet } from "./kubelet.ts";

/**
 * The real API server with the real controllers of Deployments, ReplicaSets, Jobs and garbage, and no machine behind it: pods are said to be
 * Ready as soon as they exist, or as soon as they have a node. All that an operator sees of a cluster, ready in five seconds.
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
  "job-controller",
];

export interface ControlPlaneOptions {
  /** More flags of the API server. */
  readonly flags?: readonly string[];
  /** Whether pods wait until the real scheduler has found them one of the nodes that the test adds. Default: they run nowhere. */
  readonly hasNodes?: boolean;
  /** Whether disruption budgets are kept, so that pods can be evicted. Default: where there are nodes. */
  readonly hasBudgets?: boolean;
  /** Whether HorizontalPodAutoscalers are obeyed, by what the test's metrics say. Default: they are only stored. */
  readonly hasAutoscalers?: boolean;
}

/** A real one looks every 15 s. */
const AUTOSCALER_FLAGS = ["--horizontal-pod-autoscaler-sync-period=1s"];

export async function startControlPlane({
  flags = [],
  hasNodes = false,
  hasBudgets = hasNodes,
  hasAutoscalers = false,
}: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const progress = createProgress({ write: () => {}, nowMs: Date.now });
  const server = await apiServerUp({ progress, extraFlags: flags });
  const { kubeconfigPath } = server;
  const api = bridgeApi(kubeconfigPath);
  await api.installCrd();
  const tools = toolPaths(cacheRoot(process.env));
  // Whatever ends the API server ends what shares its folder.
  const start = (component: Component) => startComponent(component, { owner: dirname(kubeconfigPath) });
  const controllers = [
    ...CONTROLLERS,
    ...(hasBudgets ? ["disruption-controller"] : []),
    ...(hasAutoscalers ? ["horizontal-pod-autoscaler-controller"] : []),
  ];
  const controllerFlags = [
    `--controllers=${controllers.join(",")}`,
    ...(hasAutoscalers ? AUTOSCALER_FLAGS : []),
  ];
  await start(controllerManager(tools, kubeconfigPath, controllerFlags));
  if (hasNodes) await start(scheduler(tools, kubeconfigPath));
  const transport = createTransport({
    kubeConfig: loadKubeConfig({ kubeconfig: kubeconfigPath }),
    userAgent: "llmbridge-test",
  });
  const client = createClient(transport);
  const stop = new AbortController();
  const pods = createInformer<PlayedPod>({ client, resource: resources.pods });
  pods.onChange(({ kind, object }) => {
    if (kind === "deleted") return;
    // A pod that is gone by now needs nothing.
    playKubelet(api, object, { hasNodes }).catch(() => undefined);
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
