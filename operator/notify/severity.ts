import type { DecisionStatus } from "../api/v1alpha1/status.ts";
import type { HoldReason } from "../rollout/types.ts";

/** As Kubernetes' Events have it. */
export type Severity = "Normal" | "Warning";

const WARNINGS: ReadonlySet<string> = new Set(["Rollback", "Alert", "NotReread"]);

/** Holds that nobody need do anything about: they end by themselves; and that the spec is refused, its author has been told. */
const QUIET_HOLDS: ReadonlySet<string> = new Set<HoldReason>([
  "NotAccepted",
  "FleetFreeze",
  "FleetOrder",
  "FleetLimit",
]);

/** How a decision is told, in an Event as by notifications: a warning where something failed or needs a person. */
export const severityOf = ({ action, reason }: Pick<DecisionStatus, "action" | "reason">): Severity =>
  WARNINGS.has(action) || (action === "Hold" && !QUIET_HOLDS.has(reason)) ? "Warning" : "Normal";
