import { describe, expect, it } from "vitest";
import { llmBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { ApiError } from "../../kube/errors.ts";
import type { Connection } from "../connection.ts";
import { type DifferingContent, differingContent, restoreContent } from "./restore-content.ts";

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

describe("putting content back", () => {
  const stored: Readonly<Record<string, object>> = {
    app: { old: "1", both: "1" },
    "chat-7c9f21-config-0": { both: "0", new: "0" },
    openai: { token: "bmV3", other: "eA==" },
    "chat-7c9f21-secret-0-x": { token: "b2xk" },
  };
  const app = { kind: "ConfigMap", name: "app", copy: "chat-7c9f21-config-0", keys: undefined } as const;
  const openai = { kind: "Secret", name: "openai", copy: "chat-7c9f21-secret-0-x", keys: ["token"] } as const;

  async function restore(...content: readonly DifferingContent[]) {
    const written: [name: string, body: object][] = [];
    const client = {
      get: async (_: object, __: string, name: string) => {
        const data = stored[name];
        if (data === undefined) throw new ApiError(`get ${name}`, 404, {}, undefined);
        return { metadata: { name, resourceVersion: "7" }, data };
      },
      mergePatch: async (_: object, __: string, name: string, body: object) => written.push([name, body]),
    };
    const connection = { client, namespace: "ai" } as unknown as Connection;
    const failure = await restoreContent(connection, content).catch((error: unknown) => error);
    return { written, failure };
  }

  it("takes away what else is read, and leaves the rest", async () => {
    const { written } = await restore(app, openai);
    expect(written).toMatchObject([
      ["app", { metadata: { resourceVersion: "7" }, data: { old: null, both: "0", new: "0" } }],
      ["openai", { data: { token: "b2xk" } }],
    ]);
    expect(written[1]?.[1]).not.toHaveProperty("data.other");
  });

  it.each([
    [
      { kind: "ConfigMap", name: "extra", copy: undefined, keys: undefined },
      /no ConfigMap "extra"; delete it/,
    ],
    [{ ...openai, copy: "chat-7c9f21-secret-9" }, /the copy chat-7c9f21-secret-9 of it, is gone/],
  ] as const)("writes nothing where a later one has no copy: %#", async (content, message) => {
    const { written, failure } = await restore(app, content);
    expect({ written, failure }).toMatchObject({
      written: [],
      failure: { message: expect.stringMatching(message) },
    });
  });
});
