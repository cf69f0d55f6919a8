import { expect } from "vitest";
import type { KubeObject } from "../../operator/kube/object.ts";
import { type Resource, resources } from "../../operator/kube/resources.ts";
import type { ControlPlane } from "../faults/control-plane.ts";

export interface StoredDeployment extends KubeObject {
  readonly spec: { readonly replicas: number; readonly template: object };
  readonly status?: { readonly readyReplicas?: number };
}

export interface StoredService extends KubeObject {
  readonly spec: { readonly selector: Readonly<Record<string, string>>; readonly ports: readonly object[] };
}

export interface OldOptions {
  readonly replicas?: number;
  readonly containerPort?: number;
  /** Variables of its container. */
  readonly env?: readonly object[];
  /** More metadata of the Deployment. */
  readonly metadata?: object;
}

/** Makes a Deployment that serves and the Service of the same name that leads to it, as somebody had them before there was a bridge. */
export async function makeOld(
  { api, client }: ControlPlane,
  namespace: string,
  name: string,
  { replicas = 2, containerPort = 8080, env = [], metadata = {} }: OldOptions = {},
): Promise<void> {
  const labels = { app: name };
  const ports = [{ name: "http", containerPort }];
  const containers = [{ name: "web", image: "registry.example/old:1", ports, env }];
  // No controller makes it here.
  await api.request("POST", `/api/v1/namespaces/${namespace}/serviceaccounts`, {
    metadata: { name: "default" },
  });
  await api.request("POST", `/apis/apps/v1/namespaces/${namespace}/deployments`, {
    metadata: { name, ...metadata },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
    },
  });
  await api.request("POST", `/api/v1/namespaces/${namespace}/services`, {
    metadata: { name },
    spec: { selector: labels, ports: [{ port: 80, targetPort: "http" }] },
  });
  const ready = async () =>
    (await client.get<StoredDeployment>(resources.deployments, namespace, name)).status?.readyReplicas ?? 0;
  await expect.poll(ready, { timeout: 30_000 }).toBe(replicas);
}

export const read = <T extends KubeObject>(
  { client }: ControlPlane,
  namespace: string,
  resource: Resource,
  name: string,
): Promise<T> => client.get<T>(resource, namespace, name);

/** Pods of the old image that are not told to end. */
export async function oldPods({ client }: ControlPlane, namespace: string): Promise<readonly KubeObject[]> {
  type Pod = KubeObject & { spec: { containers: { image: string }[] } };
  const pods = await client.list<Pod>(resources.pods, { namespace });
  return pods.filter(
    ({ spec, metadata }) =>
      spec.containers[0]?.image === "registry.example/old:1" && metadata.deletionTimestamp === undefined,
  );
}
