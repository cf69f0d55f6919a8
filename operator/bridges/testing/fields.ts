import type { LLMBridgeSpecInput } from "../../api/v1alpha1/spec.ts";
import { type Mutation, mutated, mutations } from "./mutations.ts";

/** A bridge with every list of the schema in it, so that each field has a place to be changed in. */
export const BASE: LLMBridgeSpecInput = {
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
    watchAfter: "0s",
    gates: [{ name: "quality", webhook: { receiver: "evals" } }],
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
    envFrom: [{ configMapRef: { name: "vars" } }],
    mounts: [{ name: "prompts", path: "/etc/prompts", configMap: { name: "prompts" } }],
  },
  budget: { cpu: "40", memory: "40Gi" },
};

/** ConfigMaps that these specs name, with the content that their hashes are computed with where nobody reads a cluster. */
export const CONFIG_MAPS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  vars: {},
  prompts: {},
  "other-map": {},
  keyed: { key: "", "other-key": "" },
};

/** Fields that no pod reads: they move numbers under running pods, or decide about them. */
export const DECIDES_ONLY =
  /^(replicas|scaling\.|alerts|rollout\.|budget\.|metrics\.|workers\.min|pools\.(postgres|redis)\.(backendConnections|reserved|maxPerPod))/;

/** Fields that say what a change of a Secret leads to. What a revision keeps of Secrets only the operator can tell, so no revision can be foretold. */
export const ON_SECRET_CHANGE: readonly string[] = [
  "upstreams[].secretRef",
  "cache.redis.secretRef",
  "pools.postgres.secretRef",
  "pod.env[].secretRef",
  "pod.envFrom[].secretRef",
  "pod.mounts[].secret",
].map((path) => `${path}.onChange`);

/** Where bounds of other fields leave little room. */
const VALUES = {
  "resources.limits.memory": "2Gi",
  "scaling.targetUtilization": "60%",
  "rollout.progressDeadline": "1m",
  "tuning.nodeOptions.maxHeapMiB": 200,
  "tuning.nodeOptions.maxSemiSpaceMiB": 8,
  "rollout.analysis.from": "built-in",
  "rollout.traffic.route.affinity.maxAge": "2h",
  "rollout.steps[].gates[]": "quality",
  "rollout.preview.gates[]": "quality",
  "rollout.analysis.gates[].maxIncrease": "30%",
  "pod.env[].configMapRef.name": "keyed",
  // To ignore changes is what saying nothing means.
  ...Object.fromEntries(ON_SECRET_CHANGE.map((path) => [path, "Canary"])),
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
  "pod.env[].secretRef.onChange": "value",
  "pod.env[].configMapRef.name": "value",
  "pod.env[].configMapRef.key": "value",
  "pod.env[].configMapRef.optional": "value",
  "pod.env[].configMapRef.onChange": "value",
  "pod.envFrom[].secretRef.name": "configMapRef",
  "pod.envFrom[].secretRef.optional": "configMapRef",
  "pod.envFrom[].secretRef.onChange": "configMapRef",
  "pod.mounts[].secret.name": "configMap",
  "pod.mounts[].secret.optional": "configMap",
  "pod.mounts[].secret.onChange": "configMap",
};

