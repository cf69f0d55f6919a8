import type { KINDS } from "../../operator/api/v1alpha1/kinds.ts";
import type { SpecPatch } from "../../operator/api/v1alpha1/rules/rule.ts";

const routed = (route: object): SpecPatch => ({
  rollout: { traffic: { router: "Gateway", route: { parentRefs: [{ name: "public" }], ...route } } },
});

/** A field of each kind of text, and what people write wrongly there. */
export const WRONG_TEXTS: readonly (readonly [keyof typeof KINDS, string, SpecPatch])[] = [
  ["bytes", "1gb", { resources: { limits: { memory: "1gb" } } }],
  ["bytes", "512MB", { cache: { memory: { maxBytes: "512MB" } } }],
  ["cpu", "0", { resources: { limits: { cpu: "0" } } }],
  ["cpu", "1 core", { budget: { cpu: "1 core" } }],
  ["duration", "1.5h", { rollout: { progressDeadline: "1.5h" } }],
  ["duration", "90", { scaling: { demandWindow: "90" } }],
  ["duration", "", { cache: { ttl: { answers: "" } } }],
  ["percent", "0.7", { scaling: { targetUtilization: "0.7" } }],
  ["percent", "101%", { rollout: { analysis: { falseRollback: "101%" } } }],
  [
    "growth",
    "10",
    { rollout: { analysis: { gates: [{ name: "g", metric: "MemoryPerPod", maxIncrease: "10" }] } } },
  ],
  ["limit", "5 %", { rollout: { analysis: { gates: [{ name: "g", metric: "CpuShare", below: "5 %" }] } } }],
  ["threshold", "lots", { alerts: [{ name: "a", metric: "PoolWaiting", above: "lots" }] }],
  ["name", "First_Step", { rollout: { steps: [{ name: "First_Step", weight: 100 }] } }],
  ["secretName", "My Secret", { cache: { redis: { secretRef: { name: "My Secret", key: "url" } } } }],
  ["secretKey", "a/b", { cache: { redis: { secretRef: { name: "s", key: "a/b" } } } }],
  ["url", "ollama:11434", { upstreams: [{ name: "m", protocol: "Ollama", url: "ollama:11434" }] }],
  ["url", "https://u:p@h/v1", { upstreams: [{ name: "m", protocol: "OpenAI", url: "https://u:p@h/v1" }] }],
  ["image", "my image:1", { image: "my image:1" }],
  ["nodeVersion", "20", { tuning: { nodeVersion: "20" } }],
  ["objectName", "My Gateway", routed({ parentRefs: [{ name: "My Gateway" }] })],
  ["hostname", "https://chat.example.com", routed({ hostnames: ["https://chat.example.com"] })],
  ["headerName", "x canary", routed({ canaryMatches: [{ header: "x canary", value: "always" }] })],
  ["matchValue", "a|b", routed({ canaryMatches: [{ header: "x-canary", value: "a|b" }] })],
  ["configMapName", "My Map", { pod: { env: [{ name: "A", configMapRef: { name: "My Map", key: "k" } }] } }],
  ["configMapKey", "a/b", { pod: { env: [{ name: "A", configMapRef: { name: "m", key: "a/b" } }] } }],
  ["mountPath", "etc/x", { pod: { mounts: [{ name: "m", path: "etc/x", configMap: { name: "m" } }] } }],
  ["envName", "MY-VAR", { pod: { env: [{ name: "MY-VAR", value: "x" }] } }],
];
