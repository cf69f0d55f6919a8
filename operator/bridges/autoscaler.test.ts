import { describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../api/v1alpha1/spec.ts";
import { AUTOSCALER_SEES_MS } from "./decide/held-replicas.ts";
import { World } from "./testing/world.ts";

/**
 * An autoscaler on the scale subresource, reckoning as Kubernetes' own does (pkg/controller/podautoscaler, replica_calculator): by the pods
 * that `status.selector` selects.
 */
const spec: LLMBridgeSpecInput = {
  image: "registry.example/bridge:1",
  upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a/v1" }],
  scaling: { mode: "External" },
  replicas: 4,
  rollout: {
    steps: [
      { name: "quarter", weight: 25, hold: "1m" },
      { name: "most", weight: 75, hold: "1m" },
      { name: "all", weight: 100, hold: "1m" },
    ],
    watchAfter: "1m",
    analysis: { interval: "5s", errors: { rollbackAbove: "1%", promoteBelow: "3%" } },
  },
};

const TOLERANCE = 0.1;

/** What all of the load needs, in pods at their target. */
interface Load {
  pods: number;
}

const asked = (world: World): number => world.spec.replicas ?? 0;
const serving = (world: World) => {
  const revisions = world.servicePods("chat");
  return world.pods.filter((pod) => pod.ready && !pod.terminating && revisions.includes(pod.revision));
};

/** One look of a HorizontalPodAutoscaler with a target of use per pod. */
function scaleByUse(world: World, load: Load): void {
  const revision = /revision=(\w+)/.exec(world.status.selector ?? "")?.[1];
  const own = world.pods.filter((pod) => pod.ready && !pod.terminating && pod.revision === revision);
  if (own.length === 0) return;
  const behind = serving(world);
  const use = own.reduce((sum, pod) => sum + (behind.includes(pod) ? load.pods / behind.length : 0), 0);
  write(world, use / own.length, own.length);
}

/** The same with an external metric and a target of its mean, as KEDA makes them: by `status.replicas`. */
function scaleByDemand(world: World, load: Load): void {
  const replicas = world.status.replicas ?? 0;
  if (replicas > 0) write(world, load.pods / replicas, replicas, load.pods);
}

function write(world: World, ratio: number, pods: number, wanted = ratio * pods): void {
  if (Math.abs(ratio - 1) <= TOLERANCE && wanted === ratio * pods) return;
  const replicas = Math.max(1, Math.ceil(wanted));
  if (replicas !== asked(world)) world.edit((before) => ({ ...before, replicas }));
}

/** Fewest ready pods behind the Service, and most pods that were asked for, while time goes on. */
function live(world: World, minutes: number, look: () => void): { fewest: number; most: number } {
  let fewest = Number.POSITIVE_INFINITY;
  let most = 0;
  for (let quarter = 0; quarter < minutes * 4; quarter += 1) {
    world.run("15s");
    look();
    fewest = Math.min(fewest, serving(world).length);
    most = Math.max(most, world.status.scaling?.recommended ?? 0);
  }
  return { fewest, most };
}

function started(): World {
  const world = new World(spec);
  world.run("4m");
  expect(world.status.stable).toMatchObject({ replicas: 4, ready: 4 });
  return world;
}

const nextImage = (world: World) =>
  world.edit((before) => ({ ...before, image: "registry.example/bridge:2" }));

describe.each([
  ["by the use of its pods", scaleByUse],
  ["by a demand over all pods", scaleByDemand],
])("an autoscaler that reckons %s", (_, scale) => {
  it("never makes production larger for a canary, nor smaller by more than it can see and mend", () => {
    const world = started();
    nextImage(world);
    const seen = live(world, 15, () => scale(world, { pods: 4 }));
    expect(world.status.stable?.image).toBe("registry.example/bridge:2");
    // One pod may be missing where the autoscaler is shown that its number was too low.
    expect(seen.fewest).toBeGreaterThanOrEqual(3);
    expect(seen.most).toBe(4);
    expect(asked(world)).toBe(4);
    expect(serving(world)).toHaveLength(4);
  });

  it("does neither for one that is rolled back", () => {
    const world = started();
    world.behaviours["registry.example/bridge:2"] = { errorShare: 0.3 };
    nextImage(world);
    const seen = live(world, 10, () => scale(world, { pods: 4 }));
    expect(world.status.phase).toBe("Aborted");
    expect(seen).toEqual({ fewest: 4, most: 4 });
  });
});

describe("spec.replicas in External mode", () => {
  const atMost = (world: World) => {
    nextImage(world);
    while (world.status.step?.name !== "most" || world.status.phase !== "Holding") world.run("2s");
  };

  it("is followed upwards in a rollout", () => {
    const world = started();
    atMost(world);
    world.edit((before) => ({ ...before, replicas: 6 }));
    world.run("10s");
    expect(world.status.scaling?.recommended).toBe(6);
    expect(serving(world).length).toBeGreaterThanOrEqual(6);
  });

  it("is not followed downwards in a rollout, and slowly after it, and says so", () => {
    const world = started();
    atMost(world);
    world.edit((before) => ({ ...before, replicas: 2 }));
    world.run("10s");
    expect(world.status.scaling).toMatchObject({
      recommended: 4,
      message:
        "spec.replicas was lowered to 2 while the autoscaler saw a part of the pods; after the rollout it is gone down to one pod at a time.",
    });
    while (world.status.phase !== "Stable") world.run("2s");
    world.run("1m");
    expect(serving(world)).toHaveLength(4);
    // Time alone; the autoscaler finds nothing to say.
    world.nowMs += AUTOSCALER_SEES_MS;
    world.run("20s");
    expect(serving(world)).toHaveLength(3);
    world.nowMs += AUTOSCALER_SEES_MS;
    world.run("20s");
    expect(serving(world)).toHaveLength(2);
    expect(world.status.scaling).toMatchObject({ message: "spec.replicas is followed in External mode." });
    expect(world.status.scaling?.held).toBeUndefined();
  });

  it("is followed at once where the autoscaler asks for another number after the rollout", () => {
    const world = started();
    atMost(world);
    world.edit((before) => ({ ...before, replicas: 2 }));
    while (world.status.phase !== "Stable") world.run("2s");
    world.nowMs += AUTOSCALER_SEES_MS;
    world.edit((before) => ({ ...before, replicas: 1 }));
    world.run("20s");
    expect(world.status.scaling?.recommended).toBe(1);
  });

  it("is followed to zero at once", () => {
    const world = started();
    atMost(world);
    world.edit((before) => ({ ...before, replicas: 0 }));
    world.run("10s");
    expect(world.status.scaling?.recommended).toBe(0);
  });

  it("is followed at once as soon as the first version is ready, which never had a part of the traffic", () => {
    const world = new World(spec);
    world.run("10s");
    expect(world.status.stable).toMatchObject({ replicas: 4, ready: 4 });
    world.edit((before) => ({ ...before, replicas: 2 }));
    world.run("10s");
    expect(world.status.scaling?.recommended).toBe(2);
  });

  it("is followed at once where nothing rolls, and by a person in Fixed mode always", () => {
    const world = started();
    world.edit((before) => ({ ...before, replicas: 2 }));
    world.run("10s");
    expect(world.status.scaling?.recommended).toBe(2);
    const fixed = new World({ ...spec, scaling: { mode: "Fixed" } });
    fixed.run("4m");
    atMost(fixed);
    fixed.edit((before) => ({ ...before, replicas: 2 }));
    fixed.run("10s");
    expect(fixed.status.scaling?.recommended).toBe(2);
  });

  it("is followed while the rollout is paused", () => {
    const world = started();
    atMost(world);
    world.edit((before) => ({ ...before, replicas: 6, rollout: { ...before.rollout, paused: true } }));
    world.run("20s");
    expect(serving(world).length).toBeGreaterThanOrEqual(6);
  });
});
