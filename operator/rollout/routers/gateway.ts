import { baselineShare, hasBaseline } from "../baseline.ts";
import { atMs } from "../clock.ts";
import type { Context, Router } from "../context.ts";
import { wantsBaseline } from "../known-good.ts";
import { isDark, lastStep, stepsOf } from "../plan.ts";
import { canaryIsOut, plannedWeight } from "../traffic.ts";
import type { Hold, RouteFacts, ServiceTargets } from "../types.ts";
import {
  baselineLeftAtMs,
  baselineWeight,
  isBaselineSeen,
  isNearer,
  leadsToBaseline,
  mostBeside,
} from "./gateway-baseline.ts";
import { raisedUnsaid } from "./noted.ts";
import { settled } from "./settle.ts";

/** Clients that go past the gateway keep the canary's share below its weight; after so long the weight counts as in effect all the same. */
const SHARE_PATIENCE_MS = 60_000;

/**
 * Traffic follows the weights of two Services in an HTTPRoute, three beside a baseline, so pods follow capacity and not weight: the canary has as many
 * as its share of the capacity needs, the stable version keeps all until the promotion, and an abort is one change of weights.
 *
 * A gateway answers the share of a Service without endpoints with 503. So no Service is ever without: while there is no canary, or none that is
 * ready, the canary's selects the stable version, whatever weight the route gives it; and so does a baseline's.
 */
export const gateway: Router = {
  split({ needed, weight, baseline }) {
    const podsFor = (percent: number) => Math.max(0, Math.ceil((needed * percent) / 100));
    const both = { stable: Math.max(0, needed), canary: podsFor(weight) };
    return baseline ? { ...both, baseline: podsFor(baselineShare(weight)) } : both;
  },
  refusal: () => undefined,
  canaryWeight: carriedWeight,
  baselineWeight,
  baselineLeftAtMs,
  services(context): ServiceTargets {
    const { stableRevision, canaryRevision, phase } = context.state;
    const stable = stableRevision === undefined ? [] : [stableRevision];
    const canary = canaryRevision === undefined ? [] : [canaryRevision];
    const all = { main: stable, stable, canary: stable, baseline: stable };
    switch (phase) {
      case "Pending":
        return { main: canary, stable: canary, canary, baseline: canary };
      case "Stable":
      case "Aborted":
      case "Promoting":
      case "Watching":
      case "Draining":
        return all;
      case "Preparing":
        return isAtZero(context) ? { ...served(context, stable, canary), main: stable, stable } : all;
      case "Stepping":
      case "Holding":
        return served(context, stable, canary);
      case "Aborting":
        return served(context, stable, canaryIsOut(context) ? undefined : canary);
    }
  },
  routeWeight(context) {
    if (context.state.phase !== "Promoting") return carriedWeight(context);
    // Both Services select the promoted version by now; the stable one's is used again when the gateway knows its new endpoints.
    return context.nowMs < (settlesAtMs(context) ?? 0) ? 100 : 0;
  },
  routeMirror: copies,
  whyNotStart: (context) =>
    unusable(context.input.route) ??
    noPlace(context.input.route, wantsBaseline(context)) ??
    noCopies(context) ??
    noRoom(context),
  whyNotOn(context) {
    const { state, step, input, baseline } = context;
    // A route that was raised already is waited for at the step, where the canary can be withdrawn.
    const isRaised = raisedUnsaid(state, input) !== undefined;
    const hold =
      (isRaised ? undefined : unusable(input.route)) ??
      noPlace(input.route, hasBaseline(state, input.spec)) ??
      noCopies(context);
    if (hold) return hold;
    if (state.phase === "Preparing")
      return isAtZero(context)
        ? undefined
        : elsewhere("the gateway does not lead everything to the stable version yet");
    const wanted = state.phase === "Stepping" ? step.weight : carriedWeight(context);
    if (state.routedWeight !== wanted) return elsewhere(`the gateway has not taken up weight ${wanted}% yet`);
    const beside = baselineWeight(context, wanted);
    if ((state.routedBaseline ?? 0) !== beside)
      return elsewhere(`the gateway has not taken up weight ${beside}% of the baseline yet`);
    return step.weight === 100 && baseline.wantedReplicas > 0
      ? elsewhere("pods of the baseline end when the gateway leads nobody to them any more")
      : undefined;
  },
  inEffect(context) {
    const { canary, step, input, state, clockMs } = context;
    if (canary.servedRequests !== true) return false;
    // Whom a client meets is drawn once: of few or uneven clients the share says little about the weight, and what it says was true of the last step too.
    if (input.spec.traffic.route?.affinity) return hasTakenUp(context);
    const before = stepsOf(input.spec)[step.index - 1]?.weight ?? 0;
    const isSeen = isNearer(canary.requestShare, step.weight, before) && isBaselineSeen(context, before);
    if (isSeen && (!mayBeLeftOver(context) || hasTakenUp(context))) return true;
    const since = atMs(state.holdingSince);
    return since !== undefined && clockMs >= since + SHARE_PATIENCE_MS;
  },
  hasLeft(context) {
    if (!canaryIsOut(context)) return false;
    return isNeverIn(context) || hasSettled(context);
  },
  settlesAtMs,
};

