import { describe, expect, it } from "vitest";
import { LABELS } from "../../contract/kubernetes.ts";
import { type LLMBridgeSpec, type LLMBridgeSpecInput, llmBridgeSpec } from "../api/v1alpha1/spec.ts";
import { failing } from "../prometheus/source.ts";
import { decide } from "./decide.ts";
import { keptName } from "./names.ts";
import {
  type ConfigMapReading,
  type ConfigMapReadings,
  configMapRefs,
  keptConfigMaps,
} from "./references.ts";
import { contentMarks, revisionHash } from "./revision.ts";
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
const withPod = (pod: LLMBridgeSpecInput["pod"]): LLMBridgeSpecInput => ({ ...BASE, pod });
const found = (data: Record<string, string>): ConfigMapReading => ({ kind: "Found", data, binaryData: {} });

const POD: LLMBridgeSpecInput["pod"] = {
  env: [{ name: "REGION", configMapRef: { name: "settings", key: "region" } }],
  mounts: [{ name: "prompts", path: "/etc/prompts", configMap: { name: "prompts" } }],
};

function serving(pod: LLMBridgeSpecInput["pod"], configMaps: Record<string, ConfigMapReading>): World {
  const world = new World(withPod(pod));
  world.configMaps = configMaps;
  world.run("12s");
  return world;
}

const stable = (world: World): string => world.status.rollout?.stableRevision ?? "";
const accepted = (world: World) => world.status.conditions.find(({ type }) => type === "Accepted");
const copyOf = (world: World, revision: string, index: number) =>
  world.children.get(`configmaps/${keptName("chat", revision, index)}`)?.object as
    | { data?: object; immutable?: boolean }
    | undefined;
const templateOf = (world: World, revision: string) =>
  (world.deployments.get(`chat-${revision}`) as unknown as { spec: { template: { spec: object } } }).spec
    .template.spec as {
    containers: [{ env: object[]; envFrom?: object[]; volumeMounts: object[] }];
    volumes: object[];
  };

