import type { GateStatus, RolloutStatus } from "../api/v1alpha1/status.ts";

/** Times of a rollout. They are stored, never kept in memory, so a restart neither loses nor lengthens a wait. */

export const iso = (ms: number): string => new Date(ms).toISOString();

/** A time as people read it: whole seconds, rounded up. */
export const second = (ms: number): string => iso(Math.ceil(ms / 1000) * 1000).replace(".000Z", "Z");

/** Milliseconds since the epoch of a stored time; undefined where none is stored or it is not a time. */
export function atMs(time: string | undefined): number | undefined {
  if (time === undefined) return undefined;
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? undefined : ms;
}

/** Clocks that stand still during a pause. */
const STOPPABLE = [
  "servedSince",
  "holdingSince",
  "waitingSince",
  "stableWaitingSince",
  "noDataSince",
] as const;

const PAUSABLE: readonly RolloutStatus["phase"][] = ["Preparing", "Stepping", "Holding"];

/**
 * Notes the start of a pause; at its end moves every clock on by the time it stood still. An abort and what follows a commit are never
 * paused, so only the phases in which a canary goes forward are touched.
 */
export function keepPause(state: RolloutStatus, paused: boolean, nowMs: number): RolloutStatus {
  const since = atMs(state.pausedSince);
  if (!PAUSABLE.includes(state.phase))
    return since === undefined ? state : { ...state, pausedSince: undefined };
  if (paused) return since === undefined ? { ...state, pausedSince: iso(nowMs) } : state;
  if (since === undefined) return state;
  const moved: RolloutStatus = { ...state, pausedSince: undefined };
  for (const clock of STOPPABLE) {
    const started = atMs(state[clock]);
    if (started !== undefined) moved[clock] = iso(started + Math.max(0, nowMs - Math.max(since, started)));
  }
  if (moved.gates) moved.gates = moved.gates.map((gate) => movedOn(gate, since, nowMs));
  return moved;
}

/** A gate keeps the time at which it was asked, which is part of its question's id; its deadline counts from another. */
function movedOn(gate: GateStatus, pausedAtMs: number, nowMs: number): GateStatus {
  const started = atMs(gate.clock ?? gate.since);
  if (gate.state !== "Asked" || started === undefined) return gate;
  return { ...gate, clock: iso(started + Math.max(0, nowMs - Math.max(pausedAtMs, started))) };
}

/** The time by which waits are measured: it stands still while paused. */
export const clockMs = (state: RolloutStatus, nowMs: number): number => atMs(state.pausedSince) ?? nowMs;
