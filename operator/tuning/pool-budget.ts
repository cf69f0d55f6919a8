/** A pod that is not gone yet: ready, unready or draining. */
interface PooledPod {
  pod: string;
  draining: boolean;
  /** Generation of the runtime file that the pod reports to run; undefined if it has not reported. */
  generation: number | undefined;
}

/** One revision and what its pods hold or may hold of a backend's connections. */
export interface PooledRevision {
  revision: string;
  /** Connections of one pod by the plan. */
  wanted: number;
  /** What its runtime file says now; undefined before there is one. */
  written: { generation: number; size: number } | undefined;
  /** What a pod that has not confirmed that file may hold: `ceiling` of the last answer, recorded beside the file. */
  ceiling: number;
  pods: readonly PooledPod[];
  /** Pods that the plan would create now. */
  toCreate: number;
  /** Pods that Kubernetes may start unasked, each replacing one that drains. */
  spare: number;
}

/** What one revision may do now. */
interface PoolGrant {
  revision: string;
  /** Size for its runtime file. */
  size: number;
  /** To be recorded with the file, in the same write. */
  ceiling: number;
  /** How many of `toCreate` may be created now. */
  mayCreate: number;
  /** Pods that have not confirmed the size in force. */
  unconfirmed: string[];
}

export interface PoolBudget {
  /** Settled: everything wanted is granted. Waiting: until pods confirm or go. Exceeded: what runs is above the limit. */
  state: "Settled" | "Waiting" | "Exceeded";
  /** The most connections that all pods can hold while the grants are in force. */
  charged: number;
  grants: PoolGrant[];
}

/**
 * Divides a backend's connections among the pods of all revisions so that the sum of what each pod may hold, old size or new,
 * never exceeds `limit`: shrink, wait for confirmation, then create and grow. A pod counts with the ceiling of its revision
 * until it reports the generation in force, or is gone.
 *
 * Guaranteed as long as the answer is written before pods are created, no pod is created beyond `mayCreate`, and Kubernetes
 * replaces no more than `spare` draining pods of a revision. Where `limit` is lowered below what runs, nothing grows.
 */
export function poolBudget(limit: number, revisions: readonly PooledRevision[]): PoolBudget {
  const holders = revisions.map(holder);
  const targets = fairSizes(limit, holders);
  const held = holders.map((each, index) => {
    const target = targets[index] ?? 0;
    return {
      ...each,
      target,
      size: each.written === undefined ? target : Math.min(target, each.written),
      mayCreate: 0,
    };
  });
  const charged = () => held.reduce((sum, each) => sum + charge(each, each.size, each.mayCreate), 0);

  for (const each of held) {
    const room = limit - charged();
    const one = Math.max(each.fresh, each.size);
    each.mayCreate = Math.max(0, Math.min(each.toCreate, one === 0 ? 0 : Math.floor(room / one)));
  }
  if (held.every((each) => each.mayCreate === each.toCreate)) {
    for (const each of held) {
      const growth = charge(each, each.target, each.mayCreate) - charge(each, each.size, each.mayCreate);
      if (each.target > each.size && charged() + growth <= limit) each.size = each.target;
    }
  }

  const total = charged();
  const settled = held.every(
    (each) => each.mayCreate === each.toCreate && each.size === each.wanted && each.unconfirmed.length === 0,
  );
  return {
    state: total > limit ? "Exceeded" : settled ? "Settled" : "Waiting",
    charged: total,
    grants: held.map((each) => ({
      revision: each.revision,
      size: each.size,
      ceiling: Math.max(each.fresh, each.size),
      mayCreate: each.mayCreate,
      unconfirmed: each.unconfirmed,
    })),
  };
}

/** A revision as the arithmetic needs it. */
interface Holder {
  revision: string;
  wanted: number;
  written: number | undefined;
  /** The most that each present pod may hold. */
  pods: number[];
  /** The most that a pod started now may hold, before this answer. */
  fresh: number;
  /** Pods that may appear unasked. */
  unasked: number;
  toCreate: number;
  unconfirmed: string[];
}

function holder(revision: PooledRevision): Holder {
  const { written, pods } = revision;
  const ceiling = Math.max(revision.ceiling, written?.size ?? 0);
  const confirmed = (pod: PooledPod) => written !== undefined && pod.generation === written.generation;
  const unconfirmed = pods.filter((pod) => !confirmed(pod));
  return {
    revision: revision.revision,
    wanted: revision.wanted,
    written: written?.size,
    pods: pods.map((pod) => (confirmed(pod) ? (written?.size ?? 0) : ceiling)),
    fresh: unconfirmed.length === 0 ? (written?.size ?? 0) : ceiling,
    unasked: Math.max(0, revision.spare - pods.filter(({ draining }) => draining).length),
    toCreate: revision.toCreate,
    unconfirmed: unconfirmed.map(({ pod }) => pod),
  };
}

/** The most that the pods of a revision can hold with this size in its file and so many pods created. */
function charge(each: Holder, size: number, created: number): number {
  const present = each.pods.reduce((sum, pod) => sum + Math.max(pod, size), 0);
  return present + (each.unasked + created) * Math.max(each.fresh, size);
}

/**
 * Sizes at which all pods there are and shall be fit the limit together: nobody above what is wanted, and none cut below an
 * even share for the sake of another. Where there are more pods than connections it is one each, and creation waits.
 */
function fairSizes(limit: number, holders: readonly Holder[]): number[] {
  const counts = holders.map((each) => each.pods.length + each.unasked + each.toCreate);
  let pods = counts.reduce((total, count) => total + count, 0);
  let left = limit;
  const sizes = holders.map(() => 0);
  const order = holders
    .map((each, index) => ({ wanted: each.wanted, index }))
    .sort((a, b) => a.wanted - b.wanted);
  for (const { wanted, index } of order) {
    const count = counts[index] ?? 0;
    const share = pods === 0 ? wanted : Math.floor(left / pods);
    const size = Math.min(wanted, Math.max(1, share));
    sizes[index] = size;
    left -= size * count;
    pods -= count;
  }
  return sizes;
}