describe("a ConfigMap that a bridge refers to", () => {
  const content = { settings: found({ region: "eu", other: "1" }), prompts: found({ system: "Be kind." }) };

  it("is read by the pods as a copy that belongs to their revision", () => {
    const world = serving(POD, content);
    const revision = stable(world);
    expect(copyOf(world, revision, 0)).toMatchObject({ immutable: true, data: { system: "Be kind." } });
    // Of this one a single key is read.
    expect(copyOf(world, revision, 1)).toMatchObject({ immutable: true, data: { region: "eu" } });
    const { containers, volumes } = templateOf(world, revision);
    expect(containers[0].env).toContainEqual({
      name: "REGION",
      valueFrom: { configMapKeyRef: { name: `chat-${revision}-config-1`, key: "region", optional: false } },
    });
    expect(volumes).toContainEqual({
      name: "mount-prompts",
      configMap: { name: `chat-${revision}-config-0`, optional: false },
    });
    expect(containers[0].volumeMounts).toContainEqual({
      ...{ name: "mount-prompts", mountPath: "/etc/prompts", readOnly: true },
    });
  });

  it("starts a canary when its content changes, while the stable pods keep the old", () => {
    const world = serving(POD, content);
    const before = stable(world);
    world.configMaps = { ...content, prompts: found({ system: "Be brief." }) };
    world.run("4s");
    const canary = world.status.rollout?.canaryRevision ?? "";
    expect(canary).not.toBe("");
    expect(copyOf(world, before, 0)?.data).toEqual({ system: "Be kind." });
    expect(copyOf(world, canary, 0)?.data).toEqual({ system: "Be brief." });
    world.run("60s");
    expect(stable(world)).toBe(canary);
  });

  it("goes back with a rollback, and is not tried again until it changes", () => {
    const world = serving(POD, content);
    const before = stable(world);
    world.configMaps = { ...content, prompts: found({ system: "Bad." }) };
    world.run("4s");
    const bad = world.status.rollout?.canaryRevision ?? "";
    world.command = { action: "abort", revision: bad, id: "c1" };
    world.run("20s");
    expect(world.status.phase).toBe("Aborted");
    expect(stable(world)).toBe(before);
    world.configMaps = content;
    world.run("4s");
    expect(world.status.phase).toBe("Stable");
    expect(stable(world)).toBe(before);
  });

  it("makes no revision where a key changes that nothing reads, or a reference ignores changes", () => {
    const pod: LLMBridgeSpecInput["pod"] = {
      ...POD,
      envFrom: [{ configMapRef: { name: "loose", onChange: "Ignore" } }],
    };
    const world = serving(pod, { ...content, loose: found({ LEVEL: "info" }) });
    const before = stable(world);
    expect(templateOf(world, before).containers[0].envFrom).toEqual([
      { configMapRef: { name: "loose", optional: false } },
    ]);
    world.configMaps = {
      ...content,
      settings: found({ region: "eu", other: "2" }),
      loose: found({ LEVEL: "debug" }),
    };
    world.run("10s");
    expect(world.status.phase).toBe("Stable");
    expect(stable(world)).toBe(before);
  });

  it("that is missing refuses the change and leaves what runs; its copies stay", () => {
    const world = serving(POD, content);
    const before = stable(world);
    world.configMaps = { ...content, prompts: { kind: "Missing" } };
    world.run("10s");
    expect(accepted(world)).toMatchObject({
      ...{ status: "False", reason: "ConfigMapMissing" },
      message:
        'spec.pod.mounts[0].configMap: there is no ConfigMap "prompts" in this namespace; create it, or set optional: true.',
    });
    expect(stable(world)).toBe(before);
    expect(world.deployments.get(`chat-${before}`)?.spec.replicas).toBe(2);
    expect(copyOf(world, before, 0)).toBeDefined();
    world.configMaps = content;
    world.run("4s");
    expect(accepted(world)?.status).toBe("True");
  });

  it("that lacks a key says so", () => {
    const world = serving(POD, { ...content, settings: found({ regin: "eu" }) });
    expect(accepted(world)?.message).toContain('ConfigMap "settings" has no key "region"; add it');
    expect(world.deployments.size).toBe(0);
  });

  it("that need not be there starts a canary when it comes", () => {
    const pod = {
      mounts: [{ name: "extra", path: "/etc/extra", configMap: { name: "extra", optional: true } }],
    };
    const world = serving(pod, { extra: { kind: "Missing" } });
    const before = stable(world);
    expect(copyOf(world, before, 0)).toBeUndefined();
    world.configMaps = { extra: found({ a: "1" }) };
    world.run("4s");
    expect(world.status.rollout?.canaryRevision).toBeDefined();
  });

  it("that cannot be read is neither a change nor none", () => {
    const world = serving(POD, content);
    const before = stable(world);
    world.configMaps = { ...content, prompts: { kind: "Unknown", message: "No answer." } };
    world.run("10s");
    expect(accepted(world)).toMatchObject({ status: "False", reason: "ConfigMapUnknown" });
    expect(world.status.phase).toBe("Stable");
    expect(stable(world)).toBe(before);
  });

  it("that cannot be read is soon looked for again, also where nothing else is to be looked at", () => {
    const world = serving(POD, content);
    const away = { ...failing("SourceFailing", "The source is down."), isAway: true };
    const wake = () => decide({ ...world.snapshot(), fleet: away }).plan.wakeAfterMs;
    expect(wake()).toBe(3_600_000);
    world.configMaps = { ...content, prompts: { kind: "Unknown", message: "No answer." } };
    expect(wake()).toBe(10_000);
  });

  it("may set no variable that the spec may not", () => {
    const pod = { envFrom: [{ configMapRef: { name: "vars" } }] };
    const world = serving(pod, { vars: found({ NODE_EXTRA_CA_CERTS: "/x" }) });
    expect(accepted(world)?.message).toContain(
      'spec.pod.envFrom[0].configMapRef: key "NODE_EXTRA_CA_CERTS" would set NODE_EXTRA_CA_CERTS, which cannot be set here',
    );
    const prefixed = { envFrom: [{ prefix: "APP_", configMapRef: { name: "vars" } }] };
    expect(accepted(serving(prefixed, { vars: found({ NODE_EXTRA_CA_CERTS: "/x" }) }))?.status).toBe("True");
  });

  it("leaves with the history that kept it", () => {
    const world = new World({ ...withPod(POD), rollout: { ...BASE.rollout, revisionHistoryLimit: 0 } });
    world.configMaps = content;
    world.run("12s");
    const before = stable(world);
    world.configMaps = { ...content, prompts: found({ system: "Be brief." }) };
    world.run("90s");
    expect(stable(world)).not.toBe(before);
    expect(copyOf(world, before, 0)).toBeUndefined();
    expect(copyOf(world, stable(world), 0)).toBeDefined();
  });

  it("leaves also where its removal is cut after the Deployment", () => {
    const world = new World({ ...withPod(POD), rollout: { ...BASE.rollout, revisionHistoryLimit: 1 } });
    world.configMaps = content;
    world.run("12s");
    const first = stable(world);
    world.configMaps = { ...content, prompts: found({ system: "Be brief." }) };
    world.run("90s");
    const second = stable(world);
    world.configMaps = { ...content, prompts: found({ system: "Be exact." }) };
    const cut = [...world.children].filter(
      ([, { object }]) => object.metadata.labels?.[LABELS.revision] === first,
    );
    expect(cut.length).toBeGreaterThan(2);
    world.run("90s");
    expect(copyOf(world, first, 0)).toBeUndefined();
    for (const [name, child] of cut) world.children.set(name, child);
    world.run("10s");
    expect(copyOf(world, first, 0)).toBeUndefined();
    expect(copyOf(world, second, 0)).toBeDefined();
  });
});

