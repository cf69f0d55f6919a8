import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TAKE_OVER_FINALIZER } from "../../operator/bridges/take-over/observed.ts";
import { resources } from "../../operator/kube/resources.ts";
import { makeOld, oldPods, read, type StoredService } from "../rollout/old-deployment.ts";
import { expectUntouched } from "../rollout/untouched.ts";
import { type Bed, openBed, type Stage } from "./bed.ts";
import { diesAt } from "./dies-at.ts";
import type { ProxiedRequest } from "./proxy.ts";
import { bridgeImage, storySpec } from "./story.ts";

/**
 * Scenario 4 of a bridge that takes over: what it took has to be given back before it may go, so its deletion waits for an operator, and that may die at
 * each of the writes.
 */

const NEW = bridgeImage(1);

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => bed?.down());

/** A bridge `chat` in the middle of the canary by which it takes over the Deployment and the Service `web`. */
async function taking(): Promise<Stage> {
  const stage = await bed.stage();
  await makeOld(bed.plane, stage.namespace, "web");
  const { bridge, holding } = stage.actor();
  await bridge.apply({ ...storySpec(NEW), takeOver: { deployment: "web", services: ["web"] } });
  await holding(NEW);
  return stage;
}

/** The same when all is taken over, and the old Deployment has no pods left. */
async function taken(): Promise<Stage> {
  const stage = await taking();
  const { bridge, command } = stage.actor();
  const revision = (await bridge.status()).canary?.revision ?? "";
  await command({ action: "promote", revision, full: true });
  await bridge.waitFor("complete", ({ takeOver }) => takeOver?.complete === true);
  await expect.poll(async () => (await oldPods(bed.plane, stage.namespace)).length).toBe(0);
  return stage;
}

const uids = async ({ namespace }: Stage) =>
  (await oldPods(bed.plane, namespace)).map(({ metadata }) => metadata.uid).sort();

async function expectGivenBack(stage: Stage): Promise<void> {
  await expect.poll(() => stage.actor().bridge.get(), { timeout: 30_000 }).toBeUndefined();
  await expectUntouched(bed.plane, stage.namespace);
}

const to =
  (plural: string, named?: string) =>
  ({ resource, name }: ProxiedRequest): boolean =>
    resource === plural && (named === undefined || name === named);

describe("scenario 4: a bridge that takes over and is deleted while no operator runs", () => {
  it("stays, and its pods serve on, until one gives back what was taken over", async () => {
    const stage = await taking();
    const before = await uids(stage);
    await stage.kill();
    const { bridge } = stage.actor();
    await bridge.delete();
    const waiting = await bridge.get();
    expect(waiting?.metadata.finalizers).toContain(TAKE_OVER_FINALIZER);
    const front = await read<StoredService>(bed.plane, stage.namespace, resources.services, "web");
    expect(front.spec.selector).toEqual({ "llmbridge.dev/bridge": "chat" });
    await stage.start();
    await expectGivenBack(stage);
    expect(await uids(stage)).toEqual(before);
    await stage.close();
  });
});

describe.each(["Before", "After"] as const)(
  "an operator that dies while it gives back, at the moment %s the server has carried it out,",
  (moment) => {
    it.each([
      ["the Service", to("services", "web")],
      ["the labels of a pod", to("pods")],
      ["the note on the Deployment", to("deployments", "web")],
      ["the finalizer", to("llmbridges", "chat")],
    ])("of %s, is followed by one that leaves all as it was, and the bridge goes", async (_, isTheOne) => {
      const stage = await taking();
      const before = await uids(stage);
      const death = diesAt(stage, isTheOne, moment);
      await stage.actor().bridge.delete();
      await death.restarted;
      await expectGivenBack(stage);
      // None of its pods was restarted for it.
      expect(await uids(stage)).toEqual(before);
      await stage.close();
    });

    it.each([
      ["the size of the Deployment", to("deployments", "web")],
      ["the Service, when the old pods are ready", to("services", "web")],
      ["the finalizer", to("llmbridges", "chat")],
    ])(
      "of %s, after the last pod was taken over, is followed by one that leaves all as it was",
      async (_, isTheOne) => {
        const stage = await taken();
        const death = diesAt(stage, isTheOne, moment);
        await stage.actor().bridge.delete();
        await death.restarted;
        await expectGivenBack(stage);
        await stage.close();
      },
    );
  },
);
