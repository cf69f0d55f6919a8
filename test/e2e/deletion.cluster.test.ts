import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../operator/kube/object.ts";
import { type Resource, resources } from "../../operator/kube/resources.ts";
import { until } from "../cluster/until.ts";
import { type Bridge, conditionOf } from "../scene/api.ts";
import { CHILD_KINDS } from "../scene/children.ts";
import { openScene, type Scene } from "../scene/scene.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene("deletion");
});
afterAll(async () => scene?.close());

const seconds = (sinceMs: number) => ((Date.now() - sinceMs) / 1000).toFixed(1);

/** Kinds of everything that a bridge leads to, by the operator or by Kubernetes. */
const KINDS: readonly Resource[] = [
  ...CHILD_KINDS,
  { ...resources.deployments, plural: "replicasets", kind: "ReplicaSet" },
  {
    group: "discovery.k8s.io",
    version: "v1",
    plural: "endpointslices",
    kind: "EndpointSlice",
    namespaced: true,
  },
];

/** "Service chat-canary" and its uid, of everything that carries the bridge's name or label. */
async function leftOf(bridge: Bridge): Promise<Map<string, string>> {
  const lists = await Promise.all(
    KINDS.map(async (kind) => {
      const objects = await scene.client.list<KubeObject>(kind, { namespace: scene.namespace });
      return objects.map(({ metadata }) => [kind.kind, metadata] as const);
    }),
  );
  return new Map(
    lists
      .flat()
      .filter(
        ([, { name, labels }]) =>
          labels?.["llmbridge.dev/bridge"] === bridge.name ||
          name === bridge.name ||
          name.startsWith(`${bridge.name}-`),
      )
      .map(([kind, { name, uid }]) => [`${kind} ${name}`, uid]),
  );
}

describe("a bridge that is deleted", () => {
  it("leaves nothing, and one of the same name made at once becomes Ready with children of its own that stay", async () => {
    const bridge = scene.bridge("gone");
    // Two pods and no more, whatever a busy machine makes of their demand.
    const spec = await scene.spec({ scaling: { minReplicas: 2, maxReplicas: 2 } });
    await bridge.apply(spec);
    await bridge.promoted(spec.image);
    const old = await leftOf(bridge);
    // Nine of ours, and Kubernetes' own: a ReplicaSet, two pods, three EndpointSlices.
    expect(old.size).toBe(15);

    await bridge.delete();
    await until("the bridge to be gone", 30_000, async () =>
      (await bridge.get()) ? "it is still there" : undefined,
    );
    const againMs = Date.now();
    await bridge.apply(spec);
    await bridge.waitFor("never in conflict and Ready", (now) => {
      expect(conditionOf(now, "Accepted")?.reason ?? "Valid").toBe("Valid");
      expect(conditionOf(now, "Stalled")?.status ?? "False").toBe("False");
      return now.phase === "Stable" && conditionOf(now, "Ready")?.status === "True";
    });
    console.log(`re-created at once to Ready: ${seconds(againMs)} s`);
    await until("all of the old one to be gone", 60_000, async () => {
      const left = new Set((await leftOf(bridge)).values());
      const leftover = [...old].filter(([, uid]) => left.has(uid)).map(([what]) => what);
      return leftover.length === 0 ? undefined : `left: ${leftover.join(", ")}`;
    });
    const made = await leftOf(bridge);
    expect(made.size).toBe(15);
    // The garbage collector has finished with the old one; what is here now belongs to the new one and stays.
    await delay(5_000);
    expect(await leftOf(bridge)).toEqual(made);

    const deletedMs = Date.now();
    await bridge.delete();
    await until("nothing to be left", 90_000, async () => {
      const left = [...(await leftOf(bridge)).keys()];
      return left.length === 0 ? undefined : `left: ${left.join(", ")}`;
    });
    console.log(`deleted to nothing left: ${seconds(deletedMs)} s`);
  });
});
