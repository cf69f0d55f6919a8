import { COMMAND_ANNOTATION, type Command } from "../../operator/api/v1alpha1/commands.ts";
import type { LLMBridgeSpecInput } from "../../operator/api/v1alpha1/spec.ts";
import { LLMBRIDGES } from "../../operator/bridges/caches.ts";
import type { KubeClient } from "../../operator/kube/client.ts";
import { Bridge, conditionOf } from "../scene/api.ts";

const STORY_MS = 90_000;

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

/** What a person does with one bridge, from its first version to a promoted and a withdrawn one; each act begins when the last has ended. */
export async function playStory(client: KubeClient, namespace: string): Promise<void> {
  const { bridge, command, holding } = actor(client, namespace, "told");
  await bridge.apply(storySpec("registry.example/bridge:1"));
  await bridge.promoted("registry.example/bridge:1", STORY_MS);

  await bridge.patch({ image: "registry.example/bridge:2" });
  const good = await holding("registry.example/bridge:2");
  await command({ action: "promote", revision: good, full: true });
  await bridge.promoted("registry.example/bridge:2", STORY_MS);

  await bridge.patch({ image: "registry.example/bridge:3" });
  const bad = await holding("registry.example/bridge:3");
  await command({ action: "abort", revision: bad });
  await bridge.rolledBack(STORY_MS);
  await bridge.waitFor(
    "at rest",
    (status) => conditionOf(status, "Reconciling")?.status !== "True" && status.canary === undefined,
    STORY_MS,
  );
}

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
