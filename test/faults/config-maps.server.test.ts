import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../../operator/api/v1alpha1/spec.ts";
import { keptName } from "../../operator/bridges/names.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { conditionOf } from "../scene/api.ts";
import { type Bed, openBed, type Stage } from "./bed.ts";
import { bridgeImage, storySpec } from "./story.ts";
import { answer } from "./strike.ts";

/** ConfigMaps of people, edited in place under a bridge that reads them, with the operator as its image runs it. */

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => bed?.down());

type ConfigMap = KubeObject & {
  readonly data?: Readonly<Record<string, string>>;
  readonly immutable?: boolean;
};

const spec: LLMBridgeSpecInput = {
  ...storySpec(bridgeImage(1)),
  pod: {
    env: [{ name: "REGION", configMapRef: { name: "settings", key: "region" } }],
    mounts: [{ name: "prompts", path: "/etc/prompts", configMap: { name: "prompts" } }],
  },
};

const make = (stage: Stage, name: string, data: object) =>
  bed.plane.client.create(resources.configMaps, {
    ...{ apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: stage.namespace, name }, data },
  } as never);
const edit = (stage: Stage, name: string, data: object) =>
  bed.plane.client.mergePatch(resources.configMaps, stage.namespace, name, { data });
const copyOf = (stage: Stage, revision: string, index: number) =>
  bed.plane.client.get<ConfigMap>(resources.configMaps, stage.namespace, keptName("chat", revision, index));

async function serving(): Promise<Stage> {
  const stage = await bed.stage();
  await make(stage, "settings", { region: "eu", other: "1" });
  await make(stage, "prompts", { system: "Be kind." });
  const { bridge } = stage.actor();
  await bridge.apply(spec);
  await bridge.promoted(bridgeImage(1));
  return stage;
}

