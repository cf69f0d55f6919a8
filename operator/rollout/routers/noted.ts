import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import { iso } from "../clock.ts";
import type { Context } from "../context.ts";
import { compact } from "../phases.ts";
import { presentStep } from "../plan.ts";
import type { RolloutInput, ServiceTargets } from "../types.ts";
import { settled } from "./settle.ts";

/** The state with what is seen of the route. */
export const noteRoute = (state: RolloutStatus, input: RolloutInput): RolloutStatus =>
  noteRefusedCopies(noteTaken(state, input), input);

/**
 * The weights that every parent of the route has taken, and since when. It is stored, because a gateway follows what it has taken
 * only some time later, and a restarted operator must not begin to wait anew. While the route is not looked at, what was last seen counts.
 */
function noteTaken(state: RolloutStatus, input: RolloutInput): RolloutStatus {
  const { route, nowMs } = input;
  if (route?.kind === "Unknown") return state;
  const isTaken = route?.kind === "Known" && route.acceptance.kind === "Accepted";
  const agree = isTaken && route.baselineWeight !== undefined;
  const taken = agree ? route.canaryWeight : undefined;
  const beside = taken === undefined ? undefined : (agree && route.baselineWeight) || undefined;
  if (taken === state.routedWeight && beside === state.routedBaseline) return state;
  const routedSince = taken === undefined ? undefined : iso(nowMs);
  return { ...state, routedWeight: taken, routedBaseline: beside, routedSince };
}

/**
 * The weight that the route gives a canary of which status says that it is still being prepared, where the gateway had led nobody to it for long enough and its
 * ready pods carry the weight: who raised it to the step's ended before status could say so. Taken back, it would only be raised once more.
 */
export function raisedUnsaid(state: RolloutStatus, input: RolloutInput): number | undefined {
  const { route, nowMs, spec, capacity, revisions } = input;
  const { phase, routedWeight, routedBaseline, routedSince, canaryRevision = "" } = state;
  if (phase !== "Preparing" || routedWeight !== 0 || routedBaseline !== undefined) return undefined;
  if (nowMs < (settled(routedSince) ?? Infinity)) return undefined;
  const weight =
    route?.kind === "Known" && route.acceptance.kind !== "Refused" ? (route.canaryWeight ?? 0) : 0;
  const carried = (100 * (revisions[canaryRevision]?.ready ?? 0)) / Math.max(1, capacity.needed);
  const isSteps = weight > 0 && weight <= presentStep(spec, state).weight && weight <= carried;
  return isSteps ? weight : undefined;
}

/**
 * That a parent refused the route with copies in it. They are taken out, since a refused route may serve nobody, and the route without them is accepted:
 * unless it were stored, they would be put in again.
 */
function noteRefusedCopies(state: RolloutStatus, { route }: RolloutInput): RolloutStatus {
  if (route?.kind !== "Known" || route.mirror === 0 || route.acceptance.kind !== "Refused") return state;
  if (state.canaryRevision === undefined || state.copiesRefused !== undefined) return state;
  return { ...state, copiesRefused: route.acceptance.message.slice(0, 300) };
}

/** That the Service of a canary that has served leads to it: a router that leads to it otherwise takes it out only when the stable version can take all. */
export function noteShared(state: RolloutStatus, { main }: ServiceTargets): RolloutStatus {
  const { canaryRevision, evidenceSince } = state;
  const isIn = canaryRevision !== undefined && evidenceSince !== undefined && main.includes(canaryRevision);
  return isIn === (state.sharesService ?? false)
    ? state
    : compact({ ...state, sharesService: isIn || undefined });
}

/**
 * Since when nobody is led to the pods of a baseline that has served, by what this pass writes. A gateway follows later, and they wait for it; where
 * traffic goes by pods alone nothing is noted.
 */
export function noteBaseline(
  state: RolloutStatus,
  { baseline, baselineRevision = "", nowMs }: Context,
  services: ServiceTargets,
): RolloutStatus {
  const isLed = services.baseline === undefined || services.baseline.includes(baselineRevision);
  const leaves = !isLed && state.evidenceSince !== undefined && baseline.wantedReplicas > 0;
  const since = leaves ? (state.baselineLeftSince ?? iso(nowMs)) : undefined;
  return since === state.baselineLeftSince ? state : compact({ ...state, baselineLeftSince: since });
}
