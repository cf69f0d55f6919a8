import type { Rollout } from "../../api/v1alpha1/rollout.ts";
import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import { presentStep } from "../../rollout/plan.ts";
import type { PodReading } from "../../scaling/reading.ts";

/** The readings that demand is taken from. Requests that are copied to a canary are nobody's demand: the stable version needs no pods for them. */
export function withoutCopies(
  readings: readonly PodReading[],
  plan: Rollout,
  state: RolloutStatus | undefined,
): readonly PodReading[] {
  const canary = state?.canaryRevision;
  if (state === undefined || canary === undefined || presentStep(plan, state).mirror === 0) return readings;
  return readings.filter(({ revision }) => revision !== canary);
}
