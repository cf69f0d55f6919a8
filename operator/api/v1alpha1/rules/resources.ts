import { quantityBytes, quantityCpus } from "../scalars.ts";
import type { LLMBridgeSpec } from "../spec.ts";
import { isOfKind, sentence } from "./cel.ts";
import { cacheMiB, computedHeapMiB, memoryIsKnown, memoryMiB } from "./memory.ts";
import { type Rule, rule, type SpecPatch } from "./rule.ts";

type Resources = LLMBridgeSpec["resources"];

const bothAre = (kind: "bytes" | "cpu", field: string) =>
  `${isOfKind(kind, `self.requests.${field}`)} && ${isOfKind(kind, `self.limits.${field}`)}`;

/** Resources somewhere in the spec. */
interface Place {
  /** First part of the rules' names. */
  readonly id: string;
  readonly path: string;
  readonly patch: (resources: object) => SpecPatch;
}

const requestWithinLimit = (
  { id, path, patch }: Place,
  field: "cpu" | "memory",
  amount: (text: string) => number,
  kind: "bytes" | "cpu",
  [accepted, refused]: readonly [string, string],
): Rule =>
  rule<Resources>({
    id: `${id}${field}-request-within-limit`,
    path,
    validation: {
      rule: `!(${bothAre(kind, field)}) || quantity(self.requests.${field}).compareTo(quantity(self.limits.${field})) <= 0`,
      message: `requests.${field} must not be above limits.${field}.`,
      messageExpression: `'requests.${field} ' + self.requests.${field} + ' is above limits.${field} ' + self.limits.${field} + '; lower the request or raise the limit.'`,
      fieldPath: `.requests.${field}`,
    },
    check: ({ requests, limits }) =>
      amount(requests[field]) <= amount(limits[field])
        ? undefined
        : `requests.${field} ${requests[field]} is above limits.${field} ${limits[field]}; lower the request or raise the limit.`,
    accepted: { spec: patch({ requests: { [field]: accepted }, limits: { [field]: accepted } }) },
    refused: { spec: patch({ requests: { [field]: refused }, limits: { [field]: accepted } }) },
    expect: `requests.${field} ${refused} is above limits.${field} ${accepted}`,
  });

const withinLimits = (place: Place): readonly Rule[] => [
  requestWithinLimit(place, "cpu", quantityCpus, "cpu", ["500m", "2"]),
  requestWithinLimit(place, "memory", quantityBytes, "bytes", ["256Mi", "1Gi"]),
];

export const RESOURCE_RULES: readonly Rule[] = [
  ...withinLimits({ id: "", path: "spec.resources", patch: (resources) => ({ resources }) }),
  ...withinLimits({
    id: "gate-",
    path: "spec.rollout.gates[].job.resources",
    patch: (resources) => ({
      rollout: { gates: [{ name: "smoke", job: { image: "registry.example/smoke:1", resources } }] },
    }),
  }),
  rule<LLMBridgeSpec>({
    id: "least-memory",
    path: "spec",
    validation: {
      rule: `has(self.tuning.nodeOptions.maxOldSpaceMiB) || has(self.tuning.nodeOptions.maxHeapMiB) || !${memoryIsKnown} || 9 * ${memoryMiB} - 450 - (${memoryMiB} > 320 ? ${memoryMiB} : 320) - 10 * ${cacheMiB} >= 640`,
      message: "resources.limits.memory leaves too little for the heap.",
      messageExpression: sentence`resources.limits.memory ${"self.resources.limits.memory"} leaves less than 64 MiB for the heap beside the process and a cache of ${"self.cache.memory.maxBytes"}; raise it, or lower cache.memory.maxBytes.`,
      fieldPath: ".resources.limits.memory",
    },
    check: ({ tuning: { nodeOptions }, resources: { limits }, cache: { memory } }) =>
      (nodeOptions.maxOldSpaceMiB ?? nodeOptions.maxHeapMiB) !== undefined ||
      computedHeapMiB(limits.memory, memory.maxBytes) >= 64
        ? undefined
        : `resources.limits.memory ${limits.memory} leaves less than 64 MiB for the heap beside the process and a cache of ${memory.maxBytes}; raise it, or lower cache.memory.maxBytes.`,
    accepted: { spec: { resources: { requests: { memory: "228Mi" }, limits: { memory: "228Mi" } } } },
    refused: { spec: { resources: { requests: { memory: "227Mi" }, limits: { memory: "227Mi" } } } },
    expect: "resources.limits.memory 227Mi leaves less than 64 MiB for the heap",
  }),
];
