import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LABELS } from "../../contract/kubernetes.ts";
import type { LLMBridgeSpecInput } from "../../operator/api/v1alpha1/spec.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { type Bed, openBed, type Stage } from "../faults/bed.ts";
import { bridgeImage, storySpec } from "../faults/story.ts";

/** A baseline on a real API server, from the canary's start to its end. No Prometheus tells, so a person decides. */

const [FIRST, SECOND, THIRD] = [bridgeImage(1), bridgeImage(2), bridgeImage(3)];

type Deployment = KubeObject & { spec: { replicas: number } };
type Service = KubeObject & { spec: { selector: Record<string, string> } };
type Pod = KubeObject & { metadata: { creationTimestamp: string } };

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => bed?.down());

const compared = (image: string): LLMBridgeSpecInput => {
  const spec = storySpec(image);
  const steps = [
    { name: "fifth", weight: 20, hold: "1h" },
    { name: "half", weight: 50, hold: "1h" },
    { name: "all", weight: 100, hold: "1h" },
  ];
  return { ...spec, replicas: 4, rollout: { ...spec.rollout, steps, baseline: "SameAge" } };
};

async function open(change: Partial<LLMBridgeSpecInput> = {}) {
  const stage = await bed.stage();
  const player = stage.actor();
  await player.bridge.apply({ ...compared(FIRST), ...change });
  const { stable } = await player.bridge.promoted(FIRST);
  const first = stable?.revision ?? "";
  return { stage, ...player, first, baseline: `${first}-baseline` };
}

/** Replicas and track of each Deployment, whom the bridge's Service selects, and what a baseline has left. */
async function world(stage: Stage) {
  const [deployments, services, configMaps] = await Promise.all([
    stage.list<Deployment>(resources.deployments),
    stage.list<Service>(resources.services),
    stage.list(resources.configMaps),
  ]);
  const revisionOf = ({ metadata }: KubeObject) => metadata.labels?.[LABELS.revision] ?? "";
  return {
    pods: Object.fromEntries(
      deployments.map((one) => [
        revisionOf(one),
        `${one.spec.replicas} ${one.metadata.labels?.[LABELS.track]}`,
      ]),
    ),
    selected: services.find(({ metadata }) => metadata.name === "chat")?.spec.selector[LABELS.revision],
    files: configMaps.filter((one) => revisionOf(one).endsWith("-baseline")).map((one) => one.metadata.name),
  };
}

const gone = (stage: Stage) =>
  expect
    .poll(async () => {
      const { pods, files } = await world(stage);
      return [...Object.keys(pods).filter((revision) => revision.endsWith("-baseline")), ...files];
    })
    .toEqual([]);

