import { llmBridgeSpec } from "../../operator/api/v1alpha1/spec.ts";
import { POD_MONITORS } from "../../operator/bridges/apply.ts";
import { revisionName } from "../../operator/bridges/names.ts";
import { revisionHash } from "../../operator/bridges/revision.ts";
import { HTTP_ROUTES } from "../../operator/bridges/route/http-route.ts";
import type { KubeClient } from "../../operator/kube/client.ts";
import { apiVersionOf, type Resource, resources } from "../../operator/kube/resources.ts";
import { actor, storySpec } from "./story.ts";

const labels = { app: "stranger" };
const OF_THE_BRIDGE = (bridge: string) => bridge;
const OF_THE_REVISION = (bridge: string, revision: string) => revisionName(bridge, revision);

/** For each kind of child how it is named, and the least that the API server takes for one. */
const STRANGERS: readonly (readonly [Resource, typeof OF_THE_REVISION, object])[] = [
  [resources.serviceAccounts, OF_THE_BRIDGE, {}],
  [resources.podDisruptionBudgets, OF_THE_BRIDGE, { spec: { selector: { matchLabels: labels } } }],
  [resources.networkPolicies, OF_THE_BRIDGE, { spec: { podSelector: { matchLabels: labels } } }],
  [resources.services, OF_THE_BRIDGE, { spec: { ports: [{ port: 80 }] } }],
  [resources.configMaps, OF_THE_REVISION, {}],
  [
    resources.deployments,
    OF_THE_REVISION,
    {
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: "main", image: "stranger" }] } },
      },
    },
  ],
  [HTTP_ROUTES, OF_THE_BRIDGE, { spec: {} }],
  [POD_MONITORS, OF_THE_BRIDGE, { spec: { selector: { matchLabels: labels }, podMetricsEndpoints: [] } }],
];

/** Makes a bridge for each kind of child, and before it an object of that child's name which is nobody's: whose it is has to be read. */
export async function meetStrangers(client: KubeClient, namespace: string): Promise<void> {
  const told = storySpec("registry.example/bridge:1");
  const traffic = { router: "Gateway" as const, route: { parentRefs: [{ name: "public" }] } };
  const spec = { ...told, rollout: { ...told.rollout, traffic } };
  const revision = revisionHash(llmBridgeSpec.parse(spec));
  for (const [resource, nameOf, body] of STRANGERS) {
    const bridge = `meets-${resource.plural}`;
    const metadata = { name: nameOf(bridge, revision), namespace };
    await client.create(resource, {
      ...body,
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      metadata,
    });
    await actor(client, namespace, bridge).bridge.apply(spec);
  }
}
