import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../../operator/api/v1alpha1/spec.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { type Bed, openBed, type Stage } from "../faults/bed.ts";
import { bridgeImage, storySpec } from "../faults/story.ts";
import { conditionOf } from "../scene/api.ts";
import { makeOld, oldPods, read, type StoredDeployment, type StoredService } from "./old-deployment.ts";

/** Take-overs against a real API server with the real controllers of Deployments; pods are said to be ready, and no Prometheus tells. */

const NEW = bridgeImage(1);
const ORIGINAL = { app: "web" };

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => bed?.down());

const spec = (more: Partial<LLMBridgeSpecInput> = {}): LLMBridgeSpecInput => ({
  ...storySpec(NEW),
  takeOver: { deployment: "web", service: "web" },
  ...more,
});

async function opened(): Promise<Stage> {
  const stage = await bed.stage();
  await makeOld(bed.plane, stage.namespace, "web");
  return stage;
}

const service = (stage: Stage) => read<StoredService>(bed.plane, stage.namespace, resources.services, "web");
const deployment = (stage: Stage) =>
  read<StoredDeployment>(bed.plane, stage.namespace, resources.deployments, "web");
const uids = async (stage: Stage) =>
  (await oldPods(bed.plane, stage.namespace)).map(({ metadata }) => metadata.uid).sort();
const replicas = async (stage: Stage) => (await deployment(stage)).spec.replicas;

describe("a bridge that takes over from a Deployment", () => {
  it("has it as the stable version of its first canary, and hands over to what is promoted", async () => {
    const stage = await opened();
    const before = await uids(stage);
    const { bridge, holding, command } = stage.actor();
    await bridge.apply(spec());
    const revision = await holding(NEW);
    const held = await bridge.status();
    expect(held.stable).toMatchObject({ revision: "taken-over", image: "registry.example/old:1", ready: 2 });
    expect(conditionOf(held, "TakenOver")).toMatchObject({ status: "False", reason: "ServesAsStable" });
    // Both versions behind the Service of before and that of the bridge; no pod was restarted for it.
    for (const name of ["web", "chat"])
      expect(
        (await read<StoredService>(bed.plane, stage.namespace, resources.services, name)).spec.selector,
      ).toEqual({ "llmbridge.dev/bridge": "chat" });
    expect(await uids(stage)).toEqual(before);

    await command({ action: "promote", revision, full: true });
    await bridge.promoted(NEW);
    await expect.poll(() => replicas(stage)).toBe(0);
    const done = await bridge.waitFor("complete", ({ takeOver }) => takeOver?.complete === true);
    expect(conditionOf(done, "TakenOver")).toMatchObject({ status: "True", reason: "Complete" });
    expect((await service(stage)).spec).toMatchObject({
      selector: { "llmbridge.dev/bridge": "chat", "llmbridge.dev/revision": revision },
      ports: [{ port: 80, targetPort: 8080 }],
    });
    expect((await deployment(stage)).metadata.annotations).toMatchObject({
      "llmbridge.dev/replicas-before": "2",
    });
    await stage.close();
  });

  it("leaves all as it was when the canary is aborted", async () => {
    const stage = await opened();
    const before = { pods: await uids(stage), template: (await deployment(stage)).spec.template };
    const { bridge, holding, command } = stage.actor();
    await bridge.apply(spec());
    const revision = await holding(NEW);
    await command({ action: "abort", revision });
    await bridge.rolledBack();
    expect((await service(stage)).spec).toMatchObject({
      selector: ORIGINAL,
      ports: [{ port: 80, targetPort: "http" }],
    });
    expect(await uids(stage)).toEqual(before.pods);
    expect((await deployment(stage)).spec).toMatchObject({ replicas: 2, template: before.template });
    await stage.close();
  });

  it("is deleted midway only when all is given back, whoever the old pods are by then", async () => {
    const stage = await opened();
    const { bridge, holding, command } = stage.actor();
    await bridge.apply(spec());
    const revision = await holding(NEW);
    await command({ action: "promote", revision, full: true });
    await bridge.promoted(NEW);
    await bridge.waitFor("complete", ({ takeOver }) => takeOver?.complete === true);
    await bridge.delete();
    await expect.poll(async () => (await service(stage)).spec.selector).toEqual(ORIGINAL);
    await expect.poll(() => bridge.get(), { timeout: 30_000 }).toBeUndefined();
    expect(await replicas(stage)).toBe(2);
    const { metadata } = await deployment(stage);
    expect(Object.keys(metadata.annotations ?? {}).filter((key) => key.startsWith("llmbridge"))).toEqual([]);
    expect((await service(stage)).metadata.annotations ?? {}).toEqual({});
    const labels = (await oldPods(bed.plane, stage.namespace)).flatMap((pod: KubeObject) =>
      Object.keys(pod.metadata.labels ?? {}),
    );
    expect(labels.filter((key) => key.startsWith("llmbridge"))).toEqual([]);
    await stage.close();
  });
});
