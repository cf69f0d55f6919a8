import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LABELS } from "../../contract/kubernetes.ts";
import { resources } from "../../operator/kube/resources.ts";
import { type Bed, openBed, type Stage } from "../faults/bed.ts";
import { bridgeImage, storySpec } from "../faults/story.ts";

/** A bridge that is deleted while a canary of it serves, with its operator running. */

const [FIRST, SECOND] = [bridgeImage(1), bridgeImage(2)];
const KINDS = [
  ...[resources.deployments, resources.services, resources.configMaps, resources.pods],
  ...[resources.serviceAccounts, resources.podDisruptionBudgets, resources.networkPolicies],
];

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => bed?.down());

const left = async (stage: Stage): Promise<string[]> => {
  const lists = await Promise.all(KINDS.map((kind) => stage.list(kind)));
  return lists.flat().flatMap(({ metadata }) => (metadata.labels?.[LABELS.bridge] ? [metadata.name] : []));
};

describe("a bridge that is deleted in the middle of a canary", () => {
  it.each([
    ["holds at half of the traffic", false],
    ["is paused", true],
  ])(
    "that %s goes with both versions, and one of the same name begins with a first version",
    async (_, paused) => {
      const stage = await bed.serving(FIRST);
      const { bridge, holding } = stage.actor();
      await bridge.patch({ image: SECOND });
      const canary = await holding(SECOND);
      if (paused) {
        await bridge.patch({ rollout: { paused } });
        await bridge.waitFor("paused", ({ summary = "" }) => summary.includes("paused"));
      }
      await bridge.delete();
      expect(await bridge.get()).toBeUndefined();
      await expect.poll(() => left(stage), { timeout: 60_000 }).toEqual([]);

      await bridge.apply(storySpec(SECOND));
      const { stable, rollout } = await bridge.promoted(SECOND);
      expect(stable).toMatchObject({ revision: canary, ready: 2 });
      expect(rollout).not.toHaveProperty("canaryRevision");
      expect((await stage.list(resources.deployments)).map(({ metadata }) => metadata.name)).toEqual([
        `chat-${canary}`,
      ]);
      await stage.close();
    },
  );
});
