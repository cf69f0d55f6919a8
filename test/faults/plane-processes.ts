import { dirname } from "node:path";
import { cacheRoot } from "../../tools/setup/cache.ts";
import { createProgress } from "../../tools/setup/progress.ts";
import { toolPaths } from "../../tools/setup/tools.ts";
import { type ApiServer, apiServerUp } from "../cluster/api-server.ts";
import { type Component, startComponent } from "../cluster/component.ts";
import { controllerManager, scheduler } from "../cluster/control-plane.ts";
import type { ProcessId } from "../cluster/processes.ts";
import { bridgeApi } from "../conformance/bridge-api.ts";

const CONTROLLERS = [
  "deployment-controller",
  "replicaset-controller",
  "garbage-collector-controller",
  "namespace-controller",
  "resourcequota-controller",
  "job-controller",
];

/** A real one looks every 15 s. */
const AUTOSCALER_FLAGS = ["--horizontal-pod-autoscaler-sync-period=1s"];

export interface PlaneOptions {
  /** More flags of the API server. */
  readonly flags?: readonly string[];
  /** Whether pods wait until the real scheduler has found them one of the nodes that the test adds. Default: they run nowhere. */
  readonly hasNodes?: boolean;
  /** Whether disruption budgets are kept, so that pods can be evicted. Default: where there are nodes. */
  readonly hasBudgets?: boolean;
  /** Whether HorizontalPodAutoscalers are obeyed, by what the test's metrics say. Default: they are only stored. */
  readonly hasAutoscalers?: boolean;
}

/**
 * Starts the API server with the CRD as generated now, and the controllers; they end with `down`.
 * @param owner the process with which they end if nobody ends them. Default: this one
 */
export async function startPlaneProcesses(
  { flags = [], hasNodes = false, hasBudgets = hasNodes, hasAutoscalers = false }: PlaneOptions,
  owner?: ProcessId,
): Promise<ApiServer> {
  const progress = createProgress({ write: () => {}, nowMs: Date.now });
  const server = await apiServerUp({ progress, extraFlags: flags, ...(owner && { owner }) });
  const { kubeconfigPath } = server;
  const api = bridgeApi(kubeconfigPath);
  await api.installCrd();
  await api.close();
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
  return server;
}
