import type { Phase } from "../../api/v1alpha1/status.ts";
import type { Context } from "../context.ts";
import type { Change, TransitionFrom } from "../phases.ts";
import type { Hold } from "../types.ts";

/** What is told of a transition. The time is added where it is recorded. */
export interface Told {
  action:
    | "Start"
    | "Step"
    | "Gate"
    | "Promote"
    | "Rollback"
    | "Withdraw"
    | "Finish"
    | "Replace"
    | "Adopt"
    | "Restart";
  reason: string;
  message: string;
  refused?: readonly string[];
}

/** Either one transition that starts at phase P, or why none. */
export type Move<P extends Phase> =
  | { kind: "Take"; transition: TransitionFrom<P>; change?: Change; told?: Told | undefined }
  | { kind: "Stay"; change?: Change; hold: Hold | undefined };

export type MoveOf<P extends Phase> = (context: Context) => Move<P>;

export const stay = (
  hold?: Hold,
  change: Change = {},
): { kind: "Stay"; change: Change; hold: Hold | undefined } => ({
  kind: "Stay",
  change,
  hold,
});
