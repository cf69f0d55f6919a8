import type { Told } from "../rollout/moves/move.ts";

/** What a decision did, in the word that `decision.action` holds, and what it means: what may be asked for by name. */
export const ACTIONS = {
  Start: "a canary starts",
  Step: "the canary goes to another step",
  Gate: "a gate that is asked outside has its verdict, or gives none",
  Promote: "the canary becomes the stable version",
  Rollback: "a version that failed, or that a person aborted, leaves",
  Withdraw: "a canary that did not fail leaves",
  Restart: "a person has the pods replaced",
  Finish: "what was begun is over",
  Replace: "another revision takes the place of a first version that never served",
  Adopt: "a first version of which a part serves counts as stable",
  Hold: "a rollout stops for a reason that somebody should know of",
  ScaleUp: "pods or worker threads are added",
  ScaleDown: "pods or worker threads are taken away",
  Reread: "every pod has read a changed Secret",
  NotReread: "pods have not read a changed Secret in time, or cannot use it",
  Alert: "an alert fires whose action is Notify",
} as const satisfies Record<
  Told["action"] | "Hold" | "ScaleUp" | "ScaleDown" | "Reread" | "NotReread" | "Alert",
  string
>;
