import type { RolloutStatus } from "../api/v1alpha1/status.ts";
import { atMs } from "./clock.ts";

/**
 * The rollout that clients draw their lots in: one canary from its start until it is promoted or has left. Its name is another one each time that a
 * version is tried, so that nobody is sent to a version again for having met it in a rollout that is over.
 */
export function affinityRound(
  state: RolloutStatus | undefined,
): { readonly id: string; readonly canary: string } | undefined {
  const startedMs = atMs(state?.timing?.startedAt);
  const canary = state?.canaryRevision;
  if (startedMs === undefined || canary === undefined) return undefined;
  return { id: `${canary}-${Math.floor(startedMs / 1000).toString(36)}`, canary };
}
