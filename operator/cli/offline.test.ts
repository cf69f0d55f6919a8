import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../api/v1alpha1/spec.ts";
import { World } from "../bridges/testing/world.ts";
import { lintDocuments } from "./lint-yaml.ts";
import { rendered } from "./offline.ts";

const spec: LLMBridgeSpecInput = {
  image: "registry.example/bridge:1.4.0",
  upstreams: [{ name: "m", protocol: "Ollama", url: "http://m:11434" }],
};

describe("rendered", () => {
  it("is what the operator makes of a bridge that it sees for the first time", () => {
    const world = new World(spec);
    world.rendererVersion = rendererOf(rendered({ metadata: { name: "chat" }, spec }, "ai").children);
    world.pass();
    const made = world.writes.flatMap((write) => (write.kind === "Create" ? [write.object] : []));
    const { children } = rendered({ metadata: { name: "chat", uid: "u-1" }, spec }, "ai");
    expect(children).toEqual(made);
  });

  it("has no owner where there is no uid, since a wrong one would be the end of the objects", () => {
    const { children, revision } = rendered({ metadata: { name: "chat", namespace: "own" }, spec }, "ai");
    expect(children.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`)).toEqual([
      "ServiceAccount own/chat",
      "PodDisruptionBudget own/chat",
      "NetworkPolicy own/chat",
      `ConfigMap own/chat-${revision}`,
      `ConfigMap own/chat-${revision}-runtime`,
      `Deployment own/chat-${revision}`,
      "Service own/chat",
      "Service own/chat-production",
      "Service own/chat-canary",
    ]);
    expect(children.filter(({ metadata }) => "ownerReferences" in metadata)).toEqual([]);
  });

  it("has copies of Secrets that changes are to start canaries of, without a content, before what reads them", () => {
    const secretRef = { name: "openai", key: "token", onChange: "Canary" as const };
    const keyed = { ...spec, upstreams: spec.upstreams.map((one) => ({ ...one, secretRef })) };
    const { children, revision } = rendered({ metadata: { name: "chat" }, spec: keyed }, "ai");
    const at = children.findIndex(({ kind }) => kind === "Secret");
    expect(children[at]).toMatchObject({
      metadata: { name: `chat-${revision}-secret-0-0`, annotations: { "llmbridge.dev/kept-from": "openai" } },
      ...{ immutable: true, data: {} },
    });
    expect(children[at + 1]?.kind).toBe("Deployment");
    expect(JSON.stringify(children[at + 1])).toContain(`"secretName":"chat-${revision}-secret-0-0"`);
  });

  it("is refused with the operator's words", () => {
    const budget = { ...spec, budget: { cpu: "1" }, scaling: { minReplicas: 1, maxReplicas: 20 } };
    expect(() => rendered({ metadata: { name: "chat" }, spec: budget }, "ai")).toThrow(
      /^chat: spec\.budget\.cpu: the plan needs 20 pods/,
    );
  });

  it.each([
    ["minimal", 9],
    ["full", 9],
    // With its route.
    ["gateway", 10],
  ])("renders examples/%s.yaml", (name, count) => {
    const path = join(import.meta.dirname, "../../examples", `${name}.yaml`);
    const [linted] = lintDocuments(readFileSync(path, "utf8"));
    if (linted?.bridge === undefined) throw new Error(`${name} is not valid`);
    expect(rendered(linted.bridge, "ai").children).toHaveLength(count);
  });
});

function rendererOf(children: ReturnType<typeof rendered>["children"]): string {
  const deployment = children.find(({ kind }) => kind === "Deployment");
  return deployment?.metadata.annotations?.["llmbridge.dev/renderer"] ?? "";
}
