import type { KubeClient } from "../../operator/kube/client.ts";
import { isNotFound } from "../../operator/kube/errors.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { type Resource, resources } from "../../operator/kube/resources.ts";
import { until } from "./until.ts";

/** The API of the Prometheus Operator by which pods are scraped, of which only as much is defined as is written here. */
export const POD_MONITORS: Resource = {
  group: "monitoring.coreos.com",
  version: "v1",
  plural: "podmonitors",
  kind: "PodMonitor",
  namespaced: true,
};
const NAME = `${POD_MONITORS.plural}.${POD_MONITORS.group}`;

const text = { type: "string" };
const listOf = (items: object) => ({ type: "array", items });
const endpoint = {
  type: "object",
  properties: {
    ...{ port: text, path: text, interval: text, filterRunning: { type: "boolean", default: true } },
    relabelings: listOf({
      type: "object",
      properties: {
        ...{ sourceLabels: listOf(text), targetLabel: text },
        action: { type: "string", default: "replace" },
      },
    }),
  },
};
const DEFINITION = {
  metadata: { name: NAME },
  spec: {
    group: POD_MONITORS.group,
    scope: "Namespaced",
    names: {
      plural: POD_MONITORS.plural,
      singular: "podmonitor",
      kind: POD_MONITORS.kind,
      listKind: "PodMonitorList",
    },
    versions: [
      {
        name: POD_MONITORS.version,
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: {
                type: "object",
                required: ["selector"],
                properties: {
                  podMetricsEndpoints: listOf(endpoint),
                  selector: {
                    type: "object",
                    properties: { matchLabels: { type: "object", additionalProperties: text } },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
};

interface Definition extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Installs the API and waits until it is served. */
export async function servePodMonitors(client: KubeClient): Promise<void> {
  await client.create(resources.customResourceDefinitions, DEFINITION as never);
  await until("the API", async () => {
    const { status } = await client.get<Definition>(resources.customResourceDefinitions, "", NAME);
    return (
      status?.conditions?.some((one) => one.type === "Established" && one.status === "True") &&
      client.list(POD_MONITORS).then(
        () => true,
        () => false,
      )
    );
  });
}

/** Takes the API away with all of its objects. */
export async function removePodMonitors(client: KubeClient): Promise<void> {
  const isGone = (error: unknown): boolean => {
    if (isNotFound(error)) return true;
    throw error;
  };
  await client.delete(resources.customResourceDefinitions, "", NAME).catch(isGone);
  await until("no API", () =>
    client.get(resources.customResourceDefinitions, "", NAME).then(() => false, isGone),
  );
}
