import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LABELS } from "../../contract/kubernetes.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { type Bed, openBed, type Stage } from "../faults/bed.ts";
import { bridgeImage, storySpec } from "../faults/story.ts";

/** A promoted version on a real API server: what it is watched beside, and the ways back. No Prometheus tells, so a person does. */

const [FIRST, SECOND, THIRD] = [bridgeImage(1), bridgeImage(2), bridgeImage(3)];

type Deployment = KubeObject & { spec: { replicas: number } };
type Service = KubeObject & { spec: { selector: Record<string, string> } };

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => bed?.down());

const watchedSpec = (image: string) => {
  const spec = storySpec(image);
  return { ...spec, rollout: { ...spec.rollout, watchAfter: "1h" } };
};

/** The second version is promoted by a person and watched. */
async function watched(): Promise<{ stage: Stage; first: string; second: string }> {
  const stage = await bed.stage();
  const { bridge, command, holding } = stage.actor();
  await bridge.apply(watchedSpec(FIRST));
  const { stable } = await bridge.promoted(FIRST);
  await bridge.patch({ image: SECOND });
  const second = await holding(SECOND);
  await command({ action: "promote", revision: second, full: true });
  await bridge.waitFor("watched", ({ phase }) => phase === "Watching");
  return { stage, first: stable?.revision ?? "", second };
}

async function world(stage: Stage) {
  const [deployments, services] = await Promise.all([
    stage.list<Deployment>(resources.deployments),
    stage.list<Service>(resources.services),
  ]);
  return {
    pods: Object.fromEntries(
      deployments.map(({ metadata, spec }) => [
        metadata.labels?.[LABELS.revision],
        `${spec.replicas} ${metadata.labels?.[LABELS.track]}`,
      ]),
    ),
    selected: services.find(({ metadata }) => metadata.name === "chat")?.spec.selector[LABELS.revision],
  };
}

describe("a promoted version", () => {
  it("is watched while the one before keeps its pods; it ends when the time is over", async () => {
    const { stage, first, second } = await watched();
    const { bridge } = stage.actor();
    const status = await bridge.status();
    expect(status.stable).toMatchObject({ revision: second, ready: 2, desiredWeight: 100 });
    expect(status.previous).toMatchObject({ revision: first, ready: 2, desiredWeight: 0 });
    // The promotion is on record first; tracks and selector follow it.
    await expect
      .poll(() => world(stage))
      .toEqual({ pods: { [first]: "2 previous", [second]: "2 production" }, selected: second });
    await bridge.patch({ rollout: { watchAfter: "1s" } });
    const after = await bridge.promoted(SECOND);
    expect(after.previous).toBeUndefined();
    await expect
      .poll(() => world(stage))
      .toEqual({
        pods: { [first]: "0 retired", [second]: "2 production" },
        selected: second,
      });
    await stage.close();
  });

  it("is left for the one before at a person's word, in one change of the selector", async () => {
    const { stage, first, second } = await watched();
    const { bridge, command } = stage.actor();
    const from = stage.writes().length;
    await command({ action: "abort", revision: second });
    const status = await bridge.rolledBack();
    expect(status.rollout).toMatchObject({
      stableRevision: first,
      failed: { revision: second, reason: "Command" },
    });
    await bridge.waitFor("at rest", ({ canary }) => canary === undefined);
    await expect
      .poll(() => world(stage))
      .toEqual({
        pods: { [first]: "2 production", [second]: "0 retired" },
        selected: first,
      });
    const moves = stage
      .writes()
      .slice(from)
      .filter(({ resource, name, verb }) => resource === "services" && name === "chat" && verb === "patch");
    expect(moves).toHaveLength(1);
    await stage.close();
  });

  it("is left for the one before when the spec goes back, and goes on being watched by the next operator", async () => {
    const { stage, first, second } = await watched();
    const { bridge } = stage.actor();
    await stage.kill();
    await stage.start();
    await bridge.patch({ image: FIRST });
    const status = await bridge.promoted(FIRST);
    expect(status.rollout).toMatchObject({ stableRevision: first });
    expect(status.rollout?.failed).toBeUndefined();
    expect(status.decisions[0]).toMatchObject({ action: "Withdraw", reason: "Reverted" });
    await expect.poll(async () => (await world(stage)).pods[second]).toMatch(/^0 /);
    await stage.close();
  });

  it("is what the next change starts from", async () => {
    const { stage, first, second } = await watched();
    const { bridge, holding } = stage.actor();
    await bridge.patch({ image: THIRD });
    const third = await holding(THIRD);
    expect((await bridge.status()).rollout).toMatchObject({ stableRevision: second, canaryRevision: third });
    await expect
      .poll(async () => (await world(stage)).pods)
      .toEqual({
        [first]: "0 retired",
        [second]: "2 production",
        [third]: "2 canary",
      });
    await stage.close();
  });
});
