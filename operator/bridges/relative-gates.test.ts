import { describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../api/v1alpha1/spec.ts";
import { World } from "./testing/world.ts";

const cpu = { name: "cpu", metric: "CpuShare", maxIncrease: "20%" } as const;
const spec = (rollout: LLMBridgeSpecInput["rollout"]): LLMBridgeSpecInput => ({
  image: "bridge:1",
  upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a/v1" }],
  scaling: { minReplicas: 3, maxReplicas: 9, demandWindow: "15s" },
  rollout: { watchAfter: "0s", analysis: { gates: [cpu], noData: { after: "10m" } }, ...rollout },
});

/** A change to a version that costs the same, after so long. */
function changed(rollout: LLMBridgeSpecInput["rollout"], duration: string): World {
  const world = new World(spec(rollout));
  world.cpuPerRequest = 0.005;
  world.run("30s");
  world.edit((before) => ({ ...before, image: "bridge:2" }));
  world.run(duration);
  return world;
}

const promoted = ({ status }: World) => [status.phase, status.stable?.image];

describe("a gate that compares CPU with the stable version", () => {
  it.each(["Stable", "SameAge"] as const)(
    "takes a version that costs the same through all steps, beside %s",
    (baseline) => {
      expect(promoted(changed({ baseline }, "30m"))).toEqual(["Stable", "bridge:2"]);
    },
  );

  it("says why it waits where nobody is ever served beside the canary", () => {
    const { status } = changed({ steps: [{ name: "all", weight: 100 }] }, "5m");
    const why =
      "Nobody is known to be served by the stable version beside the canary, so that CpuShare cannot be compared.";
    expect(status.phase).toBe("Holding");
    expect(status.verdicts.find(({ signal }) => signal === "cpu")?.message).toBe(why);
    expect(status.conditions.find(({ type }) => type === "Accepted")?.message).toContain(
      "gate cpu compares with the stable version, and at no step both versions serve",
    );
  });
});
