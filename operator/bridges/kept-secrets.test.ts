import { describe, expect, it } from "vitest";
import { type LLMBridgeSpecInput, llmBridgeSpec } from "../api/v1alpha1/spec.ts";
import { contentMarks, revisionHash } from "./revision.ts";
import {
  keptSecrets,
  type SecretFinding,
  secretRefs,
  secretsFor,
  wantedSecrets,
} from "./secret-references.ts";
import { World } from "./testing/world.ts";

const BASE: LLMBridgeSpecInput = {
  image: "registry.example/bridge:1",
  upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a/v1" }],
  scaling: { mode: "Fixed" },
  rollout: {
    steps: [
      { name: "half", weight: 50, hold: "5s" },
      { name: "all", weight: 100, hold: "5s" },
    ],
    watchAfter: "0s",
    analysis: { interval: "5s", errors: { rollbackAbove: "1%", promoteBelow: "3%" } },
  },
};
const OPENAI = { name: "openai", key: "token", onChange: "Canary" } as const;
const withKey = (secretRef: object = OPENAI): LLMBridgeSpecInput => ({
  ...BASE,
  upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a/v1", secretRef: secretRef as typeof OPENAI }],
});
const holding = (fingerprint: string, keys: readonly string[] = ["token"]): SecretFinding => ({
  kind: "Found",
  keys,
  fingerprint,
});

function serving(spec: LLMBridgeSpecInput, findings: Record<string, SecretFinding>): World {
  const world = new World(spec);
  world.secretFindings = findings;
  world.run("12s");
  return world;
}

const stable = (world: World): string => world.status.rollout?.stableRevision ?? "";
const canary = (world: World): string => world.status.rollout?.canaryRevision ?? "";
const accepted = (world: World) => world.status.conditions.find(({ type }) => type === "Accepted");
const copiesOf = (world: World, revision: string) =>
  [...world.copies.values()].filter((one) => one.revision === revision);
const templateOf = (world: World, revision: string) =>
  (world.deployments.get(`chat-${revision}`) as unknown as { spec: { template: { spec: object } } }).spec
    .template.spec as {
    containers: [{ env: object[]; envFrom?: object[]; volumeMounts: object[] }];
    volumes: object[];
  };
function configOf(world: World, revision: string): string {
  const found = world.children.get(`configmaps/chat-${revision}`)?.object;
  return (found as { data?: Record<string, string> } | undefined)?.data?.["config.json"] ?? "";
}

