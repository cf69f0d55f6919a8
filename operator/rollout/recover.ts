import type { RolloutStatus } from "../api/v1alpha1/status.ts";
import { isBaseline } from "./baseline.ts";
import { iso } from "./clock.ts";
import { compact } from "./phases.ts";
import type { RolloutInput, UnreadableState } from "./types.ts";

export const isUnreadable = (state: RolloutInput["state"]): state is UnreadableState =>
  state !== undefined && "unreadable" in state;

/**
 * The state where none is stored: of a new bridge, or of one whose status was lost. The Deployments' tracks then tell which revision was stable. A
 * canary that runs is led back safely rather than judged by evidence that is lost too; it starts again at the first step.
 */
export function recoverState(input: RolloutInput): RolloutStatus {
  const known = Object.entries(input.revisions).filter(
    ([revision, facts]) => facts.exists && !isBaseline(revision),
  );
  const phaseSince = iso(input.nowMs);
  const byReady = known.sort(([, a], [, b]) => b.ready - a.ready);
  const production = byReady.find(([, facts]) => facts.track === "production");
  const serving = production ?? byReady.find(([, facts]) => facts.ready > 0);
  const other = known.find(([revision, facts]) => revision !== serving?.[0] && facts.wantedReplicas > 0);
  if (!serving || (serving[1].ready === 0 && !other)) {
    const tried = serving?.[0] ?? (input.accepted ? input.desired.revision : undefined);
    return compact({ phase: "Pending", phaseSince, waitingSince: phaseSince, canaryRevision: tried });
  }
  const stableRevision = serving[0];
  if (!other) return { phase: "Stable", phaseSince, stableRevision };
  return {
    phase: "Aborting",
    phaseSince,
    stableRevision,
    canaryRevision: other[0],
    weight: 100,
    evidenceSince: phaseSince,
    waitingSince: phaseSince,
  };
}
