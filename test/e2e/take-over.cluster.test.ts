import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../../operator/api/v1alpha1/spec.ts";
import { run } from "../../operator/cli/run.ts";
import { testTerminal } from "../../operator/cli/testing/terminal.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { actor } from "../faults/story.ts";
import type { Load } from "../load/load.ts";
import { deployByHand } from "../scene/by-hand.ts";
import { openScene, type Scene } from "../scene/scene.ts";

/** A bridge of hand-written objects, called `web`, is taken over by one of the operator's, called `chat`, under load through both names. */

let scene: Scene;
beforeAll(async () => {
  scene = await openScene("take-over");
});
afterAll(async () => scene?.close());

/** Steps that are taken without proof, since the old pods tell nothing, but for the first. */
const STEPS = [
  { name: "quarter", weight: 25, hold: "5s", analysis: "Background", approval: true },
  { name: "half", weight: 50, hold: "5s", analysis: "Background" },
  { name: "all", weight: 100, hold: "5s", analysis: "Background" },
] as const;

type Pod = KubeObject & { status?: { containerStatuses?: { restartCount: number }[] } };

/** Uid and restarts of each old pod that is not told to end. */
async function oldPods(): Promise<Record<string, number>> {
  const pods = await scene.client.list<Pod>(resources.pods, {
    namespace: scene.namespace,
    labelSelector: "app=web",
  });
  return Object.fromEntries(
    pods
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata, status }) => [metadata.uid, status?.containerStatuses?.[0]?.restartCount ?? 0]),
  );
}

async function selectorOf(name: string): Promise<unknown> {
  type Service = KubeObject & { spec: { selector: unknown } };
  return (await scene.client.get<Service>(resources.services, scene.namespace, name)).spec.selector;
}

async function replicasOf(name: string): Promise<number> {
  type Deployment = KubeObject & { spec: { replicas: number } };
  return (await scene.client.get<Deployment>(resources.deployments, scene.namespace, name)).spec.replicas;
}

async function imported(): Promise<LLMBridgeSpecInput> {
  const terminal = testTerminal();
  const place = ["-n", scene.namespace, "--kubeconfig", scene.cluster.kubeconfigPath];
  const code = await run(
    ["import", "deployment/web", "--name", "chat", "-o", "json", ...place],
    {},
    terminal,
  );
  expect({ code, errors: terminal.err.split("\n").filter((line) => line.startsWith("error")) }).toEqual({
    code: 0,
    errors: [],
  });
  return (JSON.parse(terminal.out) as { spec: LLMBridgeSpecInput }).spec;
}

async function expectNoneLost(load: Load, least: number): Promise<void> {
  const { failed, cut, samples, finished, sent } = await load.stop();
  console.log(JSON.stringify({ sent, finished, failed, cut }));
  expect({ failed, cut, samples }).toEqual({ failed: 0, cut: 0, samples: [] });
  expect(finished).toBeGreaterThan(least);
}

describe("a Deployment and its Service that somebody wrote by hand", () => {
  it("are taken over, aborted, promoted and given back under load, with 0 failed and 0 cut requests", async () => {
    const { namespace } = scene;
    await deployByHand(scene, "web", 3);
    const before = await oldPods();
    const bridge = scene.bridge();
    const { command } = actor(scene.client, namespace, "chat");
    const load = { rps: 25, longStreams: 3, longStreamSeconds: 10, agents: 3 };
    const old = await scene.load(bridge, { ...load, url: await scene.serviceUrl("web") });

    const spec = await imported();
    expect(spec.takeOver).toEqual({ deployment: "web", services: ["web"] });
    const rollout = { ...spec.rollout, steps: [...STEPS], watchAfter: "5s", progressDeadline: "2m" };
    // As many at once as the old pods take: nothing tells import of it.
    const upstreams = spec.upstreams.map((one) => ({ ...one, maxConcurrencyPerPod: 64 }));
    await bridge.apply({ ...spec, upstreams, rollout });
    const waits = ({ phase, rollout: now }: Awaited<ReturnType<typeof bridge.status>>) =>
      phase === "Holding" && now?.heldFor === "Approval";
    const first = await bridge.waitFor("waiting for a person", waits);
    const revision = first.canary?.revision ?? "";
    const renamed = await scene.load(bridge, load);
    await expect.poll(() => selectorOf("web")).toEqual({ "llmbridge.dev/bridge": "chat" });

    await command({ action: "abort", revision, id: "abort" });
    await bridge.rolledBack();
    await expect.poll(() => selectorOf("web")).toEqual({ app: "web" });
    await expect.poll(oldPods).toEqual(before);

    await command({ action: "retry", revision, id: "retry" });
    await bridge.waitFor("waiting for a person again", waits);
    await expect.poll(oldPods).toEqual(before);
    await command({ action: "promote", revision, step: "quarter", id: "promote" });
    await bridge.waitFor("complete", ({ takeOver }) => takeOver?.complete === true, 240_000);
    await expectNoneLost(renamed, 300);
    await expect.poll(() => replicasOf("web")).toBe(0);
    await expect
      .poll(() => selectorOf("web"))
      .toEqual({
        "llmbridge.dev/bridge": "chat",
        "llmbridge.dev/revision": revision,
      });

    await bridge.delete();
    await expect.poll(() => bridge.get(), { timeout: 120_000 }).toBeUndefined();
    await expect.poll(() => selectorOf("web")).toEqual({ app: "web" });
    await expect.poll(() => replicasOf("web")).toBe(3);
    await expectNoneLost(old, 500);
  });
});
