import type { RolloutStatus } from "../api/v1alpha1/status.ts";
import { atMs, iso } from "./clock.ts";
import type { Context } from "./context.ts";
import { stepsOf } from "./plan.ts";

/**
 * The rollout that clients draw their lots in: one canary from its start until it is promoted or has left. Its name is another one each time that a
 * version is tried, so that nobody is sent to a version again for having met it in a rollout that is over; and when lots are drawn anew.
 */
export function affinityRound(
  state: RolloutStatus | undefined,
): { readonly id: string; readonly canary: string } | undefined {
  const startedMs = atMs(state?.drawnSince ?? state?.timing?.startedAt);
  const canary = state?.canaryRevision;
  if (startedMs === undefined || canary === undefined) return undefined;
  return { id: `${canary}-${Math.floor(startedMs / 1000).toString(36)}`, canary };
}

/** In which any metric source would have shown a request to the canary. */
const UNMET_MS = 60_000;

/**
 * The state with lots to be drawn anew, where nobody's leads to the canary. A gateway may know the canary's endpoints later than its weight: whoever asks
 * between the two is answered by the stable version, draws from its lots and keeps it. If these are all the clients there are, the canary would never
 * be met. Since it was not, nobody goes back by drawing again; once it was, at whatever step, the lots stay, also where a person jumps back to the first.
 */
export function noteLots(state: RolloutStatus, context: Context): RolloutStatus {
  const { canary, stable, input, step, nowMs } = context;
  if (!input.spec.traffic.route?.affinity || state.phase !== "Holding" || step.weight === 0) return state;
  const metAt = state.metAt ?? state.servedSince ?? (canary.servedRequests ? iso(nowMs) : undefined);
  if (metAt !== undefined) return { ...state, metAt };
  if (!isFirst(context) || canary.servedRequests !== false || stable.servedRequests !== true) return state;
  const sinceMs = Math.max(...[state.phaseSince, state.drawnSince].map((time) => atMs(time) ?? 0));
  return nowMs < sinceMs + UNMET_MS ? state : { ...state, drawnSince: iso(nowMs) };
}

/** At a later step the canary may have been met at one before, while the metrics could not tell. */
const isFirst = ({ input, step }: Context): boolean =>
  stepsOf(input.spec).findIndex(({ weight }) => weight > 0) === step.index;
