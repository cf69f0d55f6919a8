import { describe, expect, it } from "vitest";
import { type LLMBridgeSpecInput, llmBridgeSpec } from "../api/v1alpha1/spec.ts";
import { revisionHash } from "./revision.ts";

const base: LLMBridgeSpecInput = {
  image: "registry.example/bridge:1.0.0",
  upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a.example/v1" }],
};
const hash = (more: Partial<LLMBridgeSpecInput> = {}) =>
  revisionHash(llmBridgeSpec.parse({ ...base, ...more }));

describe("revisionHash", () => {
  it("is golden: the same spec hashes the same in every release", () => {
    expect(hash()).toBe("230502f64e");
  });

  it.each<[string, Partial<LLMBridgeSpecInput>]>([
    ["replicas", { replicas: 7 }],
    ["scaling", { scaling: { maxReplicas: 40 } }],
    ["rollout", { rollout: { paused: true } }],
    ["alerts", { alerts: [] }],
    ["fewest workers", { workers: { min: 0 } }],
    ["a default written out", { resources: { limits: { memory: "512Mi" } } }],
    ["another spelling of a quantity", { resources: { limits: { memory: "524288Ki", cpu: "1000m" } } }],
    ["another spelling of a duration", { cache: { ttl: { answers: "60m" } } }],
  ])("ignores %s", (_, more) => {
    expect(hash(more)).toBe(hash());
  });

  it("ignores the order of maps by name", () => {
    const [a, b] = [base.upstreams[0], { name: "b", protocol: "Ollama" as const, url: "http://b.example" }];
    if (!a) throw new Error("no upstream");
    expect(hash({ upstreams: [a, { ...b, models: ["y", "x"] }] })).toBe(
      hash({ upstreams: [{ ...b, models: ["x", "y"] }, a] }),
    );
  });

  it.each<[string, Partial<LLMBridgeSpecInput>]>([
    ["image", { image: "registry.example/bridge:1.0.1" }],
    ["limits", { resources: { limits: { memory: "1Gi" } } }],
    ["an upstream", { upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a.example/v2" }] }],
    ["the worker cap", { workers: { max: 4 } }],
    ["a Node flag", { tuning: { nodeOptions: { maxSemiSpaceMiB: 32 } } }],
    ["an environment variable", { pod: { env: [{ name: "A", value: "1" }] } }],
    [
      "the Postgres Secret",
      { pools: { postgres: { secretRef: { name: "pg", key: "url" }, backendConnections: 100 } } },
    ],
  ])("changes with %s", (_, more) => {
    expect(hash(more)).not.toBe(hash());
  });

  it("does not change with what the backend allows", () => {
    const pools = (backendConnections: number) => ({
      postgres: { secretRef: { name: "pg", key: "url" }, backendConnections },
    });
    expect(hash({ pools: pools(100) })).toBe(hash({ pools: pools(300) }));
  });
});