describe("a baseline", () => {
  it("starts with the canary, follows it through the steps, and is gone with the promotion", async () => {
    const { stage, bridge, command, holding, first, baseline } = await open();
    await bridge.patch({ image: SECOND });
    const second = await holding(SECOND);
    const status = await bridge.waitFor("both counted", (seen) => seen.baseline?.ready === 2);
    expect(status.canary).toMatchObject({ ready: 2, desiredWeight: 20 });
    expect(status.baseline).toMatchObject({ revision: baseline, image: FIRST, replicas: 2, podShare: "25%" });
    await expect
      .poll(() => world(stage))
      .toMatchObject({
        pods: { [first]: "4 production", [baseline]: "2 baseline", [second]: "2 canary" },
        selected: undefined,
        files: [`chat-${baseline}`, `chat-${baseline}-runtime`],
      });
    const pods = await stage.list<Pod>(resources.pods);
    const begun = (revision: string) =>
      pods
        .filter(({ metadata }) => metadata.labels?.[LABELS.revision] === revision)
        .map(({ metadata }) => Date.parse(metadata.creationTimestamp));
    expect(Math.abs(Math.max(...begun(baseline)) - Math.max(...begun(second)))).toBeLessThanOrEqual(2_000);

    await command({ action: "jump", revision: second, step: "fifth", to: "half" });
    await bridge.waitFor("half", ({ phase, step }) => phase === "Holding" && step?.name === "half");
    await expect
      .poll(async () => (await world(stage)).pods)
      .toEqual({
        [first]: "2 production",
        [baseline]: "2 baseline",
        [second]: "4 canary",
      });

    await command({ action: "jump", revision: second, step: "half", to: "all", id: "on" });
    await bridge.waitFor("all", ({ phase, step }) => phase === "Holding" && step?.name === "all");
    await expect.poll(async () => (await world(stage)).pods[first]).toBe("4 production");
    await expect.poll(() => world(stage)).toMatchObject({ selected: second });
    await gone(stage);

    await command({ action: "promote", revision: second, step: "all" });
    await bridge.promoted(SECOND);
    await expect
      .poll(async () => (await world(stage)).pods)
      .toEqual({ [first]: "0 retired", [second]: "4 production" });
    await stage.close();
  });

  it("serves in an abort until the stable version is whole again, across a restart of the operator", async () => {
    const { stage, bridge, command, holding, first } = await open();
    await bridge.patch({ image: SECOND });
    const second = await holding(SECOND);
    await command({ action: "jump", revision: second, step: "fifth", to: "half" });
    await bridge.waitFor("half", ({ phase, step }) => phase === "Holding" && step?.name === "half");
    await stage.kill();
    await command({ action: "abort", revision: second });
    await stage.start();
    await bridge.rolledBack();
    await gone(stage);
    await expect
      .poll(() => world(stage))
      .toMatchObject({
        pods: { [first]: "4 production", [second]: "0 retired" },
        selected: first,
      });
    await stage.close();
  });

  it("is started anew for the next canary where another version takes its place midway", async () => {
    const { stage, bridge, holding, first, baseline } = await open();
    await bridge.patch({ image: SECOND });
    const second = await holding(SECOND);
    const before = (await stage.list(resources.pods)).map(({ metadata }) => metadata.uid);
    await bridge.patch({ image: THIRD });
    const third = await holding(THIRD);
    await bridge.waitFor("both counted", (seen) => seen.baseline?.ready === 2);
    await expect
      .poll(async () => (await world(stage)).pods)
      .toEqual({
        [first]: "4 production",
        [second]: "0 retired",
        [baseline]: "2 baseline",
        [third]: "2 canary",
      });
    const fresh = (await stage.list(resources.pods)).filter(
      ({ metadata }) => metadata.labels?.[LABELS.revision] === baseline && !metadata.deletionTimestamp,
    );
    expect(fresh.filter(({ metadata }) => before.includes(metadata.uid))).toEqual([]);
    await stage.close();
  });

  it("follows the size of the bridge, and never counts as part of it", async () => {
    const { stage, bridge, holding, first, baseline } = await open();
    await bridge.patch({ image: SECOND });
    const second = await holding(SECOND);
    await bridge.patch({ replicas: 8 });
    await bridge.waitFor("grown", ({ stable, canary }) => stable?.ready === 8 && canary?.ready === 3);
    await expect
      .poll(async () => (await world(stage)).pods)
      .toEqual({ [first]: "8 production", [baseline]: "3 baseline", [second]: "3 canary" });
    expect(await bridge.status()).toMatchObject({ replicas: 8 });
    await stage.close();
  });

  it("keeps the canary out of the traffic while a quota refuses its pods, and says so", async () => {
    const { stage, bridge, first } = await open();
    // Room for the four that serve and the canary's two; what comes last is refused.
    await bed.plane.api.request("POST", `/api/v1/namespaces/${stage.namespace}/resourcequotas`, {
      metadata: { name: "small" },
      spec: { hard: { pods: "7" } },
    });
    await bridge.patch({ image: SECOND });
    const { canary, summary } = await bridge.waitFor("held", ({ rollout }) =>
      ["BaselineNotReady", "PodsNotReady"].includes(rollout?.heldFor ?? ""),
    );
    expect(canary).toMatchObject({ desiredWeight: 0 });
    expect(summary).toMatch(/not ready/);
    await expect.poll(() => world(stage)).toMatchObject({ selected: first });
    await bridge.patch({ rollout: { baseline: "Stable" } });
    await bridge.waitFor("on its way without", ({ phase }) => phase === "Holding");
    await gone(stage);
    await stage.close();
  });
});
