import type { LLMBridgeSpec } from "../spec.ts";
import { sentence } from "./cel.ts";
import { type Rule, rule } from "./rule.ts";

type Upstreams = LLMBridgeSpec["upstreams"];
type Pools = LLMBridgeSpec["pools"];

const redis = { redis: { secretRef: { name: "redis", key: "url" } } };
const pg = { secretRef: { name: "pg", key: "url" } };
const model = (name: string, models: readonly string[]) => ({
  name,
  protocol: "Ollama",
  url: `http://${name}:11434`,
  models,
});

const reservedBelow = (
  pool: "postgres" | "redis",
  spec: (reserved: number) => Record<string, unknown>,
): Rule =>
  rule<NonNullable<Pools[typeof pool]>>({
    id: `${pool}-reserved-below-backend`,
    path: `spec.pools.${pool}`,
    validation: {
      rule: "self.reserved < self.backendConnections",
      message: "reserved must be below backendConnections.",
      messageExpression: sentence`reserved ${"self.reserved"} leaves nothing of backendConnections ${"self.backendConnections"} for the bridge; lower it or raise backendConnections.`,
      fieldPath: ".reserved",
    },
    check: ({ reserved, backendConnections }) =>
      reserved < backendConnections
        ? undefined
        : `reserved ${reserved} leaves nothing of backendConnections ${backendConnections} for the bridge; lower it or raise backendConnections.`,
    accepted: { spec: spec(20) },
    refused: { spec: spec(100) },
    expect: "reserved 100 leaves nothing of backendConnections 100",
  });

const openUpstreams = "self.filter(u, u.models.size() == 0)";

/** Upstreams, caches and pools. */
export const BACKEND_RULES: readonly Rule[] = [
  reservedBelow("postgres", (reserved) => ({
    pools: { postgres: { ...pg, backendConnections: 100, reserved } },
  })),
  reservedBelow("redis", (reserved) => ({
    cache: redis,
    pools: { redis: { backendConnections: 100, reserved } },
  })),
  rule<NonNullable<Pools["postgres"]>>({
    id: "postgres-max-per-pod",
    path: "spec.pools.postgres",
    validation: {
      rule: "!has(self.maxPerPod) || self.maxPerPod <= self.backendConnections - self.reserved",
      message: "maxPerPod must not be above backendConnections less reserved.",
      messageExpression: sentence`maxPerPod ${"self.maxPerPod"} is above the ${"self.backendConnections - self.reserved"} connections that the server has for all pods; lower it or leave it to the operator.`,
      fieldPath: ".maxPerPod",
    },
    check: ({ maxPerPod = 0, backendConnections, reserved }) =>
      maxPerPod <= backendConnections - reserved
        ? undefined
        : `maxPerPod ${maxPerPod} is above the ${backendConnections - reserved} connections that the server has for all pods; lower it or leave it to the operator.`,
    accepted: {
      spec: { pools: { postgres: { ...pg, backendConnections: 100, reserved: 20, maxPerPod: 80 } } },
    },
    refused: {
      spec: { pools: { postgres: { ...pg, backendConnections: 100, reserved: 20, maxPerPod: 81 } } },
    },
    expect: "maxPerPod 81 is above the 80 connections",
  }),
  rule<LLMBridgeSpec>({
    id: "redis-pool-needs-cache",
    path: "spec",
    validation: {
      rule: "!has(self.pools.redis) || has(self.cache.redis)",
      message:
        "pools.redis has no effect without cache.redis; name the server's Secret in cache.redis.secretRef or leave pools.redis out.",
      fieldPath: ".pools.redis",
    },
    check: ({ pools, cache }) =>
      pools.redis === undefined || cache.redis !== undefined
        ? undefined
        : "pools.redis has no effect without cache.redis; name the server's Secret in cache.redis.secretRef or leave pools.redis out.",
    accepted: { spec: { cache: redis, pools: { redis: { backendConnections: 100 } } } },
    refused: { spec: { pools: { redis: { backendConnections: 100 } } } },
    expect: "has no effect without cache.redis",
  }),
  rule<Upstreams>({
    id: "one-catch-all-upstream",
    path: "spec.upstreams",
    validation: {
      rule: "self.filter(u, u.models.size() == 0).size() <= 1",
      message: "Only one upstream may leave models empty.",
      messageExpression: sentence`upstreams ${`${openUpstreams}[0].name`} and ${`${openUpstreams}[1].name`} name no models; only one can take every model that no other names. List the models of the others.`,
    },
    check: (upstreams) => {
      const open = upstreams.filter(({ models }) => models.length === 0);
      return open.length <= 1
        ? undefined
        : `upstreams ${open[0]?.name} and ${open[1]?.name} name no models; only one can take every model that no other names. List the models of the others.`;
    },
    accepted: { spec: { upstreams: [model("a", []), model("b", ["llama"])] } },
    refused: { spec: { upstreams: [model("a", []), model("b", [])] } },
    expect: "upstreams a and b name no models",
  }),
  rule<Upstreams>({
    id: "one-upstream-for-a-model",
    path: "spec.upstreams",
    validation: {
      rule: "self.all(u, u.models.all(m, self.exists_one(v, m in v.models)))",
      message: "A model may be named by one upstream only.",
      messageExpression:
        "'model ' + self.map(u, u.models.filter(m, self.filter(v, m in v.models).size() > 1)).filter(l, l.size() > 0)[0][0] + ' is named by more than one upstream; leave it to one of them.'",
    },
    check: (upstreams) => {
      const twice = upstreams
        .flatMap(({ models }) => models)
        .find((model) => upstreams.filter(({ models }) => models.includes(model)).length > 1);
      return twice === undefined
        ? undefined
        : `model ${twice} is named by more than one upstream; leave it to one of them.`;
    },
    accepted: { spec: { upstreams: [model("a", ["llama"]), model("b", ["qwen"])] } },
    refused: { spec: { upstreams: [model("a", ["llama", "qwen"]), model("b", ["qwen"])] } },
    expect: "model qwen is named by more than one upstream",
  }),
];
