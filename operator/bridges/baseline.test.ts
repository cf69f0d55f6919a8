import { describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../api/v1alpha1/spec.ts";
import { World } from "./testing/world.ts";

const spec: LLMBridgeSpecInput = {
  image: "bridge:1",
  upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a/v1" }],
  scaling: { minReplicas: 4, maxReplicas: 8, scaleDownWindow: "1m", demandWindow: "15s" },
  rollout: {
    baseline: "SameAge",
    steps: [
      { name: "fifth", weight: 20, hold: "10s" },
      { name: "half", weight: 50, hold: "10s" },
      { name: "all", weight: 100, hold: "10s" },
    ],
    analysis: { interval: "5s", errors: { rollbackAbove: "1%", promoteBelow: "3%" } },
    progressDeadline: "2m",
    watchAfter: "0s",
  },
};
const setImage = (image: string) => (before: LLMBridgeSpecInput) => ({ ...before, image });

function serving(change: Partial<LLMBridgeSpecInput["rollout"]> = {}): World {
  const world = new World({ ...spec, rollout: { ...spec.rollout, ...change } });
  // Long enough that the first version's pods are no longer cold.
  world.run("2m");
  return world;
}

/** Looks at the world until `seen`, at most five minutes; what it saw at each look. */
function watch(world: World, seen: () => boolean): void {
  for (let looks = 0; looks < 150; looks += 1) {
    if (seen()) return;
    world.run("2s");
  }
  throw new Error(`never seen; it is ${world.status.summary}`);
}

const holdsAt = (world: World, name: string) => () =>
  world.status.phase === "Holding" && world.status.step?.name === name;

const ready = (world: World, kind: "stable" | "canary" | "baseline"): number | undefined =>
  world.status[kind]?.ready;

const leftovers = (world: World): string[] =>
  [...world.deployments.keys(), ...world.children.keys()].filter((name) => name.includes("baseline"));

describe("a baseline of the same age", () => {
  it("starts with the canary, is as large, serves beside it, and is gone after the promotion", () => {
    const world = serving();
    const stable = world.status.rollout?.stableRevision ?? "";
    world.edit(setImage("bridge:2"));
    world.run("1s");
    const [canary, baseline] = [world.status.rollout?.canaryRevision ?? "", `${stable}-baseline`];
    const made = (revision: string) =>
      world.pods.filter((pod) => pod.revision === revision).map((pod) => pod.createdMs);
    expect(made(baseline)).toEqual(made(canary));
    expect(made(baseline)).not.toEqual([]);

    watch(world, holdsAt(world, "fifth"));
    world.run("2s");
    expect([ready(world, "stable"), ready(world, "baseline"), ready(world, "canary")]).toEqual([4, 2, 2]);
    expect(world.servicePods("chat").sort()).toEqual([stable, canary, baseline].sort());
    expect(world.servicePods("chat-production")).toEqual([stable]);
    expect(world.status.baseline).toMatchObject({ revision: baseline, image: "bridge:1", podShare: "25%" });

    watch(world, holdsAt(world, "half"));
    world.run("2s");
    expect([ready(world, "stable"), ready(world, "baseline"), ready(world, "canary")]).toEqual([2, 2, 4]);

    watch(world, holdsAt(world, "all"));
    world.run("4s");
    expect(world.status.baseline).toBeUndefined();
    expect(ready(world, "stable")).toBe(4);

    watch(world, () => world.status.phase === "Stable");
    expect(world.status.stable?.image).toBe("bridge:2");
    world.run("4s");
    expect(leftovers(world)).toEqual([]);
  });

  it("has the stable version's template, under a name, labels and files of its own", () => {
    const world = serving();
    const stable = world.status.rollout?.stableRevision ?? "";
    world.edit(setImage("bridge:2"));
    world.run("1s");
    const text = (name: string) => JSON.stringify(world.deployments.get(name));
    const files = (name: string) =>
      JSON.stringify(
        (world.children.get(`configmaps/${name}`)?.object as { data?: object } | undefined)?.data,
      );
    const renamed = (of: string) => of.replaceAll(`${stable}-baseline`, stable);
    const pod = (name: string) => {
      const { spec } = world.deployments.get(name) as unknown as { spec: { template: object } };
      return JSON.stringify(spec.template);
    };
    expect(JSON.parse(renamed(pod(`chat-${stable}-baseline`)))).toEqual(JSON.parse(pod(`chat-${stable}`)));
    expect(text(`chat-${stable}-baseline`)).toContain('"llmbridge.dev/track":"baseline"');
    expect(files(`chat-${stable}-baseline`)).toContain(`\\"revision\\": \\"${stable}-baseline\\"`);
    expect(files(`chat-${stable}-baseline-runtime`)).toBe(files(`chat-${stable}-runtime`));
  });

  it("promotes a version that is only as cold as its baseline, which beside warm pods is rolled back", () => {
    const outcomes = (["Stable", "SameAge"] as const).map((baseline) => {
      const world = serving({ baseline });
      world.warmUp = { errorShare: 0.05, forMs: 60_000 };
      world.edit(setImage("bridge:2"));
      watch(
        world,
        () => ["Stable", "Aborted"].includes(world.status.phase ?? "") && world.decisions.length > 3,
      );
      return world.status.stable?.image;
    });
    expect(outcomes).toEqual(["bridge:1", "bridge:2"]);
  });

  it.each(["fifth", "half"])("rolls back a version that is worse at step %s, and is gone then", (step) => {
    const world = serving();
    const stable = world.status.rollout?.stableRevision ?? "";
    world.edit(setImage("bridge:2"));
    watch(world, holdsAt(world, step));
    world.behaviours["bridge:2"] = { errorShare: 0.1 };
    watch(world, () => world.status.phase === "Aborted");
    expect(world.status.rollout?.failed?.reason).toBe("ErrorsProvedWorse");
    world.run("6s");
    expect(world.servicePods("chat")).toEqual([stable]);
    expect(ready(world, "stable")).toBe(4);
    expect(leftovers(world)).toEqual([]);
  });

  it("is not the canary's fault where its own pods crash: the canary holds", () => {
    const world = serving();
    const baseline = `${world.status.rollout?.stableRevision}-baseline`;
    world.edit(setImage("bridge:2"));
    watch(world, holdsAt(world, "fifth"));
    world.behaviours[baseline] = { crash: true };
    world.pods = world.pods.map((pod) => (pod.revision === baseline ? { ...pod, ready: false } : pod));
    // What would be proved worse beside the stable version's clean past.
    world.behaviours["bridge:2"] = { errorShare: 0.1 };
    world.run("4m");
    expect(world.status).toMatchObject({ phase: "Holding", rollout: { heldFor: "BaselineNotReady" } });
    expect(world.status.summary).toContain("baseline SameAge");
    expect(world.status.summary).toContain("the container ends again and again");
    world.behaviours = {};
    world.pods = world.pods.filter((pod) => pod.revision !== baseline);
    watch(world, () => world.status.phase === "Stable");
    expect(world.status.stable?.image).toBe("bridge:2");
  });

  it("holds the canary out of the traffic while its pods cannot start, until a person goes on without", () => {
    const world = serving();
    const stable = world.status.rollout?.stableRevision ?? "";
    world.behaviours[`${stable}-baseline`] = { neverReady: true };
    world.edit(setImage("bridge:2"));
    world.run("5m");
    expect(world.status).toMatchObject({ phase: "Preparing", rollout: { heldFor: "BaselineNotReady" } });
    expect(world.servicePods("chat")).toEqual([stable]);
    world.edit((before) => ({ ...before, rollout: { ...before.rollout, baseline: "Stable" } }));
    watch(world, () => world.status.phase === "Stable");
    expect(world.status.stable?.image).toBe("bridge:2");
    expect(leftovers(world)).toEqual([]);
  });

  it("counts on where it was when the operator restarts between any two passes", () => {
    const world = serving();
    world.edit(setImage("bridge:2"));
    const samples: number[] = [];
    for (let seconds = 0; seconds < 240 && world.status.stable?.image !== "bridge:2"; seconds += 2) {
      world.restartOperator();
      world.run("2s");
      samples.push(world.status.verdicts[0]?.samples ?? 0);
    }
    expect(world.status.stable?.image).toBe("bridge:2");
    const counted = samples.slice(0, samples.indexOf(Math.max(...samples)) + 1);
    expect(counted).toEqual(counted.toSorted((a, b) => a - b));
  });

  it("gives the room back, and counts anew beside the stable version, when the option is taken back", () => {
    const world = serving();
    world.edit(setImage("bridge:2"));
    watch(world, holdsAt(world, "half"));
    world.run("8s");
    const subject = () => JSON.parse(world.status.evidence?.state ?? "{}").subject;
    expect(subject()).toContain("beside a baseline");
    world.edit((now) => ({ ...now, rollout: { ...now.rollout, baseline: "Stable" } }));
    world.run("4s");
    expect(subject()).not.toContain("beside a baseline");
    watch(world, () => world.status.baseline === undefined && world.status.stable?.ready === 4);
    watch(world, () => world.status.phase === "Stable");
    expect(world.status.stable?.image).toBe("bridge:2");
  });

  it("is not started for a canary that is under way", () => {
    const world = serving({ baseline: "Stable" });
    world.edit(setImage("bridge:2"));
    watch(world, holdsAt(world, "fifth"));
    world.edit((now) => ({ ...now, rollout: { ...now.rollout, baseline: "SameAge" } }));
    world.run("4s");
    expect(world.status.baseline).toBeUndefined();
    expect(leftovers(world)).toEqual([]);
    watch(world, () => world.status.phase === "Stable");
    world.edit(setImage("bridge:3"));
    watch(world, holdsAt(world, "fifth"));
    expect(world.status.baseline?.replicas).toBe(2);
  });
});
