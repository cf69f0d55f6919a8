import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../../operator/api/v1alpha1/spec.ts";
import { resources } from "../../operator/kube/resources.ts";
import { REFUSED_KEY } from "../model/server.ts";
import { CANARY_SECRET } from "../scene/operator.ts";
import { expectUnharmed, rollsBack, serving, sufferingOf } from "../scene/rollback.ts";
import { openScene, type Scene } from "../scene/scene.ts";

/** A key of an upstream that is changed in place, under load: by the operator that the chart installs, with the rights that it gives. */

let scene: Scene;
beforeAll(async () => {
  scene = await openScene("secret-canary");
});
afterAll(async () => scene?.close());

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const changeKey = (token: string) =>
  scene.client.mergePatch(resources.secrets, scene.namespace, CANARY_SECRET, {
    data: { token: base64(token) },
  });

async function keyed(): Promise<Partial<LLMBridgeSpecInput>> {
  const [upstream] = (await scene.spec()).upstreams;
  if (!upstream) throw new Error("the small spec has no upstream");
  const secretRef = { name: CANARY_SECRET, key: "token", onChange: "Canary" as const };
  return { replicas: 3, upstreams: [{ ...upstream, secretRef }] };
}

describe("a changed key of an upstream", () => {
  it("is rolled back by the evidence where it is refused, while stable pods serve on with the old; a good one is promoted", async () => {
    const { namespace } = scene;
    const metadata = { namespace, name: CANARY_SECRET };
    await scene.client.create(resources.secrets, { metadata, data: { token: base64("first") } } as never);
    const of = await serving(scene, "chat", await keyed(), { rps: 20 });

    await changeKey(`${REFUSED_KEY}-second`);
    const back = await rollsBack(scene, of, {}, "ErrorsProvedWorse");
    // The Secret holds the refused key, and a pod of the stable version that starts now has the old one all the same.
    await of.bridge.patch({ replicas: 4 });
    await of.bridge.waitFor(
      "four pods",
      ({ stable }) => stable?.revision === of.stable && stable.ready === 4,
    );

    await changeKey("third");
    const canary = await of.bridge.waitFor(
      "another canary",
      ({ canary: now }) => now !== undefined && now.revision !== back.canary,
    );
    const promoted = await of.bridge.waitFor(
      "promoted",
      ({ phase, stable }) => phase === "Stable" && stable?.revision === canary.canary?.revision,
      240_000,
    );
    const report = await of.load.stop(10_000);
    expectUnharmed(of, report);
    const revision = promoted.stable?.revision ?? "";
    console.log(
      [
        "secret-canary",
        back.message,
        `edit to verdict ${((back.verdictMs - back.editMs) / 1000).toFixed(0)} s`,
        `stable ${sufferingOf(of.stable, report)}; refused ${sufferingOf(back.canary, report)}; promoted ${sufferingOf(revision, report)}`,
      ].join("\n  "),
    );
    expect(report.versions[back.canary]?.failed).toBeGreaterThan(0);
    expect(report.versions[revision]).toMatchObject({ failed: 0, cut: 0 });

    // Nothing is left of it once the bridge is gone: its copies go with their revisions.
    await of.bridge.delete();
    await expect
      .poll(
        async () =>
          (await scene.client.list(resources.secrets, { namespace })).map(({ metadata: { name } }) => name),
        { timeout: 60_000 },
      )
      .toEqual([CANARY_SECRET]);
  });
});
