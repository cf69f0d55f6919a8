import { baselineHasLeft, baselineServes, baselineStays, hasBaseline, isBaseline } from "./baseline.ts";
import type { Context } from "./context.ts";
import { occupied } from "./look.ts";
import { isDark, waitsForSwitch } from "./plan.ts";
import { surge } from "./restart.ts";
import { canaryIsOut } from "./traffic.ts";
import type { RevisionFacts } from "./types.ts";
import { keptPods } from "./watch.ts";

/**
 * Replicas of every revision in this pass. Growth comes first and never waits for the other version; a version is made smaller only by what the
 * ready pods of the others make up for. So capacity never falls below what is needed, and they cannot wait for each other in a circle.
 */
export function replicasOf(context: Context): Record<string, number> {
  const { input, state, baselineRevision } = context;
  const replicas = Object.fromEntries(
    Object.entries(input.revisions).map(([revision, facts]) => [
      revision,
      state.phase === "Promoting" && !isBaseline(revision) ? facts.wantedReplicas : 0,
    ]),
  );
  if (state.phase === "Watching" && state.previousRevision !== undefined)
    replicas[state.previousRevision] = keptPods(context);
  const pods = podsOfEach(context);
  if (state.stableRevision !== undefined) replicas[state.stableRevision] = pods.stable;
  if (state.canaryRevision !== undefined) replicas[state.canaryRevision] = pods.canary;
  if (baselineRevision !== undefined && (baselineRevision in replicas || pods.baseline > 0))
    replicas[baselineRevision] = pods.baseline;
  return replicas;
}

interface Pods {
  stable: number;
  canary: number;
  baseline: number;
}

type Pair = Omit<Pods, "stable">;

const NONE = { stable: 0, canary: 0, baseline: 0 };

export function podsOfEach(context: Context): Pods {
  const { needed, state } = context;
  switch (state.phase) {
    case "Pending":
      return { ...NONE, canary: needed };
    case "Promoting":
      // The pods of the version before are a bystander's by now, and give way once the commit is stored and left.
      return { ...NONE, stable: Math.min(needed, Math.max(context.stable.wantedReplicas, context.room)) };
    case "Stable":
    case "Aborted":
    case "Watching":
    case "Draining":
      return { ...NONE, stable: needed + surge(context) };
    case "Preparing":
      return needed > 0 ? withoutTraffic(context) : NONE;
    case "Stepping":
    case "Holding":
      if (needed <= 0) return NONE;
      return isDark(context) || waitsForSwitch(context) ? withoutTraffic(context) : withTraffic(context);
    case "Aborting":
      return backward(context);
  }
}

const asTheyAre = ({ canary, baseline }: Context): Pair => ({
  canary: canary.wantedReplicas,
  baseline: baseline.wantedReplicas,
});

/** What canary and baseline take of the room once they have `pair`. */
const taken = ({ canary, baseline }: Context, pair: Pair): number =>
  pair.canary + canary.terminating + pair.baseline + baseline.terminating;

/** Of the ready pods, those that stay when so many are wanted. */
const stays = ({ ready }: RevisionFacts, wanted: number): number => Math.min(ready, wanted);

/**
 * The canary is not in the Service, so its pods make up for nothing: the stable version has every pod needed, and canary and baseline what is left. Where
 * more are needed than there is room for beside them, they give way first, and the stable version grows into the places of those that have ended.
 */
function withoutTraffic(context: Context): Pods {
  const { needed, stable, canary, baseline, target, frozen, room, state } = context;
  const isStopped = frozen && state.phase !== "Holding";
  const pair = fitted(
    isStopped ? asTheyAre(context) : pairWithoutTraffic(context),
    room - needed - canary.terminating - baseline.terminating,
  );
  const wanted = isStopped
    ? Math.max(needed, stable.wantedReplicas)
    : Math.max(needed, Math.min(target.stable, room - taken(context, pair)));
  const others = occupied(canary) + occupied(baseline);
  return {
    ...pair,
    stable: others > 0 ? Math.min(wanted, Math.max(stable.wantedReplicas, room - others)) : wanted,
  };
}

/** Where a baseline finds no room beside the canary there is, the canary makes some: nobody is served by it. */
function pairWithoutTraffic(context: Context): Pair {
  const { needed, stable, canary, baseline, target, room } = context;
  const besides = Math.max(needed, occupied(stable));
  if (target.baseline === 0) return growPair(context, besides);
  const draining = canary.terminating + baseline.terminating;
  const pair = partOf(context, freeBeside(context, besides) + draining);
  // A place that one leaves to the other is free when the pod there has ended; until then neither gives up more of them.
  const places = Math.max(0, room - besides - occupied(canary) - occupied(baseline));
  const next = Math.min(pair.baseline, baseline.wantedReplicas + places);
  const left = places - Math.max(0, next - baseline.wantedReplicas);
  return { baseline: next, canary: Math.min(pair.canary, canary.wantedReplicas + left) };
}

/** No more than there is room for, as many of the one as of the other. */
function fitted({ canary, baseline }: Pair, most: number): Pair {
  const free = Math.max(0, most);
  if (canary + baseline <= free) return { canary, baseline };
  const fewer = Math.max(free - baseline, Math.min(canary, Math.ceil(free / 2)));
  return { canary: fewer, baseline: free - fewer };
}