/** Every parent took the weights so long ago that the gateway follows it. */
function hasTakenUp({ state, step, nowMs }: Context): boolean {
  return state.routedWeight === step.weight && nowMs >= (settled(state.routedSince) ?? Infinity);
}

/** Copies at the step before, and a jump from a larger one, leave a share that looks like the weight while nobody is led by it yet. */
function mayBeLeftOver({ canary, step, input }: Context): boolean {
  const copied = stepsOf(input.spec)[step.index - 1]?.mirror ?? 0;
  return copied > 0 || (canary.requestShare ?? 0) > step.weight;
}

/** Nobody was ever led to the canary: neither by what status says nor by a weight that was written without it, and taken out a moment ago. */
function isNeverIn({ state, input: { route }, nowMs }: Context): boolean {
  if (state.evidenceSince !== undefined || state.leftSince !== undefined) return false;
  const isWritten = route?.kind === "Known" && (route.canaryWeight ?? 0) > 0;
  const isFollowed = state.routedWeight === 0 && nowMs >= (settled(state.routedSince) ?? Infinity);
  return !isWritten && isFollowed;
}

/** When what this phase began with has come through to the gateway's clients. */
function settlesAtMs(context: Context): number | undefined {
  const { state } = context;
  switch (state.phase) {
    case "Preparing":
      return state.routedWeight === 0 && state.routedBaseline === undefined
        ? settled(state.routedSince)
        : undefined;
    case "Stepping":
      return isDrawn(context) ? settled(state.phaseSince) : undefined;
    case "Promoting":
      return settled(state.phaseSince);
    case "Aborting":
      return settled(state.leftSince);
    default:
      return undefined;
  }
}

/**
 * Clients draw lots at a weight that is to come, and keep what they meet. So the weight waits until the gateway knows the canary's endpoints: it may know the
 * weight before them, and whoever asks between the two would keep the stable version.
 */
const isDrawn = ({ state, step, input }: Context): boolean =>
  input.spec.traffic.route?.affinity !== undefined && (state.weight ?? 0) === 0 && step.weight > 0;

const hasSettled = (context: Context): boolean => context.nowMs >= (settlesAtMs(context) ?? Infinity);

/** The gateway leads nobody to the canary's Service by its weight, so that the first pods of the canary are not met by all of a step's clients. */
const isAtZero = hasSettled;

/**
 * Pods of a kind of which none is ready leave their Service to the stable ones, and these to those of a baseline, or to the canary. Whoever goes past the
 * gateway is led to the stable version; where they had the canary too, since the router was Replicas or no stable pod was ready, only once the stable
 * version can take them all.
 */
function served(
  context: Context,
  stables: readonly string[],
  canaries: readonly string[] | undefined,
): ServiceTargets {
  const { stable, canary, baselineRevision, needed, state } = context;
  const own = canary.ready > 0 ? canaries : undefined;
  const fresh = leadsToBaseline(context) && baselineRevision !== undefined ? [baselineRevision] : undefined;
  const first = stable.ready > 0 ? stables : (fresh ?? own ?? stables);
  const shares = state.sharesService && stable.ready < needed;
  const main = shares ? [...new Set([...first, ...(fresh ?? []), ...(own ?? [])])] : first;
  return { main, stable: first, canary: own ?? first, baseline: fresh ?? first };
}

