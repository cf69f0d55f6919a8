import type { KubeClient } from "../../operator/kube/client.ts";
import { resources } from "../../operator/kube/resources.ts";
import { until } from "../cluster/until.ts";
import type { Knobs } from "../model/knobs.ts";

const PORT = 9000;

/** The model stand-in of a namespace. */
export interface Model {
  /** As pods of the namespace reach it, without a path. */
  readonly urlInCluster: string;
  /** Changes how it behaves. */
  set(knobs: Partial<Knobs>): Promise<void>;
  stats(): Promise<Record<string, unknown>>;
}

export async function deployModel(
  client: KubeClient,
  namespace: string,
  serviceUrl: (name: string, port: number) => Promise<string>,
): Promise<Model> {
  const labels = { app: "model" };
  const options = { fieldManager: "llmbridge-test" };
  const metadata = { name: "model", namespace };
  const container = {
    name: "model",
    image: "llmbridge-test/model:dev",
    imagePullPolicy: "Never",
    ports: [{ containerPort: PORT }],
    // All bridges of a namespace wait for this one.
    resources: { requests: { cpu: "150m", memory: "64Mi" }, limits: { memory: "512Mi" } },
  };
  const deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [container] } },
    },
  };
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: { selector: labels, ports: [{ port: PORT }] },
  };
  await client.apply(resources.deployments, deployment, options);
  await client.apply(resources.services, service, options);
  const url = await serviceUrl("model", PORT);
  await until("the model stand-in to answer", 60_000, async () => {
    const response = await fetch(`${url}/stats`, { signal: AbortSignal.timeout(2_000) });
    return response.ok ? undefined : `status ${response.status}`;
  });
  return {
    urlInCluster: `http://model.${namespace}.svc:${PORT}`,
    async set(knobs) {
      const response = await fetch(`${url}/knobs`, { method: "PUT", body: JSON.stringify(knobs) });
      if (!response.ok)
        throw new Error(`the model refused ${JSON.stringify(knobs)}: ${await response.text()}`);
    },
    stats: async () => (await (await fetch(`${url}/stats`)).json()) as Record<string, unknown>,
  };
}
