import { describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../api/v1alpha1/spec.ts";
import { failing } from "../prometheus/source.ts";
import { World } from "./testing/world.ts";

const spec: LLMBridgeSpecInput = {
  image: "bridge:1",
  upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a/v1" }],
  scaling: { minReplicas: 3, maxReplicas: 9, demandWindow: "15s" },
  rollout: {
    steps: [
      { name: "half", weight: 50, hold: "10s" },
      { name: "all", weight: 100, hold: "10s" },
    ],
    analysis: { interval: "5s", errors: { rollbackAbove: "1%", promoteBelow: "5%" } },
  },
};
const refused = failing("SourceFailing", "The metric source answered a query with HTTP status 422.");

/** A canary that holds, so many seconds after its first request, and a source that does not tell the past of the version before. */
function holding(pastFails: World["pastFails"]): World {
  const world = new World(spec);
  world.run("30s");
  world.pastFails = pastFails;
  world.edit((before) => ({ ...before, image: "bridge:2" }));
  for (let i = 0; i < 60 && world.status.phase !== "Holding"; i += 1) world.run("2s");
  expect(world.status.phase).toBe("Holding");
  return world;
}

const available = ({ status }: World) => status.conditions.find(({ type }) => type === "MetricsAvailable");

describe("a source that does not tell the past", () => {
  it("is named while nothing is judged for it", () => {
    const world = holding(refused);
    world.run("10m");
    expect(world.memory.evidence).toBeUndefined();
    expect(available(world)).toMatchObject({ status: "False", message: refused.message });
    expect(world.status.rollout?.heldFor).toBe("MetricsUnavailable");
  });

  it("has a canary judged cautiously once it has been asked long enough, where it answers about now", () => {
    const world = holding({ ...refused, isTooMuch: true });
    const sinceMs = Date.parse(world.status.rollout?.evidenceSince ?? "");
    while (world.memory.evidence === undefined && world.nowMs < sinceMs + 600_000) world.run("2s");
    expect(world.nowMs - sinceMs).toBeGreaterThanOrEqual(120_000);
    expect(world.nowMs - sinceMs).toBeLessThan(130_000);
    world.run("10s");
    expect(available(world)?.status).toBe("True");
    // Counted from its first request on.
    expect(world.memory.evidence?.state.gatesFromMs).toBe(sinceMs);
    world.run("10m");
    expect(world.imageOf(world.status.rollout?.stableRevision)).toBe("bridge:2");
  });

  it("has none judged so that answers nothing at all", () => {
    const world = holding({ ...refused, isTooMuch: true });
    world.metricsDown = true;
    world.run("10m");
    expect(world.memory.evidence).toBeUndefined();
  });
});