describe("a ConfigMap that pods read", () => {
  it("starts a canary when it is edited in place, and stays for the stable pods what it was", async () => {
    const stage = await serving();
    const { bridge, command } = stage.actor();
    const before = (await bridge.status()).stable?.revision ?? "";
    await edit(stage, "prompts", { system: "Be brief." });
    const held = await bridge.waitFor("holding", ({ phase }) => phase === "Holding");
    const revision = held.canary?.revision ?? "";
    expect(await copyOf(stage, before, 0)).toMatchObject({ immutable: true, data: { system: "Be kind." } });
    expect(await copyOf(stage, revision, 0)).toMatchObject({
      immutable: true,
      data: { system: "Be brief." },
    });
    expect((await copyOf(stage, revision, 1)).data).toEqual({ region: "eu" });
    await command({ action: "abort", revision });
    await bridge.rolledBack();
    await edit(stage, "prompts", { system: "Be kind." });
    await bridge.waitFor("at rest", ({ phase, stable }) => phase === "Stable" && stable?.revision === before);
    await stage.close();
  });

  it("costs no canary and no write where an edit changes nothing that is read", async () => {
    const stage = await serving();
    const { bridge } = stage.actor();
    const before = await bridge.status();
    const from = stage.proxy.requests.length;
    await edit(stage, "settings", { other: "2" });
    // A second edit, of what is read, shows that the first was seen and led to nothing.
    await edit(stage, "prompts", { system: "Be brief." });
    const held = await bridge.waitFor("holding", ({ phase }) => phase === "Holding");
    expect(held.stable?.revision).toBe(before.stable?.revision);
    const reads = stage.proxy.requests
      .slice(from)
      .filter(({ verb, name }) => verb === "get" && name === "settings");
    expect(reads.length).toBeLessThanOrEqual(1);
    await stage.close();
  });

  it("that two bridges share rolls both, each once", async () => {
    const stage = await serving();
    const names = ["chat", "other"];
    const other = stage.actor("other").bridge;
    await other.apply(spec);
    await other.promoted(bridgeImage(1));
    await edit(stage, "prompts", { system: "Be brief." });
    const canaries = await Promise.all(
      names.map(async (name) => {
        const { bridge } = stage.actor(name);
        const { canary } = await bridge.waitFor("holding", ({ phase }) => phase === "Holding");
        return canary?.revision ?? "";
      }),
    );
    for (const [index, name] of names.entries()) {
      const { bridge, command } = stage.actor(name);
      await command({ action: "promote", revision: canaries[index] ?? "", full: true });
      await bridge.waitFor(
        "promoted",
        ({ phase, stable }) => phase === "Stable" && stable?.revision === canaries[index],
      );
    }
    const deployments = await stage.list(resources.deployments);
    const made = names.map((name) =>
      deployments.filter(({ metadata }) => metadata.name.startsWith(`${name}-`)),
    );
    expect(made.map((some) => some.length)).toEqual([2, 2]);
    await stage.close();
  });

  it("that is optional may be missing; when it is made it starts a canary, and when it goes another", async () => {
    const stage = await bed.stage();
    const { bridge, command } = stage.actor();
    const optional = { name: "extra", optional: true };
    await bridge.apply({
      ...storySpec(bridgeImage(1)),
      pod: { mounts: [{ name: "extra", path: "/etc/extra", configMap: optional }] },
    });
    const without = (await bridge.promoted(bridgeImage(1))).stable?.revision;
    await make(stage, "extra", { key: "value" });
    const { canary } = await bridge.waitFor("holding", ({ phase }) => phase === "Holding");
    const revision = canary?.revision ?? "";
    expect((await copyOf(stage, revision, 0)).data).toEqual({ key: "value" });
    await command({ action: "promote", revision, full: true });
    await bridge.waitFor(
      "promoted",
      ({ phase, stable }) => phase === "Stable" && stable?.revision === revision,
    );
    await bed.plane.client.delete(resources.configMaps, stage.namespace, "extra");
    // What was stable before is held for no longer than it takes to be told, and the canary's own phases may all come between two looks.
    const gone = await bridge.waitFor(
      "as it was without",
      ({ phase, stable }) => phase === "Stable" && stable?.revision === without,
    );
    expect(gone.decisions).toContainEqual(
      expect.objectContaining({
        reason: "WasStable",
        message: expect.stringMatching(
          `Canary ${without} .* starts. ConfigMap "extra" has changed.`,
        ) as string,
      }),
    );
    expect(conditionOf(gone, "Accepted")?.status).toBe("True");
    await stage.close();
  });

  it("that the API server does not give is an error, never unchanged; what it says counts when it answers again", async () => {
    const stage = await serving();
    const { bridge } = stage.actor();
    const { stable } = await bridge.status();
    const rule = stage.proxy.when(
      ({ verb, resource, name }) => verb === "get" && resource === "configmaps" && name === "prompts",
      answer(503, "ServiceUnavailable", "etcdserver: leader changed"),
    );
    await edit(stage, "prompts", { system: "Be brief." });
    const refused = await bridge.waitFor(
      "refused",
      (status) => conditionOf(status, "Accepted")?.reason === "ConfigMapUnknown",
    );
    expect(rule.struck).toBeGreaterThan(0);
    expect(conditionOf(refused, "Accepted")?.message).toMatch(/ConfigMap "prompts" cannot be read/);
    expect(refused).toMatchObject({ phase: "Stable", stable: { revision: stable?.revision, ready: 2 } });
    rule.remove();
    const held = await bridge.waitFor("holding", ({ phase }) => phase === "Holding");
    expect((await copyOf(stage, held.canary?.revision ?? "", 0)).data).toEqual({ system: "Be brief." });
    await stage.close();
  });

  it("that is deleted refuses changes, takes nothing from what runs, and is found when it is back", async () => {
    const stage = await serving();
    const { bridge } = stage.actor();
    const { stable } = await bridge.status();
    await bed.plane.client.delete(resources.configMaps, stage.namespace, "prompts");
    const refused = await bridge.waitFor(
      "refused",
      (status) => conditionOf(status, "Accepted")?.reason === "ConfigMapMissing",
    );
    expect(conditionOf(refused, "Accepted")?.message).toContain('there is no ConfigMap "prompts"');
    expect(refused.stable).toMatchObject({ revision: stable?.revision, ready: 2 });
    await make(stage, "prompts", { system: "Be kind." });
    await bridge.waitFor("accepted", (status) => conditionOf(status, "Accepted")?.status === "True");
    expect((await bridge.status()).stable?.revision).toBe(stable?.revision);
    await stage.close();
  });
});
