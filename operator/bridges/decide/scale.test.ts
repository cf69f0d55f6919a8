import { expect, it } from "vitest";
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
