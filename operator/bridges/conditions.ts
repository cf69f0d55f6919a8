import type { Condition, ConditionType } from "../api/v1alpha1/status.ts";

/** What a condition says now; the rest (time of the last flip, generation) follows from what it said before. */
export interface ConditionState {
  readonly type: ConditionType;
  readonly status: "True" | "False" | "Unknown";
  /** CamelCase, stable. */
  readonly reason: string;
  /** One sentence, stable text: no counters that change every second. */
  readonly message: string;
}

/** Conditions to write. `lastTransitionTime` moves only when the status flips (Kubernetes API conventions). */
export function nextConditions(
  previous: readonly Condition[],
  states: readonly ConditionState[],
  generation: number,
  nowMs: number,
): Condition[] {
  return states.map((state) => {
    const before = previous.find((one) => one.type === state.type);
    const flipped = before?.status !== state.status;
    return {
      type: state.type,
      status: state.status,
      reason: state.reason,
      message: state.message.slice(0, 1024),
      lastTransitionTime: flipped
        ? new Date(nowMs).toISOString().replace(/\.\d+Z$/, "Z")
        : before.lastTransitionTime,
      observedGeneration: generation,
    };
  });
}