function withTraffic(context: Context): Pods {
  const { needed, stable, canary, baseline, target, frozen, room } = context;
  const stopped = frozen && context.state.phase === "Stepping";
  const pair = stopped ? asTheyAre(context) : pairWithTraffic(context);
  const makesUp = needed - stays(canary, pair.canary) - servingBaseline(context, pair.baseline);
  // Without room for the surge the others grow only by what the stable version gives up, a few pods at a time.
  const rolling = pair.canary < target.canary || pair.baseline < target.baseline;
  const isThere = canary.ready >= target.canary && baseline.ready >= target.baseline;
  const shrinks = !stopped && (isThere || rolling);
  const wanted = Math.max(stopped ? 0 : stableTarget(context), makesUp, shrinks ? 0 : stable.wantedReplicas);
  const most = Math.max(stable.wantedReplicas, room - taken(context, pair));
  return { ...pair, stable: Math.min(wanted, most) };
}

/** Ready pods of the baseline that serve and stay. */
const servingBaseline = (context: Context, wanted = context.baseline.wantedReplicas): number =>
  baselineServes(context) ? stays(context.baseline, wanted) : 0;

/** One after the other, so that no two become smaller by what each other's pods make up for. */
function pairWithTraffic(context: Context): Pair {
  const { needed, stable, canary, baseline, target } = context;
  const pair = growPair(context, occupied(stable));
  if (baseline.wantedReplicas > target.baseline)
    pair.baseline =
      target.baseline > 0 || baselineHasLeft(context)
        ? shrunk(baseline, target.baseline, needed - stable.ready - canary.ready)
        : baseline.wantedReplicas;
  if (canary.wantedReplicas > target.canary)
    pair.canary = shrunk(
      canary,
      target.canary,
      needed - stable.ready - servingBaseline(context, pair.baseline),
    );
  return pair;
}

/** To what is asked, as far as the others make up for it: `least` must stay. */
const shrunk = ({ wantedReplicas }: RevisionFacts, target: number, least: number): number =>
  Math.max(target, Math.min(wantedReplicas, least));

/** As many pods of canary and baseline as are wanted and fit beside the stable ones, in proportion; never fewer than there are. */
function growPair(context: Context, stablePods: number): Pair {
  const { canary, baseline, target } = context;
  const free = freeBeside(context, stablePods);
  const has = { canary: kept(canary, target.canary), baseline: kept(baseline, target.baseline) };
  const next = Math.max(has.baseline, Math.min(partOf(context, free).baseline, free - has.canary));
  return {
    baseline: next,
    canary: Math.max(has.canary, Math.min(target.canary, free - next)),
  };
}

const kept = ({ wantedReplicas }: RevisionFacts, target: number): number => Math.min(wantedReplicas, target);

/** Room for both, less what each has beyond its target and may not be rid of yet. */
function freeBeside({ canary, baseline, target, room }: Context, stablePods: number): number {
  const beyond = (facts: RevisionFacts, wanted: number) => Math.max(0, facts.wantedReplicas - wanted);
  const surplus = beyond(canary, target.canary) + beyond(baseline, target.baseline);
  return room - stablePods - surplus - canary.terminating - baseline.terminating;
}

/** Both in proportion where there is no room for all, and one of each where there is room for two. */
function partOf({ target }: Context, free: number): Pair {
  const all = target.canary + target.baseline;
  if (all <= free || target.baseline === 0)
    return { baseline: target.baseline, canary: Math.max(0, Math.min(target.canary, free)) };
  const baseline = Math.max(free >= 2 ? 1 : 0, Math.floor((free * target.baseline) / all));
  return { baseline, canary: Math.max(0, Math.min(target.canary, free - baseline)) };
}

/**
 * Where the stable version serves no more, at 100 %, its pods that still run wait outside the Service, so that an abort is as quick as from a lower
 * weight; they take no more room than the surge before took. Those that it gave up for a baseline it gets back.
 */
function stableTarget(context: Context): number {
  const { needed, stable, target, input, state } = context;
  if (target.stable > 0) return target.stable;
  const kept = hasBaseline(state, input.spec) ? needed : stable.wantedReplicas;
  return Math.min(needed, kept, Math.max(0, input.capacity.maxPods - target.canary));
}

/** The stable version grows back, and the canary shrinks as fast as stable pods are ready, those of a baseline included. */
function backward(context: Context): Pods {
  const { needed, stable, canary, baseline, room } = context;
  const leaves = baselineHasLeft(context) ? 0 : baseline.wantedReplicas;
  const fresh = baselineStays(context) ? Math.min(baseline.wantedReplicas, needed - stable.ready) : leaves;
  if (context.router.hasLeft(context)) {
    const most = fresh > 0 ? Math.max(stable.wantedReplicas, room - fresh - baseline.terminating) : needed;
    return { stable: Math.min(needed, most), canary: 0, baseline: fresh };
  }
  const most = Math.max(stable.wantedReplicas, room - occupied(canary) - occupied(baseline));
  if (canaryIsOut(context))
    return { stable: Math.min(needed, most), canary: canary.wantedReplicas, baseline: fresh };
  const least = needed - stable.ready - servingBaseline(context);
  return {
    stable: Math.min(needed, most),
    canary: Math.min(canary.wantedReplicas, Math.max(0, least)),
    baseline: baseline.wantedReplicas,
  };
}
