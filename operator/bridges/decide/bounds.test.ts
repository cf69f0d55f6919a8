import { describe, expect, it } from "vitest";
import { type LLMBridgeSpecInput, llmBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { bounds } from "./bounds.ts";

const of = (more: Partial<LLMBridgeSpecInput>) =>
  bounds(
    llmBridgeSpec.parse({
      image: "registry.example/bridge:1",
      upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a/v1" }],
      ...more,
    }),
  );

describe("bounds", () => {
  it("leaves a canary the pods that the budget has left", () => {
    const result = of({ scaling: { maxReplicas: 4 }, budget: { cpu: "5" } });
    expect(result).toMatchObject({ maxPods: 5, issues: [] });
  });

  it.each<[string, Partial<LLMBridgeSpecInput>, number, string]>([
    ["by CPUs", { budget: { cpu: "5" } }, 5, "spec.budget.cpu"],
    ["by memory", { budget: { cpu: "9", memory: "2560Mi" } }, 5, "spec.budget.memory"],
    ["by both", { budget: { cpu: "5", memory: "2560Mi" } }, 5, "spec.budget.cpu and spec.budget.memory"],
    ["by the most replicas", { budget: { cpu: "20" } }, 9, "spec.scaling.maxReplicas"],
    ["by a fixed number of them", { scaling: { mode: "Fixed" }, replicas: 3 }, 7, "spec.replicas"],
  ])("names what sets the most pods: %s", (_, more, maxPods, maxPodsBy) => {
    expect(of({ scaling: { maxReplicas: 4 }, ...more })).toMatchObject({ maxPods, maxPodsBy, issues: [] });
  });

  it("refuses a stable version above the budget, with the remedy", () => {
    const { issues } = of({ scaling: { maxReplicas: 20 }, budget: { memory: "5Gi" } });
    expect(issues).toEqual([
      {
        path: "spec.budget.memory",
        message:
          "the plan needs 20 pods of 512Mi memory each but spec.budget.memory is 5Gi, enough for 10; lower spec.scaling.maxReplicas, lower spec.resources.limits.memory, or raise the budget.",
      },
    ]);
  });

  it("refuses a backend that cannot give each pod a connection", () => {
    const postgres = { secretRef: { name: "pg", key: "url" }, backendConnections: 12, reserved: 2 };
    const { issues, postgres: plan } = of({ scaling: { maxReplicas: 20 }, pools: { postgres } });
    expect(plan?.perPod).toBe(0);
    expect(issues[0]?.message).toContain("lower spec.scaling.maxReplicas to 4");
  });

  it("counts spec.replicas where nobody scales", () => {
    expect(of({ scaling: { mode: "Fixed" }, replicas: 3 })).toMatchObject({
      minReplicas: 3,
      maxReplicas: 3,
      maxPods: 7,
    });
  });
});
