import type { RuntimeConfig } from "../../../contract/config.ts";
import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { isBaseline, templateOf } from "../../rollout/baseline.ts";
import { type PoolBudget, poolBudget } from "../../tuning/pool-budget.ts";
import { type PoolPlan, REDIS_PER_POD } from "../../tuning/pools.ts";
import type { Snapshot } from "../snapshot.ts";
import type { Bounds } from "./bounds.ts";
import type { RuntimeGrant } from "./children-input.ts";
import type { StoredRevision } from "./runtime.ts";

export interface GrantInput {
  readonly snapshot: Snapshot;
  readonly bounds: Bounds | undefined;
  /** Where the present spec has the address of Postgres, the server that `bounds` speaks of. */
  readonly postgresRef: SecretRef | undefined;
  readonly stored: ReadonlyMap<string, StoredRevision>;
  /** Replicas that the rollout wants. */
  readonly replicas: Readonly<Record<string, number>>;
  /** Worker threads wanted in each pod. */
  readonly workers: number;
  /** Cap of worker threads in pods of the present spec's revision, which may not exist yet. */
  readonly workerCap: number;
}

export interface Grants {
  readonly grants: Readonly<Record<string, RuntimeGrant>>;
  /** Replicas that the backends' budgets allow now. */
  readonly replicas: Readonly<Record<string, number>>;
  readonly postgres: PoolBudget | undefined;
}

type SecretRef = NonNullable<LLMBridgeSpec["pools"]["postgres"]>["secretRef"];

/**
 * What each revision's pods may hold of their backends, and how many of them may be created now, so that no backend's limit is
 * exceeded by pods of any revision, surge and draining ones included.
 */
export function grant(input: GrantInput): Grants {
  const { replicas, bounds } = input;
  const users = Object.keys(replicas).filter((revision) => usesPresentPostgres(input, revision));
  const postgres = bounds?.postgres && boundBudget(input, bounds.postgres, POSTGRES, users);
  const redis = bounds?.redis && boundBudget(input, bounds.redis, REDIS, Object.keys(replicas));
  const granted = Object.keys(replicas).map((revision) => {
    const pool = postgres && grantIn(postgres, revision);
    const stored = input.stored.get(revision);
    return [
      revision,
      {
        // Of a server that the present spec says nothing of, what was granted stays as it was.
        postgresConnections: pool?.size ?? stored?.runtime?.postgresConnections ?? 0,
        postgresCeiling: pool?.ceiling ?? stored?.postgresCeiling ?? 0,
        redisConnections: bounds
          ? redis
            ? sizeIn(redis, revision)
            : 1
          : (stored?.runtime?.redisConnections ?? 1),
        workers: Math.min(input.workers, workerCapOf(input, revision)),
      },
    ] as const;
  });
  return {
    grants: Object.fromEntries(granted),
    replicas: allowedReplicas(
      input,
      [postgres, redis].filter((budget) => budget !== undefined),
    ),
    postgres,
  };
}

/** A baseline that has no files yet gets those of the version whose template it has. */
const filesOf = (stored: GrantInput["stored"], revision: string): StoredRevision | undefined =>
  stored.get(revision) ?? (isBaseline(revision) ? stored.get(templateOf(revision)) : undefined);

const workerCapOf = ({ stored, workerCap }: GrantInput, revision: string): number =>
  filesOf(stored, revision)?.config?.workers.cap ?? workerCap;

/** Whether a revision's pods use the Postgres of the present spec: those of one before may use another server, or be the only ones to use any. */
function usesPresentPostgres({ postgresRef, stored }: GrantInput, revision: string): boolean {
  const files = filesOf(stored, revision);
  if (files?.config === undefined) return true;
  const { pools } = (files.spec ?? {}) as { readonly pools?: { readonly postgres?: PostgresPart } };
  const own = pools?.postgres?.secretRef;
  if (files.config.postgres === undefined) return false;
  return own === undefined || (own.name === postgresRef?.name && own.key === postgresRef.key);
}

interface PostgresPart {
  readonly secretRef?: SecretRef;
}

/** How a backend's connections stand in the files of a revision. */
interface PoolFields {
  readonly size: (runtime: RuntimeConfig) => number;
  /** The most that a pod may hold which has not confirmed its runtime file. */
  readonly ceiling: (stored: StoredRevision | undefined) => number;
}

const POSTGRES: PoolFields = {
  size: (runtime) => runtime.postgresConnections,
  ceiling: (stored) => stored?.postgresCeiling ?? 0,
};
/** A pod never has more than one connection, so there is nothing to remember. */
const REDIS: PoolFields = { size: (runtime) => runtime.redisConnections, ceiling: () => REDIS_PER_POD };

