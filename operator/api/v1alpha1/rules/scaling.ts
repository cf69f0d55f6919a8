import { share } from "../scalars.ts";
import { DEFAULT_REPLICAS } from "../scaling.ts";
import type { LLMBridgeSpec } from "../spec.ts";
import { isOfKind, percentOf, sentence } from "./cel.ts";
import { type Rule, rule } from "./rule.ts";

/** Pods and worker threads. */
export const SCALING_RULES: readonly Rule[] = [
  rule<LLMBridgeSpec["workers"]>({
    id: "workers-range",
    path: "spec.workers",
    validation: {
      rule: "self.min <= self.max",
      message: "min must not be above max.",
      messageExpression: sentence`min ${"self.min"} is above max ${"self.max"}; lower min or raise max.`,
      fieldPath: ".min",
    },
    check: ({ min, max }) =>
      min <= max ? undefined : `min ${min} is above max ${max}; lower min or raise max.`,
    accepted: { spec: { workers: { min: 2, max: 2 } } },
    refused: { spec: { workers: { min: 3 } } },
    expect: "min 3 is above max 2",
  }),
  rule<LLMBridgeSpec["scaling"]>({
    id: "replicas-range",
    path: "spec.scaling",
    validation: {
      rule: "self.minReplicas <= self.maxReplicas",
      message: "minReplicas must not be above maxReplicas.",
      messageExpression: sentence`minReplicas ${"self.minReplicas"} is above maxReplicas ${"self.maxReplicas"}; lower minReplicas or raise maxReplicas.`,
      fieldPath: ".minReplicas",
    },
    check: ({ minReplicas, maxReplicas }) =>
      minReplicas <= maxReplicas
        ? undefined
        : `minReplicas ${minReplicas} is above maxReplicas ${maxReplicas}; lower minReplicas or raise maxReplicas.`,
    accepted: { spec: { scaling: { minReplicas: 3, maxReplicas: 3 } } },
    refused: { spec: { scaling: { minReplicas: 4, maxReplicas: 3 } } },
    expect: "minReplicas 4 is above maxReplicas 3",
  }),
  rule<string>({
    id: "target-utilization-bounds",
    path: "spec.scaling.targetUtilization",
    validation: {
      rule: `!${isOfKind("percent", "self")} || (${percentOf("self")} >= 10.0 && ${percentOf("self")} <= 95.0)`,
      message: "targetUtilization must be from 10% to 95%.",
      messageExpression:
        "self + ' is outside of 10% to 95%: below, pods stand idle; above, nothing is left for the next second. 70% is usual.'",
    },
    check: (text) =>
      share(text) >= 0.1 && share(text) <= 0.95
        ? undefined
        : `${text} is outside of 10% to 95%: below, pods stand idle; above, nothing is left for the next second. 70% is usual.`,
    accepted: { spec: { scaling: { targetUtilization: "95%" } } },
    refused: { spec: { scaling: { targetUtilization: "0%" } } },
    expect: "0% is outside of 10% to 95%",
  }),
  rule<LLMBridgeSpec>({
    id: "replicas-owner",
    path: "spec",
    validation: {
      rule: `self.scaling.mode != 'Managed' || oldSelf.scaling.mode != 'Managed' || self.replicas == oldSelf.replicas || self.replicas == ${DEFAULT_REPLICAS}`,
      message:
        "replicas is not read in mode Managed, where the operator scales between minReplicas and maxReplicas; change those, or set scaling.mode to Fixed or External.",
      fieldPath: ".replicas",
      reason: "FieldValueForbidden",
    },
    check: ({ scaling, replicas }, { before }) =>
      before === undefined ||
      scaling.mode !== "Managed" ||
      before.scaling.mode !== "Managed" ||
      replicas === before.replicas ||
      // Whoever takes the line out, since it is not read, is not told not to write it.
      replicas === DEFAULT_REPLICAS
        ? undefined
        : "replicas is not read in mode Managed, where the operator scales between minReplicas and maxReplicas; change those, or set scaling.mode to Fixed or External.",
    accepted: { before: { replicas: 2 }, spec: { replicas: 5, scaling: { mode: "Fixed" } } },
    refused: { before: { replicas: 2 }, spec: { replicas: 5 } },
    expect: "replicas is not read in mode Managed",
  }),
];
