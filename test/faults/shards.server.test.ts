import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LLMBRIDGES } from "../../operator/bridges/caches.ts";
import { type Bed, openBed, type Stage } from "./bed.ts";
import { isOwnWrite } from "./proxy.ts";
import { bridgeImage, storySpec } from "./story.ts";

/** Two operators that share the bridges of a namespace by a label, each behind a proxy of its own. */

const [FIRST, SECOND] = [bridgeImage(1), bridgeImage(2)];

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => bed?.down());

let leases = 0;

async function shard(stage: Stage, bridgeSelector: string) {
  const { proxy } = await stage.startAnother({
    bridgeSelector,
    instance: bridgeSelector,
    lease: { namespace: stage.namespace, name: `lease-${leases++}` },
  });
  /** What was carried out for a bridge of that name, from a request on. */
  const served = (bridge: string, from = 0) =>
    proxy.requests
      .slice(from)
      .filter((request) => isOwnWrite(request) && request.carriedOut)
      .filter(({ name }) => name === bridge || name.startsWith(`${bridge}-`));
  return { served, now: () => proxy.requests.length };
}

const label = (stage: Stage, name: string, shardOf: string | null) =>
  bed.plane.client.mergePatch(LLMBRIDGES, stage.namespace, name, {
    metadata: { labels: { shard: shardOf } },
  });

describe("two shards", () => {
  it("serve each bridge once, by its label, and those without one where the selector says so", async () => {
    const stage = await bed.stage({ leaderElection: true, isEmpty: true });
    const [a, rest] = [await shard(stage, "shard=a"), await shard(stage, "shard notin (a)")];
    const [mine, other] = [stage.actor("mine"), stage.actor("other")];
    await mine.bridge.apply(storySpec(FIRST));
    await label(stage, "mine", "a");
    await other.bridge.apply(storySpec(FIRST));
    await Promise.all([mine.bridge.promoted(FIRST), other.bridge.promoted(FIRST)]);
    await mine.bridge.patch({ image: SECOND });
    await other.bridge.patch({ image: SECOND });
    const from = [a.now(), rest.now()] as const;
    await Promise.all([mine.holding(SECOND), other.holding(SECOND)]);
    expect(a.served("mine", from[0]).length).toBeGreaterThan(0);
    expect(rest.served("other", from[1]).length).toBeGreaterThan(0);
    expect(a.served("other")).toEqual([]);
    expect(rest.served("mine", from[1])).toEqual([]);
    await stage.close();
  });

  it("hand a bridge over in the middle of its rollout when its label changes, and back", async () => {
    const stage = await bed.stage({ leaderElection: true, isEmpty: true });
    const [a, b] = [await shard(stage, "shard=a"), await shard(stage, "shard=b")];
    const { bridge, command, holding } = stage.actor("moving");
    await bridge.apply(storySpec(FIRST));
    expect((await bridge.status()).phase).toBeUndefined();
    await label(stage, "moving", "a");
    await bridge.promoted(FIRST);
    await bridge.patch({ image: SECOND });
    const revision = await holding(SECOND);

    await label(stage, "moving", "b");
    const [fromA, fromB] = [a.now(), b.now()];
    await command({ action: "promote", revision, full: true });
    const done = await bridge.promoted(SECOND);
    expect(done.stable?.revision).toBe(revision);
    expect(a.served("moving", fromA)).toEqual([]);
    // It goes on, and makes nothing anew.
    const byB = b.served("moving", fromB);
    expect(byB.length).toBeGreaterThan(0);
    expect(byB.filter(({ serverCode }) => serverCode === 201)).toEqual([]);

    await label(stage, "moving", "a");
    const back = b.now();
    await bridge.patch({ replicas: 3 });
    await bridge.waitFor("grown", ({ stable }) => stable?.ready === 3);
    expect(b.served("moving", back)).toEqual([]);
    await stage.close();
  });
});
