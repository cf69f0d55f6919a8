import { describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../api/v1alpha1/spec.ts";
import { TEMPLATE_KEY } from "./desired/configmaps.ts";
import { type Mutation, mutated, mutations, wrongs } from "./testing/mutations.ts";
import { World } from "./testing/world.ts";

/**
 * Every field of the schema is changed on a bridge that serves and changed back (Acto, SOSP 2023): what reaches the pods makes a
 * revision, what does not makes none, what is refused changes nothing, and whatever way led to a spec, the same runs.
 */
const BASE: LLMBridgeSpecInput = {
  image: "registry.example/bridge:1",
  resources: { requests: { cpu: "500m", memory: "512Mi" }, limits: { cpu: "2", memory: "1Gi" } },
  upstreams: [
    {
      name: "model",
      protocol: "OpenAI",
      url: "http://model.example/v1",
      models: ["small"],
      maxConcurrencyPerPod: 16,
      secretRef: { name: "model", key: "token" },
    },
  ],
  cache: { redis: { secretRef: { name: "redis", key: "url" } } },
  pools: {
    postgres: { secretRef: { name: "usage", key: "url" }, backendConnections: 100, maxPerPod: 5 },
    redis: { backendConnections: 100 },
  },
  scaling: { minReplicas: 2, maxReplicas: 4 },
  alerts: [{ name: "busy", metric: "EventLoopUtilization", above: "90%" }],
  rollout: {
    steps: [
      { name: "half", weight: 50, hold: "5s" },
      { name: "all", weight: 100, hold: "5s" },
    ],
    analysis: {
      interval: "5s",
      errors: { rollbackAbove: "1%", promoteBelow: "3%" },
      gates: [{ name: "memory", metric: "MemoryPerPod", below: "500Mi" }],
    },
  },
  pod: {
    tolerations: [
      { key: "gpu", operator: "Equal", value: "yes", effect: "NoExecute", tolerationSeconds: 60 },
    ],
    imagePullSecrets: [{ name: "registry" }],
    env: [{ name: "REGION", value: "eu" }],
  },
  budget: { cpu: "40", memory: "40Gi" },
};

/** Fields that no pod reads: they move numbers under running pods, or decide about them. */
const DECIDES_ONLY =
  /^(replicas|scaling\.|alerts|rollout\.|budget\.|metrics\.|workers\.min|pools\.(postgres|redis)\.(backendConnections|reserved|maxPerPod))/;

/** Where bounds of other fields leave little room. */
const VALUES = {
  "resources.limits.memory": "2Gi",
  "scaling.targetUtilization": "60%",
  "rollout.progressDeadline": "1m",
  "tuning.nodeOptions.maxHeapMiB": 200,
  "tuning.nodeOptions.maxSemiSpaceMiB": 8,
  "rollout.analysis.gates[].maxIncrease": "30%",
  "budget.cpu": "50",
  "budget.memory": "50Gi",
};

/** Of these only one may be given: the other makes place. */
const INSTEAD_OF: Readonly<Record<string, string>> = {
  "alerts[].below": "above",
  "rollout.analysis.gates[].above": "below",
  "rollout.analysis.gates[].maxIncrease": "below",
  "rollout.analysis.gates[].minDecrease": "below",
  "pod.env[].secretRef.name": "value",
  "pod.env[].secretRef.key": "value",
};

/** What must be given with them. */
const WITH: Readonly<Record<string, (spec: LLMBridgeSpecInput) => LLMBridgeSpecInput>> = {
  "pod.env[].secretRef.name": (spec) => mutated(spec, { path: "pod.env[].secretRef.key", value: "key" }),
  "pod.env[].secretRef.key": (spec) => mutated(spec, { path: "pod.env[].secretRef.name", value: "secret" }),
  "tuning.nodeOptions.maxHeapMiB": (spec) => mutated(spec, { path: "tuning.nodeVersion", value: "24.15" }),
  "pod.tolerations[].effect": (spec) =>
    mutated(spec, { path: "pod.tolerations[].tolerationSeconds", value: undefined }),
  "rollout.analysis.gates[].metric": (spec) =>
    mutated(spec, { path: "rollout.analysis.gates[].below", value: "5%" }),
  "pod.tolerations[].operator": (spec) =>
    mutated(spec, { path: "pod.tolerations[].value", value: undefined }),
  "rollout.analysis.latency.signal": (spec) => withObjective(spec),
  "rollout.analysis.latency.rollbackAbove": (spec) => withObjective(spec),
  "rollout.analysis.latency.promoteBelow": (spec) => withObjective(spec),
};
const withObjective = (spec: LLMBridgeSpecInput) =>
  mutated(spec, { path: "rollout.analysis.latency.objective", value: "2s" });

function specWith(mutation: Mutation): LLMBridgeSpecInput {
  const sibling = INSTEAD_OF[mutation.path];
  const path = mutation.path.replace(/[^.]+(\.(name|key))?$/, sibling ?? "");
  const place = sibling === undefined ? BASE : mutated(BASE, { path, value: undefined });
  const spec = mutated(place, mutation);
  return WITH[mutation.path]?.(spec) ?? spec;
}

function serving(spec: LLMBridgeSpecInput): World {
  const world = new World(spec);
  world.run("10s");
  return world;
}

const condition = (world: World, type: string) => world.status.conditions.find((one) => one.type === type);
const stable = (world: World) => world.status.rollout?.stableRevision;

/** All that runs for the stable version, without what tells the way that led there. */
function runs(world: World): unknown {
  const revision = stable(world) ?? "";
  const children = [...world.children.values()]
    .filter(
      ({ object }) =>
        object.metadata.name.includes(revision) || !/-[0-9a-f]{10}(-runtime)?$/.test(object.metadata.name),
    )
    .map(({ object }) => withoutIdentity(object));
  const deployment = world.deployments.get(`chat-${revision}`);
  return { children: children.sort(byName), deployment: deployment && withoutIdentity(deployment) };
}

function withoutIdentity(object: { metadata: { name: string } }): { name: string; text: string } {
  const text = JSON.stringify({
    ...object,
    metadata: {
      ...object.metadata,
      uid: undefined,
      resourceVersion: undefined,
      creationTimestamp: undefined,
    },
  });
  return { name: object.metadata.name, text: text.replaceAll(/\\?"generation\\?":\d+/g, '"generation":N') };
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
const template = (world: World): unknown => {
  const map = world.children.get(`configmaps/chat-${stable(world)}`)?.object as {
    data?: Record<string, string>;
  };
  return map.data?.[TEMPLATE_KEY];
};

const all = mutations(BASE, VALUES);
const isAccepted = (spec: LLMBridgeSpecInput) => condition(serving(spec), "Accepted")?.status === "True";
const [accepted, refused] = [
  all.filter((one) => isAccepted(specWith(one))),
  all.filter((one) => !isAccepted(specWith(one))),
];

/** Long enough for two steps with their evidence. */
function settle(world: World): void {
  for (let i = 0; i < 30 && (i === 0 || world.status.phase !== "Stable"); i++) world.run("10s");
}

describe("another value of one field", () => {
  it("was tried of every field", () => {
    expect(all.length).toBeGreaterThan(95);
    expect(refused.map(({ path }) => path)).toEqual([]);
  });

  it.each(accepted.filter(({ path }) => DECIDES_ONLY.test(path)))("makes no revision: $path", (mutation) => {
    const world = serving(BASE);
    const [before, revision] = [template(world), stable(world)];
    world.edit(() => specWith(mutation));
    world.run("30s");
    expect([stable(world), template(world)]).toEqual([revision, before]);
    expect(world.deployments.size).toBe(1);
    expect(world.status.observedGeneration).toBe(2);
    world.edit(() => BASE);
    world.run("30s");
    expect([stable(world), template(world)]).toEqual([revision, before]);
  });

  it.each(accepted.filter(({ path }) => !DECIDES_ONLY.test(path)))(
    "is run by a revision of its own, the same whatever way led to it, and back: $path",
    (mutation) => {
      const world = serving(BASE);
      const [before, revision] = [runs(world), stable(world)];
      world.edit(() => specWith(mutation));
      settle(world);
      expect(stable(world)).not.toBe(revision);
      expect(runs(world)).toEqual(runs(serving(specWith(mutation))));
      world.edit(() => BASE);
      settle(world);
      expect(stable(world)).toBe(revision);
      expect(runs(world)).toEqual(before);
    },
  );
});

describe("a wrong value of one field", () => {
  it.each(wrongs())(
    "is refused with its place, changes nothing that runs, and is forgotten when it is mended: $path",
    (mutation) => {
      const world = serving(BASE);
      const [before, writes] = [runs(world), world.writes.length];
      world.edit(() => mutated(BASE, mutation));
      world.run("30s");
      const place = mutation.path.replaceAll("[]", "[0]");
      expect(condition(world, "Accepted")).toMatchObject({
        status: "False",
        message: expect.stringContaining(`spec.${place}`),
      });
      expect(condition(world, "Ready")?.status).toBe("True");
      expect([runs(world), world.writes.length]).toEqual([before, writes]);
      world.edit(() => BASE);
      world.run("10s");
      expect(condition(world, "Accepted")?.status).toBe("True");
      expect([runs(world), world.writes.length]).toEqual([before, writes]);
    },
  );
});
