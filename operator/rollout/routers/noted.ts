import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import { iso } from "../clock.ts";
import type { RolloutInput } from "../types.ts";

/** The state with what is seen of the route. */
export const noteRoute = (state: RolloutStatus, input: RolloutInput): RolloutStatus =>
  noteRefusedCopies(noteTaken(state, input), input);

/**
 * The weight that every parent of the route has taken, and since when. It is stored, because a gateway follows what it has taken
 * only some time later, and a restarted operator must not begin to wait anew. While the route is not looked at, what was last seen counts.
 */
function noteTaken(state: RolloutStatus, { route, nowMs }: RolloutInput): RolloutStatus {
  if (route?.kind === "Unknown") return state;
  const taken =
    route?.kind === "Known" && route.acceptance.kind === "Accepted" ? route.canaryWeight : undefined;
  if (taken === state.routedWeight) return state;
  return { ...state, routedWeight: taken, routedSince: taken === undefined ? undefined : iso(nowMs) };
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
