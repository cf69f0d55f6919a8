import { apiClient } from "./api-client.ts";
import type { ComponentName } from "./cluster.ts";
import { containerdSocket } from "./node.ts";
import { clockProblem } from "./preflight.ts";
import { isAlive } from "./processes.ts";
import type { ClusterSettings } from "./settings.ts";
import { socketAnswers } from "./sockets.ts";
import { apiReady, kubeconfigPath, namesResolve, nodeReady, prometheusReady } from "./start.ts";
import type { ClusterState } from "./state.ts";

/** What is wrong with a cluster that should be up, in one sentence; undefined when it is healthy. */
export async function healthProblem(
  settings: ClusterSettings,
  state: ClusterState,
): Promise<string | undefined> {
  const clock = clockProblem(Date.now(), state.startedAtMs);
  if (clock !== undefined) return clock;
  if (!isAlive(state.node)) return "its node has ended";
  const dead = Object.values(state.running).filter(
    ({ component, process }) => !state.stopped.includes(component.name) && !isAlive(process),
  );
  if (dead.length > 0) return `${dead.map(({ component }) => component.name).join(", ")} ended`;
  if (state.stopped.length > 0) return undefined; // somebody is testing with a part of it stopped
  const client = apiClient(kubeconfigPath(settings));
  try {
    const alive = (): void => undefined;
    await apiReady(client, alive);
    await nodeReady(client, alive);
    await namesResolve(settings);
    await prometheusReady(settings);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await client.close();
  }
}

/** Waits until a component that was started again does its work. */
export async function waitReady(settings: ClusterSettings, name: ComponentName): Promise<void> {
  if (name === "prometheus") return prometheusReady(settings);
  if (name === "containerd") return socketAnswers(containerdSocket(settings), () => undefined);
  const client = apiClient(kubeconfigPath(settings));
  try {
    await apiReady(client, () => undefined);
    if (name === "kubelet") await nodeReady(client, () => undefined);
  } finally {
    await client.close();
  }
}
