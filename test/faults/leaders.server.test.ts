import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { until } from "../kube/until.ts";
import { type Bed, openBed, type Stage } from "./bed.ts";
import { isOwnWrite } from "./proxy.ts";
import { bridgeImage, storySpec } from "./story.ts";

/** Two operators at once. Each talks through a proxy of its own, so that it is known who wrote what and when. */

const IMAGE = bridgeImage(1);
/** The lease's duration and what a watcher may add to it (operator/kube/lease.ts). */
const TAKEN_OVER_WITHIN_MS = 30_000;

interface Lease extends KubeObject {
  readonly spec: { readonly holderIdentity?: string; readonly leaseTransitions?: number };
}

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => bed?.down());

async function candidate(stage: Stage, instance: string, clockAheadMs = 0) {
  const { process, proxy } = await stage.startAnother({ instance, clockAheadMs });
  return { instance, process, writes: () => proxy.requests.filter(isOwnWrite) };
}

async function leader(stage: Stage): Promise<string> {
  const [lease] = await stage.list<Lease>(resources.leases);
  return lease?.spec.holderIdentity?.split("_")[0] ?? "";
}

describe("scenario 14: a leader that stands still for longer than its lease", () => {
  it("writes nothing when it wakes, and ends; the other has taken over and is the only one that writes", async () => {
    const stage = await bed.stage({ leaderElection: true, isEmpty: true });
    const first = await candidate(stage, "first");
    await until("the first to lead", async () => (await leader(stage)) === "first");
    await candidate(stage, "second");
    const { bridge } = stage.actor();
    await bridge.apply(storySpec(IMAGE));
    await bridge.promoted(IMAGE);

    await first.process.pause();
    // What it would have written is there for it when it wakes.
    await bridge.patch({ replicas: 3 });
    await until("the second to lead", async () => (await leader(stage)) === "second", TAKEN_OVER_WITHIN_MS);
    await bridge.waitFor("grown", ({ stable }) => stable?.ready === 3);
    const before = first.writes().length;
    first.process.resume();
    expect(await first.process.exited).toBe(1);
    expect(first.writes().slice(before)).toEqual([]);
    await bridge.patch({ replicas: 2 });
    await bridge.waitFor("shrunk", ({ stable }) => stable?.ready === 2);
    expect(first.writes()).toHaveLength(before);
    await stage.close();
  });
});

describe("scenario 15: two operators that start at once", () => {
  it.each([
    ["with the same time of day", 0],
    ["with clocks ten minutes ahead", 600_000],
    ["with clocks ten minutes behind", -600_000],
  ])(
    "%s: one leads, the other writes nothing and takes over only when the first is gone",
    async (_, aheadMs) => {
      const stage = await bed.stage({ leaderElection: true, isEmpty: true });
      const candidates = await Promise.all([candidate(stage, "right"), candidate(stage, "skewed", aheadMs)]);
      await until("a leader", async () => (await leader(stage)) !== "");
      const led = await leader(stage);
      const { bridge } = stage.actor();
      await bridge.apply(storySpec(IMAGE));
      await bridge.promoted(IMAGE);
      const [first, other] = led === "right" ? candidates : candidates.toReversed();
      expect(first?.instance).toBe(led);
      expect(other?.writes()).toEqual([]);
      const [lease] = await stage.list<Lease>(resources.leases);
      expect(lease?.spec.leaseTransitions ?? 0).toBe(0);

      first?.process.signal("SIGTERM");
      expect(await first?.process.exited).toBe(0);
      await until("the other to lead", async () => (await leader(stage)) === other?.instance);
      const written = first?.writes().length;
      await bridge.patch({ replicas: 3 });
      await bridge.waitFor("grown", ({ stable }) => stable?.ready === 3);
      expect(first?.writes()).toHaveLength(written ?? 0);
      await stage.close();
    },
  );
});
