import { describe, expect, it } from "vitest";
import { llmBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { differingContent } from "./restore-content.ts";

const spec = llmBridgeSpec.parse({
  image: "registry.example/bridge:1.5.0",
  upstreams: [
    {
      ...{ name: "m", protocol: "OpenAI", url: "http://m/v1" },
      secretRef: { name: "openai", key: "token", onChange: "Canary" },
    },
  ],
  pod: {
    envFrom: [{ configMapRef: { name: "app" } }],
    env: [{ name: "REGION", configMapRef: { name: "settings", key: "region" } }],
  },
});
const marks = { configMaps: { app: "a1", settings: "s1" }, secrets: { openai: "o1" } };
const target = (contents: object) => ({
  revision: "7c9f21",
  contents: { copies: { openai: "chat-7c9f21-secret-0-x" }, ...contents },
});

describe("the content that a revision keeps", () => {
  it("is left where it is what there is now", () => {
    expect(differingContent(spec, { name: "chat", asked: marks, target: target(marks) })).toEqual([]);
  });

  it("is put back where it differs, with no key beside those that are read", () => {
    const before = { configMaps: { app: "a0", settings: "s0" }, secrets: { openai: "o0" } };
    expect(differingContent(spec, { name: "chat", asked: marks, target: target(before) })).toEqual([
      { kind: "ConfigMap", name: "app", copy: "chat-7c9f21-config-0", keys: undefined },
      { kind: "ConfigMap", name: "settings", copy: "chat-7c9f21-config-1", keys: ["region"] },
      { kind: "Secret", name: "openai", copy: "chat-7c9f21-secret-0-x", keys: ["token"] },
    ]);
  });

  it("has no copy where there was nothing", () => {
    const before = { ...marks, secrets: { openai: "" }, copies: {} };
    expect(differingContent(spec, { name: "chat", asked: marks, target: target(before) })).toEqual([
      { kind: "Secret", name: "openai", copy: undefined, keys: ["token"] },
    ]);
  });

  it("is put back where nothing is known of what the spec asks for now", () => {
    const found = differingContent(spec, { name: "chat", asked: undefined, target: target(marks) });
    expect(found.map(({ name }) => name)).toEqual(["app", "settings", "openai"]);
  });
});
