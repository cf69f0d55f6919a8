import { describe, expect, it } from "vitest";
import { bridgeConfig } from "../../../contract/config.ts";
import { type LLMBridgeSpecInput, llmBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { bridgeConfigFile, mountedSecrets } from "./config.ts";
import { podTemplate } from "./template.ts";

const specOf = (more: Partial<LLMBridgeSpecInput> = {}) =>
  llmBridgeSpec.parse({
    image: "registry.example/bridge:1",
    upstreams: [
      { name: "a", protocol: "OpenAI", url: "http://a/v1", secretRef: { name: "openai", key: "token" } },
    ],
    ...more,
  });
const template = (more: Partial<LLMBridgeSpecInput> = {}) =>
  podTemplate({
    bridge: "chat",
    revision: "abc",
    spec: specOf(more),
    env: { NODE_OPTIONS: "--max-old-space-size=300", UV_THREADPOOL_SIZE: "4" },
    terminationGracePeriodSeconds: 75,
  });
const container = (more: Partial<LLMBridgeSpecInput> = {}) => {
  const [only] = template(more).spec.containers;
  if (!only) throw new Error("no container");
  return only;
};

describe("podTemplate", () => {
  it("satisfies the restricted Pod Security Standard", () => {
    const { spec } = template();
    expect(spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(container().securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(spec.volumes.every((v) => "configMap" in v || "secret" in v || "emptyDir" in v)).toBe(true);
    expect(spec.automountServiceAccountToken).toBe(false);
  });

  it("lets no label or annotation of the user replace ours", () => {
    const { metadata } = template({
      pod: {
        labels: { "llmbridge.dev/bridge": "other", team: "x" },
        annotations: { "prometheus.io/port": "1" },
      },
    });
    expect(metadata.labels).toMatchObject({ "llmbridge.dev/bridge": "chat", team: "x" });
    expect(metadata.annotations["prometheus.io/port"]).toBe("9464");
  });

  it("mounts each Secret once, whole, read-only", () => {
    const pools = { postgres: { secretRef: { name: "openai", key: "pg" }, backendConnections: 10 } };
    const mounts = container({ pools }).volumeMounts.filter((m) => m.mountPath.includes("secrets"));
    expect(mounts).toEqual([
      { name: "secret-0", mountPath: "/etc/llmbridge/secrets/openai", readOnly: true },
    ]);
  });

  it("puts computed variables before the user's, sorted", () => {
    const names = container({ pod: { env: [{ name: "A", value: "1" }] } }).env.map((one) => one.name);
    expect(names).toEqual(["POD_NAME", "POD_NAMESPACE", "NODE_OPTIONS", "UV_THREADPOOL_SIZE", "A"]);
  });

  it("is the same for equal specs", () => {
    expect(JSON.stringify(template())).toBe(JSON.stringify(template()));
  });
});

describe("bridgeConfigFile", () => {
  it("is what the bridge parses", () => {
    const spec = specOf({
      cache: { redis: { secretRef: { name: "redis", key: "url" } } },
      pools: { postgres: { secretRef: { name: "pg", key: "url" }, backendConnections: 10 } },
    });
    const file = bridgeConfigFile({
      bridge: "chat",
      namespace: "ai",
      revision: "abc",
      spec,
      workerCap: 1,
      workerHeapMiB: 64,
    });
    expect(bridgeConfig.parse(file)).toEqual(file);
    expect(file.upstreams[0]?.tokenFile).toBe("/etc/llmbridge/secrets/openai/token");
    expect(file.cache.redisUrlFile).toBe("/etc/llmbridge/secrets/redis/url");
    expect(mountedSecrets(spec)).toEqual(["openai", "pg", "redis"]);
  });
});
