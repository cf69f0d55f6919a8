import { type Context, occupied } from "./context.ts";
import { surge } from "./restart.ts";
import { canaryIsOut } from "./traffic.ts";
import { keptPods } from "./watch.ts";

/**
 * Replicas of every revision in this pass. Growth comes first and never waits for the other version; a version is made smaller only by what the
 * ready pods of the other make up for. So capacity never falls below what is needed, and the two cannot wait for each other in a circle.
 */
export function replicasOf(context: Context): Record<string, number> {
  const { input, state } = context;
  const replicas = Object.fromEntries(
    Object.entries(input.revisions).map(([revision, facts]) => [
      revision,
      state.phase === "Promoting" ? facts.wantedReplicas : 0,
    ]),
  );
  if (state.phase === "Watching" && state.previousRevision !== undefined)
    replicas[state.previousRevision] = keptPods(context);
  const pods = podsOfTheTwo(context);
  if (state.stableRevision !== undefined) replicas[state.stableRevision] = pods.stable;
  if (state.canaryRevision !== undefined) replicas[state.canaryRevision] = pods.canary;
  return replicas;
}

interface Pods {
  stable: number;
  canary: number;
}

export function podsOfTheTwo(context: Context): Pods {
  const { needed, state } = context;
  switch (state.phase) {
    case "Pending":
      return { stable: 0, canary: needed };
    case "Promoting":
      return { stable: needed, canary: 0 };
    case "Stable":
    case "Aborted":
    case "Watching":
    case "Draining":
      return { stable: needed + surge(context), canary: 0 };
    case "Preparing":
      return needed > 0 ? beforeTraffic(context) : { stable: 0, canary: 0 };
    case "Stepping":
    case "Holding":
      return needed > 0 ? withTraffic(context) : { stable: 0, canary: 0 };
    case "Aborting":
      return backward(context);
  }
}

/** The canary is not in the Service yet, so its pods make up for nothing: the stable version keeps every pod needed. */
function beforeTraffic(context: Context): Pods {
  const { needed, stable, canary, target, frozen, room } = context;
  const canaryNext = frozen ? canary.wantedReplicas : growCanary(context, Math.max(needed, occupied(stable)));
  if (frozen) return { canary: canaryNext, stable: Math.max(needed, stable.wantedReplicas) };
  const added = Math.min(target.stable, room - canaryNext - canary.terminating);
  return { canary: canaryNext, stable: Math.max(needed, added) };
}

function withTraffic(context: Context): Pods {
  const { needed, stable, canary, target, frozen, room } = context;
  const stopped = frozen && context.state.phase === "Stepping";
  const canaryNext = stopped ? canary.wantedReplicas : canaryWithTraffic(context);
  const makesUp = needed - canary.ready;
  // Without room for the surge the canary grows only by what the stable version gives up, a few pods at a time.
  const rolling = canaryNext < target.canary;
  const shrinks = !stopped && (canary.ready >= target.canary || rolling);
  const wanted = Math.max(stopped ? 0 : stableTarget(context), makesUp, shrinks ? 0 : stable.wantedReplicas);
  const most = Math.max(stable.wantedReplicas, room - canaryNext - canary.terminating);
  return { canary: canaryNext, stable: Math.min(wanted, most) };
}

function canaryWithTraffic(context: Context): number {
  const { needed, stable, canary, target } = context;
  const now = canary.wantedReplicas;
  if (now > target.canary) return Math.max(target.canary, Math.min(now, needed - stable.ready));
  return growCanary(context, occupied(stable));
}

/** As many canary pods as are wanted and fit beside the stable ones; never fewer than there are. */
function growCanary({ canary, target, room }: Context, stablePods: number): number {
  const fits = Math.min(target.canary, room - stablePods - canary.terminating);
  return Math.max(Math.min(canary.wantedReplicas, target.canary), fits, 0);
}

/**
 * Where the stable version serves no more, at 100 %, its pods that still run wait outside the Service, so that an abort is as quick as from a lower
 * weight; they take no more room than the surge before took.
 */
function stableTarget({ needed, stable, target, input }: Context): number {
  if (target.stable > 0) return target.stable;
  return Math.min(needed, stable.wantedReplicas, Math.max(0, input.capacity.maxPods - target.canary));
}

/** The stable version grows back, and the canary shrinks as fast as stable pods are ready. */
function backward(context: Context): Pods {
  const { needed, stable, canary, room } = context;
  if (context.router.hasLeft(context)) return { stable: needed, canary: 0 };
  if (canaryIsOut(context)) return { stable: needed, canary: canary.wantedReplicas };
  const canaryNext = Math.min(canary.wantedReplicas, Math.max(0, needed - stable.ready));
  const most = Math.max(stable.wantedReplicas, room - occupied(canary));
  return { stable: Math.min(needed, most), canary: canaryNext };
}