/** What must be given with them. */
const WITH: Readonly<Record<string, (spec: LLMBridgeSpecInput) => LLMBridgeSpecInput>> = {
  replicas: (spec) => mutated(spec, { path: "scaling.mode", value: "Fixed" }),
  "takeOver.services[]": (spec) => mutated(spec, { path: "takeOver.deployment", value: "old" }),
  "rollout.steps[].mirror": (spec) =>
    mutated(mutated(spec, { path: "rollout.steps[].weight", value: 0 }), {
      path: "rollout.traffic",
      value: { router: "Gateway", route: { parentRefs: [{ name: "public" }] } },
    }),
  "rollout.steps[].replicas": (spec) => mutated(spec, { path: "rollout.steps[].weight", value: 0 }),
  "pod.env[].secretRef.name": (spec) => mutated(spec, { path: "pod.env[].secretRef.key", value: "key" }),
  "pod.env[].secretRef.key": (spec) => mutated(spec, { path: "pod.env[].secretRef.name", value: "secret" }),
  "pod.env[].configMapRef.name": (spec) =>
    mutated(spec, { path: "pod.env[].configMapRef.key", value: "key" }),
  "pod.env[].configMapRef.key": (spec) =>
    mutated(spec, { path: "pod.env[].configMapRef.name", value: "keyed" }),
  "pod.env[].configMapRef.optional": (spec) => withKeyed(spec),
  "pod.env[].configMapRef.onChange": (spec) => withKeyed(spec),
  "pod.env[].secretRef.onChange": (spec) =>
    mutated(mutated(spec, { path: "pod.env[].secretRef.name", value: "secret" }), {
      ...{ path: "pod.env[].secretRef.key", value: "key" },
    }),
  "pod.envFrom[].secretRef.onChange": (spec) =>
    mutated(spec, { path: "pod.envFrom[].secretRef.name", value: "secret" }),
  "pod.mounts[].secret.onChange": (spec) =>
    mutated(spec, { path: "pod.mounts[].secret.name", value: "secret" }),
  "pod.envFrom[].secretRef.optional": (spec) =>
    mutated(spec, { path: "pod.envFrom[].secretRef.name", value: "secret" }),
  "pod.mounts[].secret.optional": (spec) =>
    mutated(spec, { path: "pod.mounts[].secret.name", value: "secret" }),
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
  "rollout.analysis.from": (spec) => mutated(spec, { path: "rollout.analysis", value: { from: "built-in" } }),
  "rollout.analysis.latency.rollbackIncrease": (spec) =>
    mutated(withObjective(spec), { path: "rollout.analysis.latency.promoteIncrease", value: "150%" }),
  "rollout.analysis.latency.dryRun": (spec) => withObjective(spec),
  "rollout.analysis.latency.promoteIncrease": (spec) => withObjective(spec),
  "rollout.analysis.errors.rollbackIncrease": (spec) =>
    mutated(spec, { path: "rollout.analysis.errors.promoteIncrease", value: "150%" }),
};
const withKeyed = (spec: LLMBridgeSpecInput) =>
  mutated(mutated(spec, { path: "pod.env[].configMapRef.name", value: "keyed" }), {
    ...{ path: "pod.env[].configMapRef.key", value: "key" },
  });
/** A route belongs to router Gateway, and needs what names it. */
function withRoute(spec: LLMBridgeSpecInput, { path }: Mutation): LLMBridgeSpecInput {
  const place = "rollout.traffic";
  const needed: Record<string, string> = { [`${place}.router`]: "Gateway" };
  if (path.startsWith(`${place}.routeRef`)) needed[`${place}.routeRef.name`] = "web";
  else needed[`${place}.route.parentRefs[].name`] = "public";
  if (path.includes("affinity")) needed[`${place}.route.affinity.maxAge`] = "1h";
  if (path.includes("canaryMatches")) {
    needed[`${place}.route.canaryMatches[].value`] = "always";
    if (!path.endsWith("cookie")) needed[`${place}.route.canaryMatches[].header`] = "x-canary";
  }
  delete needed[path];
  return Object.entries(needed).reduce(
    (before, [field, value]) => mutated(before, { path: field, value }),
    spec,
  );
}
/** A gate is a webhook or a Job, and a variable of a Job has one source. */
function withJob(spec: LLMBridgeSpecInput, { path, value }: Mutation): LLMBridgeSpecInput {
  const place = "rollout.gates[]";
  const [, leaf = ""] = path.split(`${place}.job.`);
  const variable: Record<string, unknown> = { name: "SUITE", value: "quick" };
  if (/^env\[\]\.(secretRef|configMapRef)/.test(leaf)) {
    const [, source = "", field = ""] = leaf.split(".");
    Object.assign(variable, { value: undefined, [source]: { name: "named", key: "key", [field]: value } });
  }
  const job = { image: "registry.example/smoke:1", env: [variable] };
  const made = [
    { path: `${place}.webhook`, value: undefined },
    { path: `${place}.job`, value: job },
    { path, value },
  ];
  return made.reduce((before, one) => mutated(before, one), spec);
}
const withObjective = (spec: LLMBridgeSpecInput) =>
  mutated(spec, { path: "rollout.analysis.latency.objective", value: "2s" });

/** The spec with the mutation, and with what it needs beside it. */
export function specWith(mutation: Mutation, base = BASE): LLMBridgeSpecInput {
  const sibling = INSTEAD_OF[mutation.path];
  const path = mutation.path.replace(/[^.]+(\.(name|key|optional|onChange))?$/, sibling ?? "");
  const place = sibling === undefined ? base : mutated(base, { path, value: undefined });
  const spec = mutated(place, mutation);
  if (mutation.path.startsWith("rollout.gates[].job")) return withJob(base, mutation);
  const isRouted = /^rollout[.]traffic[.]rout/.test(mutation.path);
  return WITH[mutation.path]?.(spec) ?? (isRouted ? withRoute(spec, mutation) : spec);
}

/** Set when a bridge is made and never on one that serves; rules/take-over.ts has its cases. */
const FROM_THE_BEGINNING = /^takeOver\./;

/** Every field of the schema that may be changed, with another value than {@link BASE} has. */
export const MUTATIONS: readonly Mutation[] = mutations(BASE, VALUES).filter(
  ({ path }) => !FROM_THE_BEGINNING.test(path),
);
