import { describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../../api/v1alpha1/spec.ts";
import { World } from "../testing/world.ts";

const spec: LLMBridgeSpecInput = {
  image: "bridge:1",
  upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a/v1" }],
  scaling: { minReplicas: 2, maxReplicas: 4, demandWindow: "15s" },
};

it("tells of a firing alert that only reports once, with the remedy", () => {
  const world = new World({
    ...spec,
    alerts: [{ name: "memory", metric: "MemoryShare", above: "1%", for: "5s", action: "Notify" }],
  });
  world.run("2m");
  const notices = world.decisions.filter(({ action }) => action === "Alert");
  expect(notices).toHaveLength(1);
  expect(notices[0]).toMatchObject({ reason: "AlertFiring" });
  expect(notices[0]?.message).toMatch(
    /^Alert memory: MemoryShare is 18\.6% in pod p-\d+, above 1%\. Raise spec\./,
  );
});

it("says in words what worker threads do, and why there are none", () => {
  const world = new World(spec);
  world.run("1m");
  expect(world.status.workers).toMatchObject({ reason: "Worker threads: 10% busy, 0 ms p95 wait." });
  const small = new World({
    ...spec,
    resources: { requests: { memory: "256Mi" }, limits: { memory: "256Mi" } },
  });
  small.run("1m");
  expect(small.status.workers).toEqual({
    current: 0,
    cap: 0,
    reason:
      "No worker threads, jobs run on the main thread: 256 MiB leave no heap for more isolates (F1); a memory limit of 313Mi takes one.",
  });
});

it("says once what holds the replicas", () => {
  const world = new World(spec);
  world.streams = 500;
  world.run("2m");
  expect(world.status.scaling?.message).toMatch(/maxReplicas is 4; raise it\.$/);
  expect(world.status.scaling?.message).not.toContain("Held");
});

it("keeps a rollout held where the source fails and the operator is another one", () => {
  const world = new World({
    ...spec,
    alerts: [{ name: "memory", metric: "MemoryShare", above: "1%", for: "0s", action: "Hold" }],
  });
  world.run("1m");
  world.edit((before) => ({ ...before, image: "bridge:2" }));
  world.run("10s");
  expect(world.status.summary).toContain("Alert memory asks to hold");
  world.metricsDown = true;
  world.restartOperator();
  world.run("10m");
  expect(world.status).toMatchObject({ phase: "Stable", alerts: [{ state: "Firing" }] });
  expect(world.status.summary).toContain("Alert memory asks to hold");
});

describe("the cooldown of an alert that asks for a rollback", () => {
  const HIGH = { memoryBytes: 520e6 };
  const world = () =>
    new World({
      ...spec,
      alerts: [{ name: "memory", metric: "MemoryShare", above: "90%", for: "0s", action: "Rollback" }],
      rollout: {
        steps: [
          { name: "half", weight: 50, hold: "1h" },
          { name: "all", weight: 100 },
        ],
      },
    });
  const roll = (one: World) => {
    one.edit((before) => ({ ...before, image: "bridge:2" }));
    one.run("1m");
  };

  it("does not begin while it is not obeyed, as where it fired before there was a canary", () => {
    const all = world();
    all.behaviours = { "bridge:1": HIGH, "bridge:2": HIGH };
    all.run("1m");
    roll(all);
    expect(all.status).toMatchObject({ phase: "Holding", alerts: [{ state: "Firing" }] });
    expect(all.status.alerts[0]?.lastActed).toBeUndefined();
  });

  it("does not save a canary because the first version violated while it started", () => {
    const one = world();
    one.behaviours = { "bridge:1": HIGH };
    while (one.status.alerts[0]?.state !== "Firing") one.run("1s");
    one.behaviours = {};
    roll(one);
    expect(one.status).toMatchObject({ phase: "Holding", alerts: [{ state: "Inactive" }] });
    one.behaviours = { "bridge:2": HIGH };
    one.run("10s");
    expect(one.status.rollout?.failed).toMatchObject({ reason: "Alert" });
    expect(one.status.alerts[0]?.lastActed).toBeDefined();
  });
});
