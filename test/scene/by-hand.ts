import { rendered } from "../../operator/cli/offline.ts";
import type { DesiredObject, KubeObject } from "../../operator/kube/object.ts";
import { type Resource, resources } from "../../operator/kube/resources.ts";
import { until } from "../cluster/until.ts";
import type { Scene } from "./scene.ts";

interface Rendered extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: { readonly template: { readonly spec: PodSpec } };
}

interface PodSpec {
  readonly volumes: readonly { readonly name: string; readonly configMap?: { readonly name: string } }[];
  readonly containers: readonly { readonly env: readonly object[] }[];
}

/**
 * Deploys a bridge as somebody would without the operator: a Deployment, a Service and two ConfigMaps of their own, with labels of their own, and
 * waits until it serves.
 */
export async function deployByHand(scene: Scene, name: string, replicas: number): Promise<void> {
  const { client, namespace, model } = scene;
  const spec = await scene.spec();
  const { children } = rendered({ metadata: { name, namespace }, spec }, namespace);
  const objects = children as unknown as readonly Rendered[];
  const template = objects.find(({ kind }) => kind === "Deployment")?.spec?.template.spec;
  const maps = objects.filter(({ kind }) => kind === "ConfigMap");
  if (!template) throw new Error("no Deployment was rendered");
  const mine = (configMap: string) => (configMap.endsWith("-runtime") ? `${name}-numbers` : `${name}-file`);
  const create = (resource: Resource, object: object) =>
    client.create(resource, { ...object } as DesiredObject);
  for (const { metadata, data } of maps)
    await create(resources.configMaps, { metadata: { name: mine(metadata.name), namespace }, data });
  const labels = { app: name };
  const [container] = template.containers;
  const told = [{ name: "OPENAI_BASE_URL", value: `${model.urlInCluster}/v1` }];
  const pod = {
    ...template,
    serviceAccountName: "default",
    topologySpreadConstraints: [],
    containers: [{ ...container, env: [...(container?.env ?? []), ...told] }],
    volumes: template.volumes.map((volume) =>
      volume.configMap
        ? { ...volume, configMap: { ...volume.configMap, name: mine(volume.configMap.name) } }
        : volume,
    ),
  };
  await create(resources.deployments, {
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: pod },
    },
  });
  await create(resources.services, {
    metadata: { name, namespace },
    spec: { selector: labels, ports: [{ name: "web", port: 80, targetPort: "traffic" }] },
  });
  type Deployment = KubeObject & { status?: { readyReplicas?: number } };
  await until(`${name} to serve`, 120_000, async () => {
    const { status } = await client.get<Deployment>(resources.deployments, namespace, name);
    return status?.readyReplicas === replicas ? undefined : `${status?.readyReplicas ?? 0} are ready`;
  });
}
