import type { LLMBridgeSpecInput } from "../../../operator/api/v1alpha1/spec.ts";
import { HTTP_ROUTES } from "../../../operator/bridges/route/http-route.ts";
import type { KubeClient } from "../../../operator/kube/client.ts";
import { playGateways } from "../../kube/gateway-api.ts";
import { makeOld } from "../../rollout/old-deployment.ts";
import { conditionOf } from "../../scene/api.ts";
import { ROUTED_SETTINGS, routedSpec, said, TAKES } from "../routed-stage.ts";
import { actor, bridgeImage, STORY_MS, type Story, storySpec, withdrawn } from "../story.ts";

/** Stories in which traffic is moved elsewhere than in the bridge's own Service. */

const GATEWAY_NAME = "public";

/** A promoted version and a withdrawn one, behind a route of the operator's. */
async function playGatewayStory(client: KubeClient, namespace: string): Promise<void> {
  const { bridge, command, holding } = actor(client, namespace, "told");
  await bridge.apply(routedSpec(bridgeImage(1), { route: { parentRefs: [{ name: GATEWAY_NAME }] } }));
  await bridge.promoted(bridgeImage(1), STORY_MS);
  await bridge.waitFor("told that its route is accepted", said("Accepted"), STORY_MS);

  await bridge.patch({ image: bridgeImage(2) });
  const good = await holding(bridgeImage(2));
  await command({ action: "promote", revision: good, full: true });
  await bridge.promoted(bridgeImage(2), STORY_MS);

  await bridge.patch({ image: bridgeImage(3) });
  const bad = await holding(bridgeImage(3));
  await command({ action: "abort", revision: bad });
  await withdrawn(bridge);
}

/** A Deployment and its Service that were there before: taken over, and then led to a version that is withdrawn. */
async function playTakeOverStory(client: KubeClient, namespace: string): Promise<void> {
  const { bridge, command, holding } = actor(client, namespace, "told");
  const takeOver = { deployment: "web", services: ["web"] };
  await bridge.apply({ ...storySpec(bridgeImage(1)), takeOver } as LLMBridgeSpecInput);
  const first = await holding(bridgeImage(1));
  await command({ action: "promote", revision: first, full: true });
  await bridge.promoted(bridgeImage(1), STORY_MS);
  await bridge.waitFor(
    "complete",
    (status) => conditionOf(status, "TakenOver")?.reason === "Complete",
    STORY_MS,
  );

  await bridge.patch({ image: bridgeImage(2) });
  const bad = await holding(bridgeImage(2));
  await command({ action: "abort", revision: bad });
  await withdrawn(bridge);
}

export const GATEWAY: Story = {
  settings: ROUTED_SETTINGS,
  also: [HTTP_ROUTES],
  prepare: ({ client }, namespace) => playGateways(client, namespace, { [GATEWAY_NAME]: TAKES }),
  play: playGatewayStory,
};

export const TAKE_OVER: Story = {
  async prepare(plane, namespace) {
    await makeOld(plane, namespace, "web");
    return { stop: async () => undefined };
  },
  play: playTakeOverStory,
};