/** The planned weight, as far as the canary's ready pods carry it and the route's parents let it rise. */
function carriedWeight(context: Context): number {
  const { canary, needed, target, state } = context;
  if (state.phase === "Stepping" && context.nowMs < (settlesAtMs(context) ?? 0)) return 0;
  const planned = Math.min(plannedWeight(context), mostByRoute(context));
  if (planned === 0 || canary.ready >= target.canary) return planned;
  return Math.min(planned, Math.floor((100 * canary.ready) / Math.max(1, needed)));
}

/** Percent of the requests that are copied to the canary: what its ready pods carry, at a step that asks for it. Not raised before the route is accepted. */
function copies(context: Context): number {
  const { state, step, canary, needed } = context;
  const { route } = context.input;
  const isAt = (state.phase === "Stepping" || state.phase === "Holding") && isDark(context);
  if (!isAt || canary.ready === 0 || route?.kind !== "Known" || noCopies(context)) return 0;
  const most = Math.min(step.mirror, Math.floor((100 * canary.ready) / Math.max(1, needed)));
  return route.acceptance.kind === "Accepted" ? most : Math.min(most, route.mirror);
}

/** While a parent refuses the route, or has not said yet that it takes it, nothing is raised above what is written. */
function mostByRoute({ input: { route }, state }: Context): number {
  if (route?.kind !== "Known") return state.weight ?? 0;
  return route.acceptance.kind === "Accepted" ? 100 : Math.max(state.weight ?? 0, route.canaryWeight ?? 0);
}

const elsewhere = (why: string): Hold => ({
  reason: "WeightNotApplied",
  message: `Traffic is not where it should be: ${why}.`,
});

function unusable(route: RouteFacts | undefined): Hold | undefined {
  const because = (message: string): Hold => ({ reason: "RouteNotReady", message });
  switch (route?.kind) {
    case "Known":
      return route.acceptance.kind === "Accepted" ? undefined : because(route.acceptance.message);
    case "Unusable":
      return because(route.message);
    default:
      return because("The route has not been looked at yet.");
  }
}

/** A baseline needs a place in the route, which is the user's to make where the route is. */
const noPlace = (route: RouteFacts | undefined, isAsked: boolean): Hold | undefined =>
  isAsked && route?.kind === "Known" && route.noBaseline !== undefined
    ? { reason: "RouteNotReady", message: route.noBaseline }
    : undefined;

/** Why a step that mirrors has no copies. Whether a gateway can make them need not be seen in its status: some take the filter and answer 500. */
function noCopies({ step, state, input: { route } }: Context): Hold | undefined {
  if (step.mirror === 0) return undefined;
  const because = (message: string): Hold => ({ reason: "RouteNotReady", message });
  if (route?.kind !== "Known" || !route.mayMirror)
    return because(
      `Step ${step.name} mirrors, which the administrator has not allowed; where the gateways implement RequestMirror, set settings.httpRoutes.mirroring: Allowed in the values of the operator's chart, or remove mirror from the step.`,
    );
  if (state.copiesRefused === undefined) return undefined;
  return because(
    `The copies that step ${step.name} asks for were taken out of the route: ${state.copiesRefused} Remove mirror from the step, or abort and retry.`,
  );
}

/** The stable version keeps its pods, so all that the last step needs has to fit beside them; with a baseline, what any step needs. */
function noRoom(context: Context): Hold | undefined {
  const { needed } = context;
  const { spec, capacity } = context.input;
  const last = Math.ceil((needed * lastStep(spec).weight) / 100);
  const all = needed + (wantsBaseline(context) ? Math.max(last, mostBeside(context)) : last);
  if (all <= capacity.maxPods) return undefined;
  const isForBaseline = all > needed + last;
  const when = isForBaseline ? "with a baseline beside the canary" : "in the last step";
  const instead = isForBaseline
    ? "lower replicas of the steps, or set spec.rollout.baseline to Stable"
    : "or use router Replicas";
  const message = `Router Gateway keeps all ${needed} stable pods until the promotion and needs ${all} ${when}, but ${capacity.maxPods} fit within ${capacity.maxPodsBy}; raise ${capacity.maxPodsBy} to fit ${all}, ${instead}.`;
  return { reason: "NoRoom", message };
}
