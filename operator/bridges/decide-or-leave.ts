import { leaveAlone } from "./decide/leave-alone.ts";
import { decide } from "./decide.ts";
import type { Memory } from "./memory.ts";
import type { Plan } from "./plan.ts";
import type { Snapshot } from "./snapshot.ts";

/** A bridge that could not be decided on is looked at again after this, or when something changes. */
const AGAIN_MS = 15_000;

/** What one bridge makes the decision fail on stops that bridge and no other, and its people read of it; `bug` is what was thrown. */
export function decideOrLeave(
  snapshot: Snapshot,
  decideOn = decide,
): { plan: Plan; memory: Memory; bug?: unknown } {
  try {
    return decideOn(snapshot);
  } catch (bug) {
    const what = bug instanceof Error ? bug.message : String(bug);
    const message = `The operator failed on this LLMBridge (${what.slice(0, 200)}); nothing of it is changed until that passes. This is a bug: please report it with the operator's log.`;
    return { ...leaveAlone(snapshot, { reason: "InternalError", message }, AGAIN_MS), bug };
  }
}
