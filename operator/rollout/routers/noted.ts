import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import { iso } from "../clock.ts";
import type { RolloutInput } from "../types.ts";

/**
 * The state with the weight that every parent of the route has taken, and since when. It is stored, because a gateway follows what it has taken
 * only some time later, and a restarted operator must not begin to wait anew. While the route is not looked at, what was last seen counts.
 */
export function noteRoute(state: RolloutStatus, { route, nowMs }: RolloutInput): RolloutStatus {
  if (route?.kind === "Unknown") return state;
  const taken =
    route?.kind === "Known" && route.acceptance.kind === "Accepted" ? route.canaryWeight : undefined;
  if (taken === state.routedWeight) return state;
  return { ...state, routedWeight: taken, routedSince: taken === undefined ? undefined : iso(nowMs) };
}
