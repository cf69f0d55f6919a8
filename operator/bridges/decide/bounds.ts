import { quantityBytes, quantityCpus } from "../../api/v1alpha1/scalars.ts";
import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import type { Issue } from "../../tuning/issue.ts";
import {
  type LargestStable,
  MOST_POSTGRES_PER_POD,
  type PoolPlan,
  planPool,
  REDIS_PER_POD,
} from "../../tuning/pools.ts";

/** How many pods there may be, and what each may hold of its backends: everything that follows from the spec alone. */
export interface Bounds {
  /** Fewest and most pods of the stable version. */
  readonly minReplicas: number;
  readonly maxReplicas: number;
  /** Most pods of all revisions together. */
  readonly maxPods: number;
  /** What sets it, and has to be raised for more: "spec.budget.cpu", or the field of the largest stable version. */
  readonly maxPodsBy: string;
  readonly postgres: PoolPlan | undefined;
  readonly redis: PoolPlan | undefined;
  readonly issues: readonly Issue[];
}

/** The largest stable version, and the field that sets it. */
export function largestStable(spec: LLMBridgeSpec): LargestStable {
  return spec.scaling.mode === "Managed"
    ? { field: "spec.scaling.maxReplicas", replicas: spec.scaling.maxReplicas }
    : { field: "spec.replicas", replicas: spec.replicas };
}

export function bounds(spec: LLMBridgeSpec): Bounds {
  const stable = largestStable(spec);
  const { postgres, redis } = spec.pools;
  // In Fixed and External mode zero pods are legal and need no connection.
  const planned = { ...stable, replicas: Math.max(1, stable.replicas) };
  const postgresPlan =
    postgres &&
    planPool(
      { path: "spec.pools.postgres", ...postgres },
      planned,
      postgres.maxPerPod ?? MOST_POSTGRES_PER_POD,
    );
  const redisPlan = redis && planPool({ path: "spec.pools.redis", ...redis }, planned, REDIS_PER_POD);
  const budget = resourceBudget(spec, stable);
  return {
    minReplicas: spec.scaling.mode === "Managed" ? spec.scaling.minReplicas : spec.replicas,
    maxReplicas: stable.replicas,
    maxPods: budget.maxPods,
    maxPodsBy: budget.maxPodsBy,
    postgres: postgresPlan,
    redis: redisPlan,
    issues: [postgresPlan?.issue, redisPlan?.issue, ...budget.issues].filter((issue) => issue !== undefined),
  };
}

interface Ceiling {
  readonly field: "cpu" | "memory";
  readonly allowed: number;
  readonly perPod: number;
  readonly text: string;
  readonly podText: string;
}

/** spec.budget counts limits. A plan whose stable version alone exceeds it is refused; a canary gets what is left. */
function resourceBudget(
  spec: LLMBridgeSpec,
  stable: LargestStable,
): Pick<Bounds, "maxPods" | "maxPodsBy"> & { issues: Issue[] } {
  const { budget } = spec;
  const { limits } = spec.resources;
  const ceilings: Ceiling[] = [];
  if (budget?.cpu !== undefined) {
    const [allowed, perPod] = [quantityCpus(budget.cpu), quantityCpus(limits.cpu)];
    ceilings.push({ field: "cpu", allowed, perPod, text: budget.cpu, podText: limits.cpu });
  }
  if (budget?.memory !== undefined) {
    const [allowed, perPod] = [quantityBytes(budget.memory), quantityBytes(limits.memory)];
    ceilings.push({ field: "memory", allowed, perPod, text: budget.memory, podText: limits.memory });
  }
  const fitting = (one: Ceiling) => Math.floor(one.allowed / one.perPod + 1e-9);
  const issues = ceilings
    .filter((one) => fitting(one) < stable.replicas)
    .map((one) => ({
      path: `spec.budget.${one.field}`,
      message: `the plan needs ${stable.replicas} pods of ${one.podText} ${one.field} each but spec.budget.${one.field} is ${one.text}, enough for ${fitting(one)}; lower ${stable.field}, lower spec.resources.limits.${one.field}, or raise the budget.`,
    }));
  // Twice the stable version and one more is all that any step can ask for.
  const maxPods = Math.min(2 * stable.replicas + 1, ...ceilings.map(fitting));
  const binding = ceilings
    .filter((one) => fitting(one) === maxPods)
    .map(({ field }) => `spec.budget.${field}`);
  return { maxPods, maxPodsBy: binding.length > 0 ? binding.join(" and ") : stable.field, issues };
}
