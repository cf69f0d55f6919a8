import type { Issue } from "./issue.ts";

/** What a backend allows, as the resource says it. */
export interface BackendBudget {
  /** Path of the pool in the spec, such as "spec.pools.postgres". */
  path: string;
  /** Connections that the server allows in all. */
  backendConnections: number;
  /** Connections kept free for others of that server. */
  reserved: number;
}

/** The largest stable version there can be, and the field that says so. */
export interface LargestStable {
  field: "spec.scaling.maxReplicas" | "spec.replicas";
  replicas: number;
}

/** Pods that may exist at once, by part. */
export interface LargestPods {
  stable: number;
  /** A canary beyond a weight of 50% is as large as the stable version. */
  canary: number;
  /** Pods that drain while their replacements run: a quarter of the stable version, rounded up. */
  surge: number;
  total: number;
}

/** Sizes of one pool as planned for the largest number of pods. */
export interface PoolPlan {
  /** Connections of one pod; 0 where the plan is refused. */
  perPod: number;
  /** Connections of all pods there may be. */
  planned: number;
  /** Connections that the bridge may use: what the server allows less what is reserved. */
  allowed: number;
  message: string;
  issue: Issue | undefined;
}

/** A pod that writes usage records keeps no more Postgres connections busy; a larger pool only costs the server memory. */
export const MOST_POSTGRES_PER_POD = 20;

/** F14: a client pipelines every command on one connection; the event loop is the limit long before the socket is. */
export const REDIS_PER_POD = 1;

/** The denominator of F12: Rmax x (1 + surge) + the largest canary, so that scaling and rollouts never need a restart. */
export function largestPods(replicas: number): LargestPods {
  const surge = Math.ceil(replicas / 4);
  return { stable: replicas, canary: replicas, surge, total: 2 * replicas + surge };
}

/**
 * F12: connections of one pod = floor((backendConnections - reserved) / pods that may exist at once), at most `ceiling`.
 * Refused where a pod would get none. A single connection is accepted and reported: it serialises the pod's queries.
 */
export function planPool(budget: BackendBudget, stable: LargestStable, ceiling: number): PoolPlan {
  const pods = largestPods(stable.replicas);
  const allowed = Math.max(0, budget.backendConnections - budget.reserved);
  const perPod = Math.min(ceiling, Math.floor(allowed / pods.total));
  const parts = `${pods.stable} stable, ${pods.canary} canary and ${pods.surge} draining pods`;
  if (perPod < 1)
    return {
      perPod: 0,
      planned: pods.total,
      allowed,
      ...refusal(budget, stable, allowed, parts),
    };
  const tight =
    perPod === 1 && ceiling > 1
      ? " One connection a pod serialises its queries; put a pooler in front of the server or raise backendConnections."
      : "";
  return {
    perPod,
    planned: perPod * pods.total,
    allowed,
    message: `${perPod} of ${allowed} connections for each pod: ${parts} at most.${tight}`,
    issue: undefined,
  };
}

function refusal(
  budget: BackendBudget,
  stable: LargestStable,
  allowed: number,
  parts: string,
): { message: string; issue: Issue } {
  const pods = largestPods(stable.replicas);
  const fitting = largestFitting(allowed);
  const lower = fitting < 1 ? "" : `lower ${stable.field} to ${fitting}, or `;
  const message = `the plan needs at least ${pods.total} connections (${parts}, one each) but ${budget.path} allows ${allowed} (${budget.backendConnections} less ${budget.reserved} reserved); ${lower}raise backendConnections to ${pods.total + budget.reserved}.`;
  return { message, issue: { path: `${budget.path}.backendConnections`, message } };
}

/** The largest stable version whose pods get one connection each. */
function largestFitting(allowed: number): number {
  let replicas = Math.floor(allowed / 2);
  while (replicas > 0 && largestPods(replicas).total > allowed) replicas -= 1;
  return replicas;
}

/**
 * F15: sockets of one pod to each upstream, by name: a fifth more than the requests it has in progress there, since a socket
 * that the upstream closes is replaced before it is gone. One request a socket (pipelining would block streams).
 */
export function httpConnections(
  upstreams: readonly { name: string; maxConcurrencyPerPod: number }[],
): Record<string, number> {
  return Object.fromEntries(
    upstreams.map(({ name, maxConcurrencyPerPod }) => [name, Math.ceil((maxConcurrencyPerPod * 6) / 5)]),
  );
}
