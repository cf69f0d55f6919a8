import { describe, expect, it } from "vitest";
import { measureBaseline } from "../evidence/baseline.ts";
import { steppedSpec } from "./testing/stepped-spec.ts";
import { World } from "./testing/world.ts";

const spec = steppedSpec({ name: "half", weight: 50 }, { watchAfter: "5m" });

const images = (world: World) => {
  const { stableRevision, previousRevision } = world.status.rollout ?? {};
  return [world.imageOf(stableRevision), world.imageOf(previousRevision)];
};

/** Version 2 is promoted and watched. */
function watching(more: object = {}): World {
  const world = new World({ ...spec, rollout: { ...spec.rollout, ...more } });
  world.run("30s");
  world.edit((before) => ({ ...before, image: "bridge:2" }));
  for (let i = 0; i < 60 && world.status.phase !== "Watching"; i += 1) world.run("5s");
  expect(images(world)).toEqual(["bridge:2", "bridge:1"]);
  return world;
}

/** Ten minutes of a version that fails 0.2 %. */
const served = measureBaseline({
  errors: Array.from({ length: 120 }, (_, endMs) => ({
    endMs,
    pods: [{ pod: "a", counts: { requests: 500, bad: 1 } }],
  })),
});

const editMargins = (world: World) =>
  world.edit((before) => ({
    ...before,
    rollout: {
      ...before.rollout,
      analysis: { interval: "5s", errors: { rollbackAbove: "0.2%", promoteBelow: "1%" } },
    },
  }));

const untilLeft = (world: World, seconds: number) => {
  const since = world.nowMs;
  while (world.status.phase === "Watching" && world.nowMs < since + seconds * 1000) world.run("2s");
  return (world.nowMs - since) / 1000;
};

describe("a promoted version", () => {
  it("that goes on well becomes the only one when watchAfter is over", () => {
    const world = watching();
    expect(world.servicePods("chat")).toEqual([world.status.rollout?.stableRevision]);
    expect(world.status.previous).toMatchObject({
      image: "bridge:1",
      replicas: 3,
      ready: 3,
      desiredWeight: 0,
    });
    expect(world.status.verdicts).toEqual([
      {
        signal: "errors",
        category: "Watching",
        message: "Its share of failed requests is watched since the promotion; no alarm.",
      },
    ]);
    expect(untilLeft(world, 600)).toBeGreaterThan(280);
    world.run("10s");
    expect(world.status.phase).toBe("Stable");
    expect(world.status.previous).toBeUndefined();
    expect(world.pods).toHaveLength(3);
  });

  it("that begins to fail requests minutes later is left for the one before within seconds", () => {
    const world = watching();
    world.run("2m");
    world.behaviours["bridge:2"] = { errorShare: 0.2 };
    expect(untilLeft(world, 120)).toBeLessThan(20);
    world.run("10s");
    expect(world.status).toMatchObject({
      phase: "Aborted",
      rollout: { failed: { reason: "ErrorsProvedWorse" } },
    });
    expect(world.servicePods("chat")).toEqual([world.status.rollout?.stableRevision]);
    expect(images(world)[0]).toBe("bridge:1");
  });

  it("is watched on after a restart of the operator between any two passes, from the checkpoint", () => {
    const world = watching();
    for (let seconds = 0; seconds < 120; seconds += 2) {
      world.restartOperator();
      world.run("2s");
    }
    expect(world.status.phase).toBe("Watching");
    world.behaviours["bridge:2"] = { errorShare: 0.2 };
    for (let seconds = 0; seconds < 30 && world.status.phase === "Watching"; seconds += 2) {
      world.restartOperator();
      world.run("2s");
    }
    expect(world.status.rollout?.failed?.reason).toBe("ErrorsProvedWorse");
  });

  it("is not left for what it did as a canary, nor while the source does not answer", () => {
    const world = watching();
    world.behaviours["bridge:2"] = { errorShare: 0.2 };
    world.metricsDown = true;
    world.run("2m");
    expect(world.status.phase).toBe("Watching");
    // What was counted meanwhile is read when it answers again.
    world.metricsDown = false;
    expect(untilLeft(world, 60)).toBeLessThan(10);
    expect(world.status.rollout?.failed?.reason).toBe("ErrorsProvedWorse");
  });

  it("is watched from its promotion on, however long the source gave no answer before", () => {
    const world = new World(spec);
    world.run("30s");
    world.edit((before) => ({ ...before, image: "bridge:2" }));
    world.run("20s");
    world.metricsDown = true;
    world.run("20m");
    const revision = world.status.rollout?.canaryRevision ?? "";
    world.command = { action: "promote", revision, full: true, id: "c-1" };
    world.run("20s");
    expect(world.status.phase).toBe("Watching");
    world.metricsDown = false;
    world.run("1m");
    world.behaviours["bridge:2"] = { errorShare: 0.2 };
    expect(untilLeft(world, 120)).toBeLessThan(20);
    expect(world.status.rollout?.failed?.reason).toBe("ErrorsProvedWorse");
  });

  it("begins a new watch where margins are edited", () => {
    const world = watching();
    world.past = () => served;
    editMargins(world);
    world.run("30s");
    expect(world.status.evidence?.state).toContain('"subject":"errors 0.2% 1%, 5s"');
    world.behaviours["bridge:2"] = { errorShare: 0.2 };
    expect(untilLeft(world, 60)).toBeLessThan(20);
  });

  it("is held against what the version before was until the canary came, however long ago that is", () => {
    const world = watching({ watchAfter: "2h" });
    const sinceMs = Date.parse(world.status.rollout?.evidenceSince ?? "");
    // It has served nothing since its successor was promoted.
    world.past = (endMs) => (endMs <= sinceMs ? served : {});
    world.run("40m");
    // Nor is a watch begun without it, which could find nothing for the rest of its time.
    world.metricsDown = true;
    editMargins(world);
    world.run("10s");
    expect(world.status.verdicts).toEqual([
      { signal: "errors", category: "NoData", message: "The source is down." },
    ]);
    world.metricsDown = false;
    world.run("1m");
    expect(world.status.verdicts).toMatchObject([{ category: "Watching" }]);
    world.behaviours["bridge:2"] = { errorShare: 1 };
    expect(untilLeft(world, 120)).toBeLessThan(20);
    expect(world.status.rollout?.failed?.reason).toBe("ErrorsProvedWorse");
  });
});