describe("a Secret that a bridge refers to", () => {
  const upstream = (name: string) => ({
    ...{ name: "a", protocol: "OpenAI" as const, url: "http://a/v1", secretRef: { name, key: "token" } },
  });
  const mounted = (secretName: string) => expect.objectContaining({ secret: { secretName } });

  it("starts a canary when its name changes, while the stable pods keep the old, and a rollback goes back to it", () => {
    const world = new World({ ...BASE, upstreams: [upstream("openai-1")] });
    world.run("12s");
    const before = stable(world);
    world.edit((spec) => ({ ...spec, upstreams: [upstream("openai-2")] }));
    world.run("4s");
    const canary = world.status.rollout?.canaryRevision ?? "";
    expect(templateOf(world, canary).volumes).toContainEqual(mounted("openai-2"));
    expect(templateOf(world, before).volumes).toContainEqual(mounted("openai-1"));
    world.command = { action: "abort", revision: canary, id: "c1" };
    world.run("20s");
    expect(stable(world)).toBe(before);
    expect(templateOf(world, before).volumes).toContainEqual(mounted("openai-1"));
  });
});

const marks = (spec: LLMBridgeSpec, readings: ConfigMapReadings) =>
  contentMarks({ configMaps: keptConfigMaps(spec, readings) ?? [], secrets: [] });

describe("the hash of a revision", () => {
  const parsed = llmBridgeSpec.parse(withPod(POD));
  const hash = (settings: Record<string, string>, prompts: Record<string, string>) =>
    revisionHash(parsed, marks(parsed, { settings: found(settings), prompts: found(prompts) }));

  it("is that of the spec where nothing is kept", () => {
    const plain = llmBridgeSpec.parse(BASE);
    expect(revisionHash(plain, marks(plain, {}))).toBe(revisionHash(plain));
  });

  it("follows what is read and nothing else", () => {
    expect(hash({ region: "eu" }, { a: "1", b: "2" })).toBe(
      hash({ region: "eu", x: "y" }, { b: "2", a: "1" }),
    );
    expect(hash({ region: "eu" }, { a: "1" })).not.toBe(hash({ region: "us" }, { a: "1" }));
    expect(hash({ region: "eu" }, { a: "1" })).not.toBe(hash({ region: "eu" }, { a: "1", b: "" }));
  });

  it("knows every kind of reference", () => {
    const all = llmBridgeSpec.parse(withPod({ ...POD, envFrom: [{ configMapRef: { name: "vars" } }] }));
    expect(configMapRefs(all).map(({ path }) => path)).toEqual([
      "spec.pod.env[0].configMapRef",
      "spec.pod.envFrom[0].configMapRef",
      "spec.pod.mounts[0].configMap",
    ]);
  });
});
