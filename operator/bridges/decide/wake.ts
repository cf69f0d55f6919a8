import type { EvidenceState } from "../../evidence/state.ts";
import type { WatchState } from "../../evidence/watch.ts";
import type { RolloutOutcome } from "../../rollout/types.ts";
import type { Snapshot } from "../snapshot.ts";

/** A bridge at rest is looked at this often, for demand and alerts; it costs the API server nothing. */
export const REST_MS = 10_000;
/** At rest, while its metric source is away: the source tells when it is back, and everything else comes as a change. */
const QUIET_MS = 60 * 60_000;
/** While a rollout moves. */
const BUSY_MS = 2_000;
/** While it stands and is only judged: alerts are looked at so often, requests as soon as the next interval of them can be read. */
const JUDGED_MS = 5_000;
/** A sample can be read so long after its time where the source is no slower; from then on it is asked as often as while a rollout moves. */
const READABLE_AFTER_MS = 1_000;
const SOONEST_MS = 50;

/** What is counted of the version that is judged; undefined where something of it is missing. */
export interface Counted {
  readonly canary: Pick<EvidenceState, "intervalEndMs"> | undefined;
  /** The same of a promoted version that is watched. */
  readonly promoted: Pick<WatchState, "intervalEndMs"> | undefined;
  readonly intervalMs: number;
}

/**
 * How long until the next look that nothing asks for, in milliseconds. Changes of objects and answers of gates ask for one themselves, and the rollout
 * says at what time it goes on by itself. What moves is looked at often all the same: a budget that lets no pod go, or an Event that says why one does not
 * start, comes as no change.
 */
export function wakeAfter(
  snapshot: Pick<Snapshot, "nowMs" | "fleet" | "configMaps" | "secrets">,
  { state, wakeAtMs }: Pick<RolloutOutcome, "state" | "wakeAtMs">,
  counted: Counted,
): number {
  const { nowMs, fleet } = snapshot;
  const isAway = fleet.kind === "failing" && fleet.isAway === true;
  const regular = isAtRest(state)
    ? restMs(snapshot, state, isAway)
    : isJudged(state)
      ? judgedMs(nowMs, state, isAway, counted)
      : BUSY_MS;
  return wakeAtMs === undefined ? regular : Math.min(regular, Math.max(SOONEST_MS, wakeAtMs - nowMs));
}

type State = RolloutOutcome["state"];

const isAtRest = (state: State): boolean =>
  (state?.phase === "Stable" || state?.phase === "Aborted") && state.restart === undefined;

/** A version serves and waits for a verdict, and nothing else is under way. */
const isJudged = (state: State): boolean =>
  state?.restart === undefined &&
  (state?.phase === "Watching" || (state?.phase === "Holding" && state.servedSince !== undefined));

function restMs(
  { configMaps, secrets }: Pick<Snapshot, "configMaps" | "secrets">,
  state: State,
  isAway: boolean,
): number {
  // What the API server did not tell comes as no change once it would.
  const isUnread = [...Object.values(configMaps), ...Object.values(secrets)].some(
    ({ kind }) => kind === "Unknown",
  );
  return isAway && state?.queued === undefined && !isUnread ? QUIET_MS : REST_MS;
}

/**
 * Between two intervals a source has nothing new to say of the requests of a version, and one that is away tells when it is back. A hundred held canaries that ask
 * every two seconds are a load for it and for us.
 */
function judgedMs(
  nowMs: number,
  state: State,
  isAway: boolean,
  { canary, promoted, intervalMs }: Counted,
): number {
  if (isAway) return REST_MS;
  const judged = state?.phase === "Watching" ? promoted : canary;
  if (judged === undefined) return BUSY_MS;
  const readableMs = judged.intervalEndMs + intervalMs + READABLE_AFTER_MS;
  return Math.min(JUDGED_MS, Math.max(BUSY_MS, readableMs - nowMs));
}
