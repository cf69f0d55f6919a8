import { Registry } from "prom-client";
import { isNotFound } from "../../operator/kube/errors.ts";
import { loadKubeConfig } from "../../operator/kube/kubeconfig.ts";
import { createKubeMetrics } from "../../operator/kube/metrics.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { pathOf, resources } from "../../operator/kube/resources.ts";
import { createTransport } from "../../operator/kube/transport.ts";
import { until } from "../kube/until.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { PlayedPod } from "./kubelet.ts";

/** Nodes of a control plane that has no machines: what the scheduler and `kubectl drain` know of them. */

const nodePath = (name: string): string => `/api/v1/nodes/${name}`;
const MERGE = "application/merge-patch+json";

/** Adds a node that is Ready and has room for so many pods, whatever they ask for. */
export async function addNode({ api }: ControlPlane, name: string, room: number): Promise<void> {
  const labels = { "kubernetes.io/hostname": name };
  await api.request("POST", "/api/v1/nodes", { metadata: { name, labels } });
  const amounts = { cpu: "64", memory: "64Gi", pods: String(room) };
  const conditions = [{ type: "Ready", status: "True", reason: "Played" }];
  const status = { capacity: amounts, allocatable: amounts, conditions };
  await api.request("PATCH", `${nodePath(name)}/status`, { status }, MERGE);
  // The API server taints every new node until a controller that does not run here finds it Ready.
  await api.request("PATCH", nodePath(name), { spec: { taints: null } }, MERGE);
}

/** Lets the scheduler put nothing more on a node. */
export async function cordon({ api }: ControlPlane, name: string): Promise<void> {
  await api.request("PATCH", nodePath(name), { spec: { unschedulable: true } }, MERGE);
}

/** A node that is being emptied. */
export interface Drain {
  /** How many evictions the disruption budget has refused so far. */
  refusals(): Promise<number>;
  /** Ends when the last of its pods is gone; rejected where an eviction fails otherwise than by a budget. */
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

const isTooMany = (error: unknown): boolean => (error as { code?: number }).code === 429;

/**
 * Does what `kubectl drain` does: takes the node out of scheduling, asks for the eviction of each of its pods, asks again where a budget
 * refuses, and waits until the pods are gone. Those that `first` chooses are asked for before the others.
 */
export async function drain(
  plane: ControlPlane,
  node: string,
  first: (pod: PlayedPod) => boolean = () => true,
): Promise<Drain> {
  await cordon(plane, node);
  const registry = new Registry();
  const transport = createTransport({
    kubeConfig: loadKubeConfig({ kubeconfig: plane.server.kubeconfigPath }),
    userAgent: "kubectl-drain",
    metrics: createKubeMetrics(registry),
  });
  const stopped = new AbortController();
  const { signal } = stopped;

  const evict = async ({ metadata: { namespace = "", name, uid } }: KubeObject): Promise<void> => {
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { namespace, name } };
    const body = { ...eviction, deleteOptions: { preconditions: { uid } } };
    const path = pathOf(resources.pods, namespace, name, "eviction");
    try {
      // Sends again by itself what is answered with 429, a few times.
      const request = { method: "POST", verb: "create", resource: "evictions", subject: name } as const;
      await transport.send({ ...request, path, body, idempotent: false, signal });
    } catch (error) {
      if (isTooMany(error)) return evict({ metadata: { namespace, name, uid } } as KubeObject);
      if (!isNotFound(error)) throw error;
    }
  };
  const isThere = async ({ metadata: { namespace = "", name, uid } }: KubeObject): Promise<boolean> => {
    const pods = await plane.client.list(resources.pods, { namespace });
    return pods.some(({ metadata }) => metadata.name === name && metadata.uid === uid);
  };
  const all = await plane.client.list<PlayedPod>(resources.pods, {});
  const pods = all.filter(({ spec }) => spec.nodeName === node);
  const empty = async (): Promise<void> => {
    const early = pods.filter(first);
    await Promise.all(early.map(evict));
    await Promise.all(pods.filter((pod) => !early.includes(pod)).map(evict));
    for (const pod of pods)
      await until(`${pod.metadata.name} to be gone`, async () => signal.aborted || !(await isThere(pod)));
  };
  const done = empty();
  // Told to whoever waits for it; a test that has failed waits no more.
  done.catch(() => undefined);
  return {
    async refusals() {
      const text = await registry.getSingleMetricAsString("operator_api_requests_total");
      return Number(/code="429"[^\n]*} (\d+)/.exec(text)?.[1] ?? 0);
    },
    done,
    async stop() {
      stopped.abort();
      await done.catch(() => undefined);
      await transport.close();
    },
  };
}
