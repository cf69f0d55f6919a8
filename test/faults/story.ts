import { COMMAND_ANNOTATION, type Command } from "../../operator/api/v1alpha1/commands.ts";
import type { LLMBridgeSpecInput } from "../../operator/api/v1alpha1/spec.ts";
import { LLMBRIDGES } from "../../operator/bridges/caches.ts";
import type { KubeClient } from "../../operator/kube/client.ts";
import { type Resource, resources } from "../../operator/kube/resources.ts";
import { Bridge, conditionOf } from "../scene/api.ts";
import type { ControlPlane } from "./control-plane.ts";

/** How long each act may take to come to its end. A minute and a half was not enough in a storm on a machine with much else to do. */
export const STORY_MS = 240_000;

/** A person with one bridge. */
export interface Actor {
  readonly bridge: Bridge;
  /** Gives an order to the bridge, as `kubectl llmbridge` does; without `id` the same order is given only once. */
  command(order: Omit<Command, "id"> & { readonly id?: string }): Promise<unknown>;
  /** Waits until a version is held at its first step; returns its revision. */
  holding(image: string): Promise<string>;
}

export function actor(client: KubeClient, namespace: string, name: string): Actor {
  const bridge = new Bridge(client, namespace, name);
  return {
    bridge,
    command(order) {
      const command = { ...order, id: order.id ?? `${order.action}-${order.revision}` };
      const annotations = { [COMMAND_ANNOTATION]: JSON.stringify(command) };
      return client.mergePatch(LLMBRIDGES, namespace, name, { metadata: { annotations } });
    },
    async holding(image) {
      const status = await bridge.waitFor(
        `holding ${image}`,
        ({ phase, canary }) => phase === "Holding" && canary?.image === image,
        STORY_MS,
      );
      return status.canary?.revision ?? "";
    },
  };
}

/** What a story needs around it. */
export interface Scenery {
  stop(): Promise<void>;
}

/** What people do with a bridge `told`; each act begins when the last has ended. */
export interface Story {
  /** What stands there before the operator starts, and goes when the story is over. */
  readonly prepare?: (plane: ControlPlane, namespace: string) => Promise<Scenery>;
  /** The administrator's settings. Default: a metric source that does not answer. */
  readonly settings?: object;
  /** Kinds of children that are looked at beside the usual ones; the control plane serves them. Default: none. */
  readonly also?: readonly Resource[];
  play(client: KubeClient, namespace: string): Promise<void>;
}

/**
 * From a first version to a promoted one and a withdrawn one.
 * @param whileHeld done to the bridge while the second version is held at its first step, and while the third is
 */
export async function playStory(
  client: KubeClient,
  namespace: string,
  whileHeld: (bridge: Bridge, version: 2 | 3) => Promise<void> = async () => undefined,
): Promise<void> {
  const { bridge, command, holding } = actor(client, namespace, "told");
  await bridge.apply(storySpec(bridgeImage(1)));
  await bridge.promoted(bridgeImage(1), STORY_MS);

  await bridge.patch({ image: bridgeImage(2) });
  const good = await holding(bridgeImage(2));
  await whileHeld(bridge, 2);
  await command({ action: "promote", revision: good, full: true });
  await bridge.promoted(bridgeImage(2), STORY_MS);

  await bridge.patch({ image: bridgeImage(3) });
  const bad = await holding(bridgeImage(3));
  await whileHeld(bridge, 3);
  await command({ action: "abort", revision: bad });
  await withdrawn(bridge);
}

/** Waits until the canary is gone and nothing is left to do. */
export async function withdrawn(bridge: Bridge): Promise<void> {
  await bridge.rolledBack(STORY_MS);
  await bridge.waitFor(
    "at rest",
    (status) => conditionOf(status, "Reconciling")?.status !== "True" && status.canary === undefined,
    STORY_MS,
  );
}

/** The same with what a Secret holds. */
async function playSecretStory(client: KubeClient, namespace: string): Promise<void> {
  const { bridge, command } = actor(client, namespace, "told");
  const name = "openai";
  const holds = (token: string) => ({ data: { token: Buffer.from(token).toString("base64") } });
  const canary = async (token: string): Promise<string> => {
    const { stable } = await bridge.status();
    await client.mergePatch(resources.secrets, namespace, name, holds(token));
    const held = await bridge.waitFor(
      `holding ${token}`,
      (status) => status.phase === "Holding" && status.canary?.revision !== stable?.revision,
      STORY_MS,
    );
    return held.canary?.revision ?? "";
  };
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { namespace, name }, ...holds("first") };
  await client.create(resources.secrets, secret);
  const { upstreams, ...spec } = storySpec(bridgeImage(1));
  const secretRef = { name, key: "token", onChange: "Canary" as const };
  await bridge.apply({ ...spec, upstreams: upstreams.map((one) => ({ ...one, secretRef })) });
  await bridge.promoted(bridgeImage(1), STORY_MS);

  const good = await canary("second");
  await command({ action: "promote", revision: good, full: true });
  await bridge.waitFor(
    "promoted",
    ({ phase, stable }) => phase === "Stable" && stable?.revision === good,
    STORY_MS,
  );

  const bad = await canary("third");
  await command({ action: "abort", revision: bad });
  await withdrawn(bridge);
}

/** Image and replicas in one edit, and twice again while the canary of the first is held: what was asked for last is what there is at the end. */
async function playTogetherStory(client: KubeClient, namespace: string): Promise<void> {
  const { bridge, command, holding } = actor(client, namespace, "told");
  const postgres = { secretRef: { name: "usage", key: "url" }, backendConnections: 100, maxPerPod: 5 };
  await bridge.apply({ ...storySpec(bridgeImage(1)), pools: { postgres } });
  await bridge.promoted(bridgeImage(1), STORY_MS);

  await bridge.patch({ image: bridgeImage(2), replicas: 3 });
  await holding(bridgeImage(2));
  await bridge.patch({ image: bridgeImage(3), replicas: 5 });
  await bridge.patch({ image: bridgeImage(4), replicas: 4 });
  const last = await holding(bridgeImage(4));
  await command({ action: "promote", revision: last, full: true });
  await bridge.waitFor(
    "promoted with both",
    ({ phase, stable }) => phase === "Stable" && stable?.image === bridgeImage(4) && stable.ready === 4,
    STORY_MS,
  );
}

export const IMAGES: Story = { play: (client, namespace) => playStory(client, namespace) };
export const SECRETS: Story = { play: playSecretStory };
export const TOGETHER: Story = {
  play: playTogetherStory,
};

/** An image that nobody pulls, since no kubelet runs. */
export const bridgeImage = (tag: number | string): string => `registry.example/bridge:${tag}`;

/** Two steps that a person must release, because no Prometheus tells of them. */
export function storySpec(image: string): LLMBridgeSpecInput {
  return {
    image,
    resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { cpu: "1", memory: "512Mi" } },
    upstreams: [{ name: "model", protocol: "OpenAI", url: "http://model.example/v1" }],
    scaling: { mode: "Fixed" },
    replicas: 2,
    rollout: {
      steps: [
        { name: "half", weight: 50, hold: "1h" },
        { name: "all", weight: 100, hold: "1h" },
      ],
      watchAfter: "0s",
    },
  };
}