describe("a Secret whose changes are to start a canary", () => {
  it("is read by the pods as a copy that belongs to their revision", () => {
    const world = serving(withKey(), { openai: holding("f1") });
    const revision = stable(world);
    const [copy] = copiesOf(world, revision);
    expect(copy).toMatchObject({ from: "openai", keys: ["token"], fingerprint: "f1" });
    expect(copy?.name).toMatch(new RegExp(`^chat-${revision}-secret-0-[0-9a-z]+$`));
    const { volumes, containers } = templateOf(world, revision);
    expect(volumes).toContainEqual({ name: "secret-0", secret: { secretName: copy?.name } });
    expect(containers[0].volumeMounts).toContainEqual({
      ...{ name: "secret-0", mountPath: `/etc/llmbridge/secrets/${copy?.name}`, readOnly: true },
    });
    expect(configOf(world, revision)).toContain(`/etc/llmbridge/secrets/${copy?.name}/token`);
  });

  it("starts one when its content changes, while the stable pods keep the old", () => {
    const world = serving(withKey(), { openai: holding("f1") });
    const before = stable(world);
    const template = templateOf(world, before);
    world.secretFindings = { openai: holding("f2") };
    world.run("4s");
    expect(canary(world)).not.toBe("");
    expect(world.decisions.find(({ reason }) => reason === "NewRevision")?.message).toContain(
      'starts. Secret "openai" has changed. First step half (50%).',
    );
    expect(copiesOf(world, canary(world))).toMatchObject([{ fingerprint: "f2" }]);
    expect(templateOf(world, before)).toEqual(template);
    const next = canary(world);
    world.run("60s");
    expect(stable(world)).toBe(next);
  });

  it("makes each copy once, after the ConfigMaps that own it and before the Deployment that reads it", () => {
    const world = serving(withKey(), { openai: holding("f1") });
    const revision = stable(world);
    const made = world.writes.flatMap((write) =>
      write.kind === "Create"
        ? [write.object.metadata.name]
        : write.kind === "KeepSecret"
          ? [write.name]
          : [],
    );
    const [copy] = copiesOf(world, revision);
    const order = [`chat-${revision}-runtime`, copy?.name ?? "", `chat-${revision}`];
    // The revision's ConfigMap and its Deployment have one name.
    expect(made.lastIndexOf(order[2] as string)).toBeGreaterThan(made.indexOf(order[1] as string));
    expect(made.indexOf(order[1] as string)).toBeGreaterThan(made.indexOf(order[0] as string));
    expect(made.filter((name) => name === copy?.name)).toHaveLength(1);
  });

  it("is copied anew for a pod that does not find the copy", () => {
    const world = serving(withKey(), { openai: holding("f1") });
    const [copy] = copiesOf(world, stable(world));
    world.copies.clear();
    world.run("4s");
    expect(world.copies.size).toBe(0);
    const waiting = { reason: "CreateContainerConfigError", message: `secret "${copy?.name}" not found` };
    world.pods = world.pods.map((pod, index) => (index === 0 ? { ...pod, waiting } : pod));
    world.pass();
    expect([...world.copies.keys()]).toEqual([copy?.name]);
  });

  it("goes back with a rollback, is not tried again until it changes, and not at all where it is as before", () => {
    const world = serving(withKey(), { openai: holding("f1") });
    const before = stable(world);
    world.secretFindings = { openai: holding("bad") };
    world.run("4s");
    const bad = canary(world);
    world.command = { action: "abort", revision: bad, id: "c1" };
    world.run("20s");
    expect(world.status.phase).toBe("Aborted");
    expect(stable(world)).toBe(before);
    world.run("60s");
    expect(world.status.phase).toBe("Aborted");
    world.command = { action: "retry", revision: bad, id: "c2" };
    world.run("4s");
    expect(canary(world)).toBe(bad);
    world.secretFindings = { openai: holding("f1") };
    world.run("20s");
    expect(world.status).toMatchObject({ phase: "Stable", rollout: { stableRevision: before } });
  });

  it("that is deleted refuses changes and leaves what runs", () => {
    const world = serving(withKey(), { openai: holding("f1") });
    const before = stable(world);
    world.secretFindings = { openai: { kind: "Missing" } };
    world.run("10s");
    expect(accepted(world)).toMatchObject({
      ...{ status: "False", reason: "SecretMissing" },
      message: 'spec.upstreams[0].secretRef: there is no Secret "openai" in this namespace; create it.',
    });
    expect(stable(world)).toBe(before);
    expect(world.deployments.get(`chat-${before}`)?.spec.replicas).toBe(2);
    world.secretFindings = { openai: holding("f1") };
    world.run("4s");
    expect(accepted(world)?.status).toBe("True");
    expect(world.status.rollout).toMatchObject({ phase: "Stable", stableRevision: before });
  });

  it("that the operator may not read refuses the bridge, and says what gives the right", () => {
    const message = 'the operator may not get and watch Secret "openai"; the chart gives it.';
    const world = serving(withKey(), { openai: { kind: "Forbidden", message } });
    expect(accepted(world)).toMatchObject({
      ...{ status: "False", reason: "SecretForbidden" },
      message: `spec.upstreams[0].secretRef: ${message}`,
    });
    expect(world.deployments.size).toBe(0);
    world.secretFindings = { openai: holding("f1") };
    world.run("12s");
    expect(stable(world)).not.toBe("");
  });

  it("lets nothing start while it is not known, and forgets nothing of what runs", () => {
    const world = serving(withKey(), { openai: holding("f1") });
    const before = stable(world);
    world.secretFindings = { openai: { kind: "Unknown", message: "no answer yet." } };
    world.edit((spec) => ({ ...spec, image: "registry.example/bridge:2" }));
    world.run("10s");
    expect(accepted(world)?.reason).toBe("SecretUnknown");
    expect(stable(world)).toBe(before);
    expect(world.deployments.size).toBe(1);
  });

  it("that lacks a key says so", () => {
    const world = serving(withKey(), { openai: holding("f1", ["tokn"]) });
    expect(accepted(world)?.message).toContain('Secret "openai" has no key "token"; add it.');
  });

  it("that need not be there starts one when it comes", () => {
    const pod: LLMBridgeSpecInput["pod"] = {
      mounts: [
        { name: "certs", path: "/etc/certs", secret: { name: "certs", optional: true, onChange: "Canary" } },
      ],
    };
    const world = serving({ ...BASE, pod }, { certs: { kind: "Missing" } });
    const before = stable(world);
    expect(before).not.toBe("");
    expect(world.copies.size).toBe(0);
    world.secretFindings = { certs: holding("f1") };
    world.run("4s");
    expect(canary(world)).not.toBe("");
    expect(copiesOf(world, canary(world))).toMatchObject([{ from: "certs", keys: undefined }]);
  });

  it("may set no variable that the spec may not", () => {
    const pod: LLMBridgeSpecInput["pod"] = { envFrom: [{ secretRef: { name: "vars", onChange: "Canary" } }] };
    const world = serving({ ...BASE, pod }, { vars: holding("f1", ["NODE_OPTIONS"]) });
    expect(accepted(world)).toMatchObject({ reason: "InvalidSpec" });
    expect(accepted(world)?.message).toContain('key "NODE_OPTIONS" would set NODE_OPTIONS');
  });
});

