import { leaveAlone } from "./decide/leave-alone.ts";
import { decide } from "./decide.ts";
import type { Memory } from "./memory.ts";
import type { Plan } from "./plan.ts";
import type { Snapshot } from "./snapshot.ts";

/** What one bridge makes the decision fail on stops that bridge and no other, and its people read of it; `bug` is what was thrown, and who asked decides when to look again. */
export function decideOrLeave(
  snapshot: Snapshot,
  decideOn = decide,
): { plan: Plan; memory: Memory; bug?: unknown } {
  try {
    return decideOn(snapshot);
  } catch (bug) {
    const what = bug instanceof Error ? bug.message : String(bug);
    const message = `The operator failed on this LLMBridge (${what.slice(0, 200)}); nothing of it is changed until that passes. This is a bug: please report it with the operator's log.`;
    return { ...leaveAlone(snapshot, { reason: "InternalError", message }), bug };
  }
}
