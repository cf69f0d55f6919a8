import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../../operator/api/v1alpha1/spec.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { type Bed, openBed, type Stage } from "../faults/bed.ts";
import { bridgeImage, storySpec } from "../faults/story.ts";
import { conditionOf } from "../scene/api.ts";
import { makeOld, oldPods, read, type StoredDeployment, type StoredService } from "./old-deployment.ts";
import { expectUntouched } from "./untouched.ts";

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
  takeOver: { deployment: "web", services: ["web"] },
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

  it("is deleted midway only when all is given back", async () => {
    const stage = await opened();
    const before = await uids(stage);
    const { bridge, holding } = stage.actor();
    await bridge.apply(spec());
    await holding(NEW);
    await bridge.delete();
    await expect.poll(() => bridge.get(), { timeout: 30_000 }).toBeUndefined();
    expect(await uids(stage)).toEqual(before);
    await expectUntouched(bed.plane, stage.namespace);
    await stage.close();
  });

  it("gives back what it has taken over when it is deleted later, its new pods serving until the old ones do", async () => {
    const stage = await opened();
    const { bridge, holding, command } = stage.actor();
    await bridge.apply(spec());
    const revision = await holding(NEW);
    await command({ action: "promote", revision, full: true });
    await bridge.waitFor("complete", ({ takeOver }) => takeOver?.complete === true);
    await bridge.delete();
    await expect.poll(() => bridge.get(), { timeout: 30_000 }).toBeUndefined();
    await expectUntouched(bed.plane, stage.namespace);
    await stage.close();
  });

  it("lets go of both when the spec does after the promotion, and not before", async () => {
    const stage = await opened();
    const { bridge, holding, command } = stage.actor();
    await bridge.apply(spec());
    const revision = await holding(NEW);
    await bridge.patch({ takeOver: null });
    const early = await bridge.waitFor(
      "refused",
      (status) => conditionOf(status, "Accepted")?.reason === "TakeOverRemoved",
    );
    expect(early.stable?.revision).toBe("taken-over");
    await bridge.delete();
    await expect.poll(() => bridge.get(), { timeout: 30_000 }).toBeUndefined();
    await expectUntouched(bed.plane, stage.namespace);

    await bridge.apply(spec());
    await holding(NEW);
    await command({ action: "promote", revision, full: true, id: "again" });
    await bridge.waitFor("complete", ({ takeOver }) => takeOver?.complete === true);
    await bridge.patch({ takeOver: null });
    await bridge.waitFor("let go", ({ takeOver }) => takeOver === undefined);
    expect((await service(stage)).spec.selector).toEqual({ "llmbridge.dev/bridge": "chat" });
    await bridge.delete();
    await expect.poll(() => bridge.get(), { timeout: 30_000 }).toBeUndefined();
    expect(await replicas(stage)).toBe(0);
    await stage.close();
  });

  it("goes on where it was when its operator was killed in the middle", async () => {
    const stage = await opened();
    const before = await uids(stage);
    const { bridge, holding, command } = stage.actor();
    await bridge.apply(spec());
    const revision = await holding(NEW);
    await stage.kill();
    // Whatever status said is lost too.
    await bed.plane.api.request(
      "PATCH",
      `/apis/llmbridge.dev/v1alpha1/namespaces/${stage.namespace}/llmbridges/chat/status`,
      [{ op: "remove", path: "/status" }],
      "application/json-patch+json",
    );
    await stage.start();
    expect(await holding(NEW)).toBe(revision);
    expect(await uids(stage)).toEqual(before);
    await command({ action: "promote", revision, full: true });
    await bridge.waitFor("complete", ({ takeOver }) => takeOver?.complete === true);
    expect((await bridge.status()).takeOver).toEqual({
      ...{ deployment: "web", services: ["web"], replicas: 2, complete: true },
    });
    await stage.close();
  });
});

describe("a Deployment that cannot be taken over", () => {
  it("is left alone, the bridge says why, and begins when that has gone", async () => {
    const stage = await opened();
    const path = `/apis/autoscaling/v2/namespaces/${stage.namespace}/horizontalpodautoscalers`;
    const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
    await bed.plane.api.request("POST", path, {
      metadata: { name: "web" },
      spec: { scaleTargetRef, maxReplicas: 5 },
    });
    const { bridge, holding } = stage.actor();
    await bridge.apply(spec());
    const refused = await bridge.waitFor(
      "refused",
      (status) => conditionOf(status, "Accepted")?.reason === "TakeOverAutoscaled",
    );
    expect(conditionOf(refused, "TakenOver")?.message).toContain("kubectl delete hpa web");
    await expectUntouched(bed.plane, stage.namespace);
    const images = (
      await stage.list<KubeObject & { spec: { template: unknown } }>(resources.deployments)
    ).map(({ metadata }) => metadata.name);
    expect(images).toEqual(["web"]);
    await bed.plane.api.request("DELETE", `${path}/web`);
    await holding(NEW);
    // One bridge alone.
    const { bridge: second } = stage.actor("other");
    await second.apply(spec());
    const taken = await second.waitFor(
      "refused",
      (status) => conditionOf(status, "Accepted")?.reason === "TakeOverTaken",
    );
    expect(conditionOf(taken, "TakenOver")?.message).toContain('LLMBridge "chat"');
    await stage.close();
  });
});
