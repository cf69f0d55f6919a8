import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LABELS } from "../../contract/kubernetes.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { type Bed, openBed, type Stage } from "../faults/bed.ts";
import { bridgeImage, storySpec } from "../faults/story.ts";

/** The strategies on a real API server: what each Service selects, and how often that changes. */

const [FIRST, SECOND] = [bridgeImage(1), bridgeImage(2)];

type Deployment = KubeObject & { spec: { replicas: number } };
type Service = KubeObject & { spec: { selector: Record<string, string> } };

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => bed?.down());

async function world(stage: Stage) {
  const [deployments, services] = await Promise.all([
    stage.list<Deployment>(resources.deployments),
    stage.list<Service>(resources.services),
  ]);
  const selected = (name: string) =>
    services.find(({ metadata }) => metadata.name === name)?.spec.selector[LABELS.revision];
  return {
    pods: Object.fromEntries(
      deployments.map(({ metadata, spec }) => [metadata.labels?.[LABELS.revision], spec.replicas]),
    ),
    main: selected("chat"),
    preview: selected("chat-canary"),
  };
}

const moves = (stage: Stage, from: number) =>
  stage
    .writes()
    .slice(from)
    .filter(({ resource, name, verb }) => resource === "services" && name === "chat" && verb === "patch")
    .length;

async function serving(rollout: object): Promise<{ stage: Stage; first: string; from: number }> {
  const stage = await bed.stage();
  const { bridge } = stage.actor();
  const spec = storySpec(FIRST);
  await bridge.apply({ ...spec, rollout: { ...spec.rollout, ...rollout } });
  const { stable } = await bridge.promoted(FIRST);
  return { stage, first: stable?.revision ?? "", from: stage.writes().length };
}

describe("BlueGreen", () => {
  const blueGreen = { strategy: "BlueGreen", preview: { approval: true } };

  it("shows the new version whole through its preview Service, and switches in one change at a person's word", async () => {
    const { stage, first, from } = await serving(blueGreen);
    const { bridge, command, holding } = stage.actor();
    await bridge.patch({ image: SECOND });
    const second = await holding(SECOND);
    await expect
      .poll(() => world(stage))
      .toEqual({ pods: { [first]: 2, [second]: 2 }, main: first, preview: second });
    expect((await bridge.status()).step).toMatchObject({ name: "preview", weight: 0, needsApproval: true });
    expect(moves(stage, from)).toBe(0);
    await command({ action: "promote", revision: second, step: "preview" });
    await bridge.waitFor("switched", ({ step }) => step?.name === "all");
    await expect
      .poll(() => world(stage))
      .toEqual({ pods: { [first]: 2, [second]: 2 }, main: second, preview: second });
    await command({ action: "promote", revision: second, step: "all", id: "last" });
    await bridge.promoted(SECOND);
    expect(moves(stage, from)).toBe(1);
    await stage.close();
  });

  it("is back in one change of the selector", async () => {
    const { stage, first, from } = await serving(blueGreen);
    const { bridge, command, holding } = stage.actor();
    await bridge.patch({ image: SECOND });
    const second = await holding(SECOND);
    await command({ action: "promote", revision: second, step: "preview" });
    await bridge.waitFor("switched", ({ step }) => step?.name === "all");
    await expect.poll(() => world(stage)).toMatchObject({ main: second });
    await command({ action: "abort", revision: second });
    await bridge.rolledBack();
    await expect.poll(() => world(stage)).toMatchObject({ main: first });
    expect(moves(stage, from)).toBe(2);
    await stage.close();
  });
});

describe("Immediate", () => {
  it("takes the traffic as soon as its pods are ready, with nobody's word and no metrics", async () => {
    const { stage, first } = await serving({ strategy: "Immediate" });
    const { bridge } = stage.actor();
    await bridge.patch({ image: SECOND });
    const { stable } = await bridge.promoted(SECOND);
    await expect.poll(() => world(stage)).toMatchObject({ pods: { [first]: 0 }, main: stable?.revision });
    await stage.close();
  });
});
