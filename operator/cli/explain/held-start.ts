import type { HoldReason } from "../../rollout/types.ts";
import type { BridgeView } from "../bridge-view.ts";

/** Phases that a change starts from; what holds in one of them keeps it from starting. */
const STARTING_POINTS: ReadonlySet<string> = new Set(["Stable", "Draining", "Aborted"]);

/** Why what the spec asks for has not started, in the operator's word for it; undefined where nothing waits to start. */
export function startHeldFor({ status: { phase, canary, rollout } }: BridgeView): string | undefined {
  if (canary !== undefined || !STARTING_POINTS.has(phase ?? "")) return undefined;
  return rollout?.queued ? (rollout.heldFor ?? "FleetLimit") : rollout?.heldFor;
}

const FLEET = "the freeze, the bridges before it and the places allow it";

const WAITS_FOR: Partial<Record<HoldReason, string>> = {
  NotAccepted: "the spec is corrected",
  Paused: "it is resumed",
  AlertHold: "the alert fires no more",
  NoPodsNeeded: "pods are asked for",
  NoRoom: "there is room for its pods",
  RouteNotReady: "the route can carry it",
  FleetFreeze: FLEET,
  FleetOrder: FLEET,
  FleetLimit: FLEET,
};

/** What has to come about before it starts, as a clause. */
export const startWaitsFor = (reason: string): string =>
  (WAITS_FOR as Readonly<Record<string, string>>)[reason] ?? "nothing keeps it any more";
