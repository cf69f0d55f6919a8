import { describe, expect, it } from "vitest";
import { llmBridgeSpec } from "./spec.ts";
import { llmBridgeStatus } from "./status.ts";
import { lintManifest } from "./validate.ts";

const manifest = (spec: object = {}) => ({
  apiVersion: "llmbridge.dev/v1alpha1",
  kind: "LLMBridge",
  metadata: { name: "chat", namespace: "ai" },
  spec: { image: "bridge:1", upstreams: [{ name: "m", protocol: "Ollama", url: "http://m:11434" }], ...spec },
});

describe("lintManifest", () => {
  it("names the place of each issue, inside lists too", () => {
    const alerts = [
      { name: "a", metric: "PoolWaiting", above: "0" },
      { name: "b", metric: "PoolWaiting" },
    ];
    expect(lintManifest(manifest({ alerts }))).toEqual([
      { path: "spec.alerts[1]", message: "alert b needs exactly one of above and below." },
    ]);
  });

  it("finds fields beside the spec", () => {
    expect(lintManifest({ ...manifest(), sepc: {} })).toEqual([
      { path: "sepc", message: "is not a field here; did you mean spec?" },
    ]);
  });

  it.each([
    [{ lables: {} }, "metadata.lables", "did you mean labels?"],
    [{ labels: { version: 1.2 } }, "metadata.labels.version", "put it in quotes"],
    [{ labels: { team: "a b" } }, "metadata.labels.team", "is not the value of a label"],
    [{ labels: ["a"] }, "metadata.labels", "is a list"],
    [{ annotations: { a: true } }, "metadata.annotations.a", "put it in quotes"],
    [{ namespace: "AI_x" }, "metadata.namespace", "is not a name"],
  ])("finds what is wrong with the metadata: %j", (change, path, sentence) => {
    const { metadata } = manifest();
    expect(lintManifest({ ...manifest(), metadata: { ...metadata, ...change } })).toEqual([
      { path, message: expect.stringContaining(sentence) },
    ]);
  });

  it("takes metadata as the server gives it back, and maps without values", () => {
    const metadata = {
      ...{ name: "chat", namespace: "ai", uid: "u1", resourceVersion: "7", generation: 2 },
      ...{ creationTimestamp: null, managedFields: [{}], finalizers: ["a/b"], labels: null },
      annotations: { "a.b/c": "any text at all: 1", "a.b/d": "" },
    };
    expect(lintManifest({ ...manifest(), metadata })).toEqual([]);
  });

  it("judges changes only when the stored spec is given", () => {
    const before = llmBridgeSpec.parse(manifest().spec);
    expect(lintManifest(manifest({ replicas: 5 }))).toEqual([]);
    expect(lintManifest(manifest({ replicas: 5 }), before).map(({ path }) => path)).toEqual([
      "spec.replicas",
    ]);
  });

  it.each([
    [24.2, "number 24.2"],
    [true, "boolean true"],
  ])("asks for text as it was written, which %j need not be", (nodeVersion, read) => {
    expect(lintManifest(manifest({ tuning: { nodeVersion } }))).toEqual([
      {
        path: "spec.tuning.nodeVersion",
        message: `is read as the ${read}, but text is needed; put it in quotes as it is written.`,
      },
    ]);
  });

  it.each([undefined, null, 1, "text", []])("refuses %j without throwing", (object) => {
    expect(lintManifest(object)).not.toEqual([]);
  });
});

describe("status as an operator reads it", () => {
  const rollout = { phase: "Stable", phaseSince: "2026-11-21T09:00:00Z" };

  it("loses fields that this version does not know", () => {
    const parsed = llmBridgeStatus.parse({ rollout: { ...rollout, invented: 1 }, alsoInvented: {} });
    expect(parsed.rollout).toEqual(rollout);
  });

  it("is refused with a phase that this version does not know", () => {
    const parsed = llmBridgeStatus.safeParse({ rollout: { ...rollout, phase: "Levitating" } });
    expect(parsed.error?.issues[0]?.path).toEqual(["rollout", "phase"]);
  });
});