describe("a reference", () => {
  const POD: LLMBridgeSpecInput["pod"] = {
    env: [{ name: "TOKEN", secretRef: { name: "keys", key: "b", onChange: "Canary" } }],
    envFrom: [{ prefix: "P_", secretRef: { name: "vars", onChange: "Canary" } }],
    mounts: [{ name: "certs", path: "/etc/certs", secret: { name: "certs", onChange: "Canary" } }],
  };

  it("may ask for it wherever pods read a Secret", () => {
    const spec: LLMBridgeSpecInput = {
      ...withKey({ name: "keys", key: "a", onChange: "Canary" }),
      cache: { redis: { secretRef: { name: "redis", key: "url", onChange: "Canary" } } },
      pools: {
        postgres: { secretRef: { name: "pg", key: "url", onChange: "Canary" }, backendConnections: 40 },
      },
      pod: POD,
    };
    expect(secretRefs(llmBridgeSpec.parse(spec)).map(({ path }) => path)).toEqual([
      "spec.upstreams[0].secretRef",
      "spec.cache.redis.secretRef",
      "spec.pools.postgres.secretRef",
      "spec.pod.env[0].secretRef",
      "spec.pod.envFrom[0].secretRef",
      "spec.pod.mounts[0].secret",
    ]);
    expect(wantedSecrets(llmBridgeSpec.parse(spec))).toEqual([
      { name: "certs", keys: undefined },
      { name: "keys", keys: ["a", "b"] },
      { name: "pg", keys: ["url"] },
      { name: "redis", keys: ["url"] },
      { name: "vars", keys: undefined },
    ]);
    const world = serving(spec, {});
    const revision = stable(world);
    const copy = (name: string) => copiesOf(world, revision).find(({ from }) => from === name)?.name;
    const { containers, volumes } = templateOf(world, revision);
    expect(containers[0].env).toContainEqual({
      ...{ name: "TOKEN", valueFrom: { secretKeyRef: { name: copy("keys"), key: "b" } } },
    });
    expect(containers[0].envFrom).toEqual([
      { prefix: "P_", secretRef: { name: copy("vars"), optional: false } },
    ]);
    expect(volumes).toContainEqual({
      ...{ name: "mount-certs", secret: { secretName: copy("certs"), optional: false } },
    });
    expect(configOf(world, revision)).toContain(`/etc/llmbridge/secrets/${copy("redis")}/url`);
    expect(configOf(world, revision)).toContain(`/etc/llmbridge/secrets/${copy("pg")}/url`);
  });

  it("that does not ask for it reads the Secret itself, beside one that does", () => {
    const spec: LLMBridgeSpecInput = {
      ...BASE,
      upstreams: [
        { name: "a", protocol: "OpenAI", url: "http://a/v1", models: ["m"], secretRef: OPENAI },
        { name: "b", protocol: "OpenAI", url: "http://b/v1", secretRef: { name: "openai", key: "other" } },
      ],
    };
    const world = serving(spec, { openai: holding("f1") });
    const revision = stable(world);
    const [copy] = copiesOf(world, revision);
    expect(copy?.keys).toEqual(["token"]);
    expect(configOf(world, revision)).toContain(`/secrets/${copy?.name}/token`);
    expect(configOf(world, revision)).toContain("/secrets/openai/other");
    expect(templateOf(world, revision).volumes).toContainEqual({
      ...{ name: "secret-1", secret: { secretName: "openai" } },
    });
  });

  it("keeps its revision where it says what it meant before, and gets another where it asks for canaries", () => {
    const hash = (secretRef: object, finding = holding("f1")) => {
      const spec = llmBridgeSpec.parse(withKey(secretRef));
      return revisionHash(
        spec,
        contentMarks({ configMaps: [], secrets: keptSecrets(spec, { openai: finding }) ?? [] }),
      );
    };
    const plain = hash({ name: "openai", key: "token" });
    expect(hash({ name: "openai", key: "token", onChange: "Ignore" })).toBe(plain);
    expect(hash(OPENAI)).not.toBe(plain);
    expect(hash(OPENAI, holding("f2"))).not.toBe(hash(OPENAI));
    // A key that nothing reads is in no fingerprint.
    expect(hash(OPENAI, holding("f1", ["token", "more"]))).toBe(hash(OPENAI));
  });

  it("is told apart from what is unknown where nobody reads a cluster", () => {
    const value = llmBridgeSpec.parse(withKey());
    expect(secretsFor({ ok: true, value })).toEqual({ openai: holding("unknown") });
    expect(keptSecrets(value, {})).toBeUndefined();
  });
});
