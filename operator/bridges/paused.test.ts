import { describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../api/v1alpha1/spec.ts";
import { World } from "./testing/world.ts";

const spec: LLMBridgeSpecInput = {
  image: "bridge:1",
  upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a/v1" }],
  scaling: { mode: "Fixed" },
  replicas: 4,
  rollout: {
    steps: [
      { name: "half", weight: 50, hold: "10m" },
      { name: "all", weight: 100 },
    ],
    analysis: { interval: "5s", errors: { rollbackAbove: "1%", promoteBelow: "3%" } },
    progressDeadline: "2m",
    watchAfter: "0s",
  },
};
const set = (world: World, paused: boolean) =>
  world.edit((before) => ({ ...before, rollout: { ...before.rollout, paused } }));

/** A canary that holds at half of the traffic. */
function holding(): World {
  const world = new World(spec);
  world.run("30s");
  world.edit((before) => ({ ...before, image: "bridge:2" }));
  world.run("30s");
  expect(world.status.phase).toBe("Holding");
  return world;
}

/** Pods of a version end, and what is started for them crashes. */
function degrade(world: World, image: string, pods: number): void {
  world.behaviours[image] = { crash: true };
  const ends = world.pods.filter(({ revision }) => world.imageOf(revision) === image).slice(0, pods);
  world.pods = world.pods.filter((pod) => !ends.includes(pod));
  world.kubelet();
}

/** What each condition, the phase and the summary have said, over a hundred passes and more. */
function saidOf(world: World): Record<string, number> {
  const said = new Map<string, Set<string>>();
  const note = (what: string, text: unknown) =>
    said.set(what, (said.get(what) ?? new Set()).add(JSON.stringify(text)));
  for (let pass = 0; pass < 120; pass += 1) {
    world.pass();
    world.kubelet();
    world.nowMs += 10_000;
    note("phase", [world.status.phase, world.status.summary]);
    for (const { type, status, reason, message, lastTransitionTime } of world.status.conditions)
      note(type, [status, reason, message, lastTransitionTime]);
  }
  return Object.fromEntries([...said].map(([what, texts]) => [what, texts.size]));
}

describe("a pause of a degraded bridge", () => {
  it.each<[string, string, (world: World) => void]>([
    ["whose stable pods crash while a canary holds", "False", (world) => degrade(world, "bridge:1", 2)],
    [
      "whose pods of both versions fail",
      "False",
      (world) => {
        degrade(world, "bridge:1", 4);
        degrade(world, "bridge:2", 4);
      },
    ],
    [
      "whose canary was rolled back",
      "False",
      (world) => {
        degrade(world, "bridge:2", 1);
        world.run("1m");
        expect(world.status.phase).toBe("Aborted");
        degrade(world, "bridge:1", 2);
      },
    ],
    [
      "whose metrics are away",
      "True",
      (world) => {
        world.metricsDown = true;
      },
    ],
  ])("%s says one thing, pass after pass", (_, ready, happens) => {
    const world = holding();
    happens(world);
    set(world, true);
    world.run("1m");
    const said = saidOf(world);
    expect(Object.entries(said).filter(([, texts]) => texts !== 1)).toEqual([]);
    const conditions = Object.fromEntries(world.status.conditions.map(({ type, status }) => [type, status]));
    expect(conditions).toMatchObject({ Ready: ready, Progressing: expect.anything() });
  });
});
