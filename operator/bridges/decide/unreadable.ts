import { nextConditions } from "../conditions.ts";
import type { Memory } from "../memory.ts";
import type { Plan } from "../plan.ts";
import type { Snapshot } from "../snapshot.ts";

const REASON = "UnreadableStatus";

/**
 * The plan where the stored status cannot be read: nothing is written but two conditions that say so. What a newer operator wrote is
 * not ours to interpret or to give up, so replicas, traffic and the rest of the status stay as they are.
 */
export function leaveUnreadable(
  snapshot: Snapshot,
  message: string,
  wakeAfterMs: number,
): { plan: Plan; memory: Memory } {
  const { status, generation, nowMs } = snapshot;
  const states = [
    { type: "Progressing", status: "Unknown", reason: REASON, message },
    { type: "Stalled", status: "True", reason: REASON, message },
  ] as const;
  const conditions = nextConditions(status.conditions, states, generation, nowMs);
  return {
    plan: {
      writes: [],
      status: { ...status, conditions },
      statusScope: "Conditions",
      events: [],
      decisions: [],
      wakeAfterMs,
    },
    memory: snapshot.memory,
  };
}
