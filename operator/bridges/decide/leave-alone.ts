import { nextConditions } from "../conditions.ts";
import type { Memory } from "../memory.ts";
import type { Plan } from "../plan.ts";
import type { Snapshot } from "../snapshot.ts";

/** Why nothing can be decided. */
export interface Obstacle {
  readonly reason: "UnreadableStatus" | "InternalError" | "TakeOverForbidden";
  readonly message: string;
}

/**
 * The plan where nothing can be decided: nothing is written but two conditions that say so. Replicas, traffic and the rest of the status
 * stay as they are, since what a newer operator wrote is not ours to interpret or to give up, and what we failed on is not ours to guess.
 */
export function leaveAlone(
  snapshot: Snapshot,
  { reason, message }: Obstacle,
  wakeAfterMs?: number,
): { plan: Plan; memory: Memory } {
  const { status, generation, nowMs } = snapshot;
  const states = [
    { type: "Progressing", status: "Unknown", reason, message },
    { type: "Stalled", status: "True", reason, message },
  ] as const;
  const conditions = nextConditions(status.conditions, states, generation, nowMs);
  return {
    plan: {
      writes: [],
      status: { ...status, conditions },
      statusScope: "Conditions",
      events: [],
      decisions: [],
      ...(wakeAfterMs === undefined ? {} : { wakeAfterMs }),
    },
    memory: snapshot.memory,
  };
}