const grantIn = (budget: PoolBudget, revision: string) =>
  budget.grants.find((one) => one.revision === revision);
const sizeIn = (budget: PoolBudget, revision: string) => grantIn(budget, revision)?.size ?? 0;

function podsOf(snapshot: Snapshot, revision: string) {
  return snapshot.pods.filter((pod) => pod.revision === revision && !pod.finished);
}

const livingPods = (snapshot: Snapshot, revision: string) =>
  podsOf(snapshot, revision).filter((pod) => !pod.terminating).length;

/**
 * The revision that a pod is kept in reserve for: Kubernetes replaces an evicted pod while it still drains. The disruption budget
 * of the bridge lets one go at a time, of whichever revision, so the one whose pods may hold most stands for all.
 */
function mostHolding(
  { replicas, stored }: GrantInput,
  fields: PoolFields,
  users: readonly string[],
): string | undefined {
  const holds = (revision: string) => {
    const one = stored.get(revision);
    return Math.max(fields.ceiling(one), one?.runtime ? fields.size(one.runtime) : 0);
  };
  const wanted = users.filter((revision) => (replicas[revision] ?? 0) > 0);
  return wanted.toSorted((a, b) => holds(b) - holds(a))[0];
}

/**
 * Where there are more pods than the plan has, as while old ones drain, one revision may be granted more than another, or than the one that held most: the
 * reserve is then kept for that one too.
 */
function boundBudget(
  input: GrantInput,
  plan: PoolPlan,
  fields: PoolFields,
  users: readonly string[],
): PoolBudget {
  const first = mostHolding(input, fields, users);
  const evictable = new Set(first === undefined ? [] : [first]);
  const wanted = users.filter((revision) => (input.replicas[revision] ?? 0) > 0);
  for (;;) {
    const budget = budgetWith(input, plan, fields, users, evictable);
    const holds = (revision: string) => grantIn(budget, revision)?.ceiling ?? 0;
    const reserved = Math.max(0, ...[...evictable].map(holds));
    const larger = wanted.find((revision) => holds(revision) > reserved);
    if (larger === undefined) return budget;
    evictable.add(larger);
  }
}

function budgetWith(
  input: GrantInput,
  { allowed, perPod }: PoolPlan,
  fields: PoolFields,
  users: readonly string[],
  evictable: ReadonlySet<string>,
): PoolBudget {
  const { snapshot, replicas } = input;
  const readings = snapshot.fleet.kind === "ok" ? snapshot.fleet.value : [];
  const running = new Map(readings.map((one) => [one.pod, one.generation]));
  return poolBudget(
    allowed,
    users.map((revision) => {
      const wanted = replicas[revision] ?? 0;
      const stored = input.stored.get(revision);
      const runtime = stored?.runtime;
      const deployment = snapshot.deployments.find((one) => one.revision === revision);
      const living = Math.max(livingPods(snapshot, revision), deployment?.replicas ?? 0);
      const present = podsOf(snapshot, revision);
      // Pods that the Deployment has promised but that are not there yet may still mount the file before the newest.
      const promised = Math.max(0, (deployment?.replicas ?? 0) - livingPods(snapshot, revision));
      return {
        revision,
        wanted: perPod,
        written: runtime && { generation: runtime.generation, size: fields.size(runtime) },
        ceiling: fields.ceiling(stored),
        pods: [
          ...present.map((pod) => ({
            pod: pod.name,
            draining: pod.terminating,
            generation: running.get(pod.name),
          })),
          ...Array.from({ length: promised }, (_, index) => ({
            pod: `${revision}/promised-${index}`,
            draining: false,
            generation: undefined,
          })),
        ],
        toCreate: Math.max(0, wanted - living),
        spare: evictable.has(revision) ? 1 : 0,
      };
    }),
  );
}

/** Growth is cut to what every backend allows to be created; shrinking is never held back by a budget. */
function allowedReplicas(input: GrantInput, budgets: readonly PoolBudget[]): Record<string, number> {
  if (budgets.length === 0) return { ...input.replicas };
  return Object.fromEntries(
    Object.entries(input.replicas).map(([revision, wanted]) => {
      const have = input.snapshot.deployments.find((one) => one.revision === revision)?.replicas ?? 0;
      const mayCreate = Math.min(
        ...budgets.map((budget) => grantIn(budget, revision)?.mayCreate ?? Number.POSITIVE_INFINITY),
      );
      return [revision, wanted <= have ? wanted : Math.min(wanted, have + mayCreate)];
    }),
  );
}
