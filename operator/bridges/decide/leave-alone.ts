import type { ConditionType } from "../../api/v1alpha1/status.ts";
import { nextConditions } from "../conditions.ts";
import type { Memory } from "../memory.ts";
import type { Plan } from "../plan.ts";
import type { Snapshot } from "../snapshot.ts";

/** Why nothing can be decided. */
export interface Obstacle {
  readonly reason: "UnreadableStatus" | "InternalError" | "TakeOverForbidden" | "CannotRead";
  readonly message: string;
}

/** The conditions that say so. */
const TELLING = ["Progressing", "Stalled"] as const satisfies readonly ConditionType[];
export const isTelling = ({ type }: { readonly type: string }): boolean =>
  (TELLING as readonly string[]).includes(type);

/**
 * The plan where nothing can be decided: nothing is written but two conditions that say so. Replicas, traffic and the rest of the status
 * stay as they are, other conditions too, since what a newer operator wrote is not ours to interpret or to give up, and what we failed on is not ours to guess.
 */
export function leaveAlone(
  snapshot: Pick<Snapshot, "status" | "generation" | "nowMs" | "memory">,
  { reason, message }: Obstacle,
  wakeAfterMs?: number,
): { plan: Plan; memory: Memory } {
  const { status, generation, nowMs } = snapshot;
  const [progressing, stalled] = TELLING;
  const states = [
    { type: progressing, status: "Unknown", reason, message },
    { type: stalled, status: "True", reason, message },
  ] as const;
  const telling = nextConditions(status.conditions, states, generation, nowMs);
  const before = status.conditions.map((one) => telling.find(({ type }) => type === one.type) ?? one);
  const conditions = [...before, ...telling.filter((one) => !before.includes(one))];
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
