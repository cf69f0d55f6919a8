import type { Phase, RolloutStatus } from "../api/v1alpha1/status.ts";
import { atMs, iso } from "./clock.ts";
import type { HoldReason, RolloutEnd } from "./types.ts";

/**
 * How long a rollout takes, in two parts: it waits while something outside of it has to come about, a time to pass, evidence to gather, a person to act;
 * otherwise it makes progress, which is the cluster's and the operator's time to start, shift and end pods.
 */
const PART_OF: Readonly<Record<HoldReason, "Progress" | "Waiting">> = {
  PodsNotReady: "Progress",
  StableNotReady: "Progress",
  BaselineNotReady: "Progress",
  WeightNotApplied: "Progress",
  Draining: "Progress",
  RouteNotReady: "Progress",
  NoRoom: "Waiting",
  NoPodsNeeded: "Waiting",
  TooFewPods: "Waiting",
  NoRequests: "Waiting",
  HoldTime: "Waiting",
  Undecided: "Waiting",
  GateUndecided: "Waiting",
  GatePending: "Waiting",
  GateFailed: "Waiting",
  GateNoData: "Waiting",
  Inconclusive: "Waiting",
  NoData: "Waiting",
  NoDataTooLong: "Waiting",
  MetricsUnavailable: "Waiting",
  ProvedWorse: "Waiting",
  GateViolated: "Waiting",
  Approval: "Waiting",
  Paused: "Waiting",
  AlertHold: "Waiting",
  NotAccepted: "Waiting",
  FleetFreeze: "Waiting",
  FleetOrder: "Waiting",
  FleetLimit: "Waiting",
  Failed: "Waiting",
  UnreadableState: "Waiting",
};

/** Phases of a rollout that has begun and is not decided. */
const RUNNING: readonly Phase[] = ["Preparing", "Stepping", "Holding", "Aborting"];

export interface Timing {
  readonly timing: RolloutStatus["timing"];
  /** The rollout that this pass has ended. */
  readonly ended: RolloutEnd | undefined;
}

/**
 * The clocks after a pass. All of it is stored with the state, so a pass that is repeated ends the same rollout, and a restart in the middle belongs to
 * whichever part was running. A first version is no rollout: there is nothing that it takes over from. A return after the promotion is one of its own,
 * from what set it off.
 * @param held why the state after the pass does not go on
 */
export function timingOf(
  before: RolloutStatus,
  after: RolloutStatus,
  held: HoldReason | undefined,
  nowMs: number,
): Timing {
  if (!RUNNING.includes(after.phase)) return { timing: undefined, ended: endOf(before, after, nowMs) };
  const kept =
    before.canaryRevision !== after.canaryRevision ? { startedAt: iso(nowMs), waitedMs: 0 } : before.timing;
  if (kept === undefined) return { timing: undefined, ended: undefined };
  const waits = held !== undefined && PART_OF[held] === "Waiting";
  const { waitsSince, ...still } = kept;
  if (waits) return { timing: { ...still, waitsSince: waitsSince ?? iso(nowMs) }, ended: undefined };
  return { timing: { ...still, waitedMs: waitedMs(kept, nowMs) }, ended: undefined };
}

function endOf(before: RolloutStatus, after: RolloutStatus, nowMs: number): RolloutEnd | undefined {
  const { timing, canaryRevision: revision } = before;
  const startedMs = atMs(timing?.startedAt);
  if (timing === undefined || startedMs === undefined || revision === undefined) return undefined;
  const allMs = Math.max(0, nowMs - startedMs);
  const waitingMs = Math.min(allMs, waitedMs(timing, nowMs));
  return {
    revision,
    outcome:
      after.stableRevision === revision
        ? "Promoted"
        : after.failed?.revision === revision
          ? "RolledBack"
          : "Withdrawn",
    startedMs,
    endedMs: nowMs,
    waitingMs,
    progressMs: allMs - waitingMs,
  };
}

function waitedMs(
  { waitedMs: past, waitsSince }: NonNullable<RolloutStatus["timing"]>,
  nowMs: number,
): number {
  const since = atMs(waitsSince);
  return past + (since === undefined ? 0 : Math.max(0, nowMs - since));
}
