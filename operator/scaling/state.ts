/** What scaling remembers between decisions. Lost with the process on purpose: then nothing shrinks until a full window was seen. */
export interface ScalingState {
  /** Recommendations of the scale-down window that can still be its highest: times rise, replicas fall. */
  history: readonly { atMs: number; replicas: number }[];
  /** Since when demand has been known without a gap. */
  seenSinceMs?: number | undefined;
  lastKnownMs?: number | undefined;
  /** The last time a pod was taken away. */
  lastShrinkMs?: number | undefined;
  /** A shrink is under way: it goes on, pod by pod, although little is left to remove. */
  shrinking: boolean;
  /** Since when jobs have been waiting for worker threads, or worker threads for jobs. */
  workersWaitingSinceMs?: number | undefined;
  workersIdleSinceMs?: number | undefined;
  /** The last automatic change, for one change per observation window. */
  lastChange?: { atMs: number; kind: ChangeKind } | undefined;
}

/** What changed, and on what evidence. */
type ChangeKind = "DemandGrowth" | "Other";

export const INITIAL_SCALING_STATE: ScalingState = { history: [], shrinking: false };

/** A gap in the data longer than this starts the scale-down window anew: four scrapes at the usual 15 s. */
const LONGEST_GAP_MS = 60_000;

/** Notes that demand was known now. */
export function sawDemand(state: ScalingState, nowMs: number): ScalingState {
  const gap = state.lastKnownMs === undefined || nowMs - state.lastKnownMs > LONGEST_GAP_MS;
  return {
    ...state,
    lastKnownMs: nowMs,
    seenSinceMs: gap || state.seenSinceMs === undefined ? nowMs : state.seenSinceMs,
  };
}

/** Notes a recommendation, and forgets those that are out of the window or can no longer be its highest. */
export function noteRecommendation(
  state: ScalingState,
  atMs: number,
  replicas: number,
  windowMs: number,
): ScalingState {
  const kept = state.history.filter((entry) => entry.replicas > replicas && entry.atMs > atMs - windowMs);
  return { ...state, history: [...kept, { atMs, replicas }] };
}

/** The highest recommendation of the window, and of a window without length the newest; undefined if there is none. */
export function highestRecommendation(
  state: ScalingState,
  nowMs: number,
  windowMs: number,
): number | undefined {
  const highest = state.history.find((entry) => entry.atMs > nowMs - windowMs);
  return (highest ?? state.history.at(-1))?.replicas;
}

/** True once demand has been known for a full window (F10). */
export function hasSeenWindow(state: ScalingState, nowMs: number, windowMs: number): boolean {
  return state.seenSinceMs !== undefined && nowMs - state.seenSinceMs >= windowMs;
}

/** A change of replicas that was made. */
export interface MadeChange {
  fromReplicas: number;
  toReplicas: number;
  kind: ChangeKind;
  nowMs: number;
  windowMs: number;
}

/** Notes a change of replicas that was really made: the next shrink waits for the interval, and growth stays for a window. */
export function scaled(state: ScalingState, made: MadeChange): ScalingState {
  const { fromReplicas, toReplicas, kind, nowMs, windowMs } = made;
  if (toReplicas === fromReplicas) return state;
  const changed: ScalingState = { ...state, lastChange: { atMs: nowMs, kind } };
  if (toReplicas < fromReplicas) return { ...changed, lastShrinkMs: nowMs };
  return noteRecommendation(changed, nowMs, toReplicas, windowMs);
}
