import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LLMBRIDGES } from "../../operator/bridges/caches.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { cacheRoot } from "../../tools/setup/cache.ts";
import { until } from "../cluster/until.ts";
import { nextOperatorImage } from "../images/all.ts";
import { conditionOf } from "../scene/api.ts";
import { startAudit, writesOfOperator } from "../scene/audit.ts";
import { CHILD_KINDS } from "../scene/children.ts";
import { installOperator, OPERATOR_NAMESPACE, uninstallOperator } from "../scene/operator.ts";
import { killOperator, leader, leaderIdentity } from "../scene/operator-pods.ts";
import { openScene, type Scene } from "../scene/scene.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene("leading");
  await scene.cluster.loadImage(await nextOperatorImage(cacheRoot(process.env)));
});
afterAll(async () => {
  if (!scene) return;
  // The next suite finds one operator of the present version.
  await installOperator(scene.cluster);
  await scene.close();
});

async function operatorPods(): Promise<string[]> {
  const pods = await scene.client.list<KubeObject>(resources.pods, { namespace: OPERATOR_NAMESPACE });
  return pods.filter(({ metadata }) => !metadata.deletionTimestamp).map(({ metadata }) => metadata.name);
}

async function secondsUntilLedBy(what: string, wanted: (identity: string) => boolean): Promise<number> {
  const startedMs = Date.now();
  await until(what, 60_000, async () => {
    const identity = await leaderIdentity(scene.client);
    return wanted(identity) ? undefined : `led by "${identity}"`;
  });
  return (Date.now() - startedMs) / 1000;
}

describe("two replicas of the operator", () => {
  it("have one leader; the other takes over when it is killed, and an upgrade hands over", async () => {
    const bridge = scene.bridge();
    await bridge.apply(await scene.spec({ scaling: { minReplicas: 2, maxReplicas: 3 } }));
    await bridge.promoted(await scene.image("first"));
    const load = await scene.load(bridge, { rps: 10 });
    await installOperator(scene.cluster, { replicas: 2 });
    expect(await operatorPods()).toHaveLength(2);

    const killed = await leader(scene.client);
    const audit = startAudit(scene.cluster.auditLogPath);
    const killedMs = Date.now();
    await killOperator(scene.client, killed);
    const lost = await secondsUntilLedBy("the other replica to lead", (one) => !one.startsWith(killed));
    console.log(`leader killed to the other leading: ${lost.toFixed(1)} s`);
    expect(await operatorPods()).toContain(await leader(scene.client));
    await bridge.patch({ alerts: [] });
    const edited = (await bridge.get())?.metadata.generation ?? 0;
    await bridge.waitFor("seen by the new leader", (now) => (now.observedGeneration ?? 0) >= edited);
    console.log(`leader killed to an edit seen: ${((Date.now() - killedMs) / 1000).toFixed(1)} s`);
    // A new leader that finds everything as it should be writes nothing but what the edit asks for: a status.
    const writes = writesOfOperator(await audit.requests()).filter((one) => one.resource !== "events");
    expect(new Set(writes.map((one) => one.resource))).toEqual(new Set(["llmbridges/status"]));

    const before = await leaderIdentity(scene.client);
    const gaps = watchForGaps();
    await installOperator(scene.cluster, { replicas: 2, tag: "next" });
    const longest = await gaps.stop();
    expect(await leaderIdentity(scene.client)).not.toBe(before);
    console.log(`rolling upgrade: longest time without a leader ${longest.toFixed(1)} s`);
    // Handed over: who waits for the lease to run out waits for its 15 s.
    expect(longest).toBeLessThan(15);
    const report = await load.stop();
    expect({ failed: report.failed, samples: report.samples }).toEqual({ failed: 0, samples: [] });
  });
});

/** Looks who leads again and again, and remembers the longest time that nobody did. */
function watchForGaps(): { stop(): Promise<number> } {
  let over = false;
  const run = async () => {
    let longest = 0;
    let emptySinceMs: number | undefined;
    while (!over) {
      const identity = await leaderIdentity(scene.client);
      const pods = await operatorPods();
      const led = pods.some((pod) => identity.startsWith(`${pod}_`));
      if (led) emptySinceMs = undefined;
      else emptySinceMs ??= Date.now();
      if (emptySinceMs !== undefined) longest = Math.max(longest, (Date.now() - emptySinceMs) / 1000);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return longest;
  };
  const running = run();
  return {
    stop() {
      over = true;
      return running;
    },
  };
}

describe("an operator that is uninstalled", () => {
  it("leaves the CRD, the bridges and their pods, which serve on, and takes them up again when it is back", async () => {
    const bridge = scene.bridge("kept");
    await bridge.apply(await scene.spec({ scaling: { minReplicas: 2, maxReplicas: 3 } }));
    await bridge.promoted(await scene.image("first"));
    const load = await scene.load(bridge, { rps: 10 });
    const childrenBefore = await childUids("kept");

    await uninstallOperator(scene.cluster);
    expect(await operatorPods()).toEqual([]);
    const crds = { ...LLMBRIDGES, group: "apiextensions.k8s.io", version: "v1", namespaced: false };
    await scene.client.get(
      { ...crds, plural: "customresourcedefinitions", kind: "CustomResourceDefinition" },
      "",
      "llmbridges.llmbridge.dev",
    );
    expect((await bridge.get())?.metadata.deletionTimestamp).toBeUndefined();
    const before = load.snapshot();
    await until("50 requests to be answered without an operator", 30_000, async () =>
      load.snapshot().finished - before.finished > 50 ? undefined : "fewer were",
    );
    await installOperator(scene.cluster);
    await bridge.patch({ alerts: [] });
    const edited = (await bridge.get())?.metadata.generation ?? 0;
    const seen = await bridge.waitFor("taken up again", (now) => (now.observedGeneration ?? 0) >= edited);
    expect(conditionOf(seen, "Ready")?.status).toBe("True");
    expect(await childUids("kept")).toEqual(childrenBefore);
    const report = await load.stop();
    expect({ failed: report.failed, cut: report.cut, samples: report.samples }).toEqual({
      failed: 0,
      cut: 0,
      samples: [],
    });
  });
});

async function childUids(bridge: string): Promise<string[]> {
  const labelSelector = `llmbridge.dev/bridge=${bridge}`;
  const lists = await Promise.all(
    CHILD_KINDS.map((kind) => scene.client.list(kind, { namespace: scene.namespace, labelSelector })),
  );
  return lists
    .flat()
    .map(({ metadata }) => metadata.uid)
    .sort();
}
