import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import type { LLMBridgeStatus } from "../../api/v1alpha1/status.ts";

const AT_REST: ReadonlySet<string | undefined> = new Set([undefined, "Pending", "Stable", "Aborted"]);

/** An autoscaler needs so long to have seen what changed: a scrape, its own metrics' window, and a look or two. */
export const AUTOSCALER_SEES_MS = 120_000;

type Held = NonNullable<LLMBridgeStatus["scaling"]>["held"];

/**
 * `spec.replicas` in External mode, but not lowered by what an autoscaler saw of a part. In a rollout the stable version has a part of the traffic, and above
 * 50 % a part of its pods too, and an autoscaler that multiplies the one by the other asks for less than all of the traffic needs; a promotion or an abort
 * would then meet too few pods.
 *
 * What it asked for then stays in the spec afterwards too: a HorizontalPodAutoscaler that finds the use of the pods at its target writes nothing, whatever the
 * spec says. Such a number is therefore gone down to one pod at a time, so that the autoscaler sees each step and can answer. A number that it writes
 * later is its own and followed at once. So are growth, and zero, which is not reckoned but meant.
 */
export function withHeldReplicas(
  spec: LLMBridgeSpec,
  { scaling, rollout, lastRollout }: LLMBridgeStatus,
  nowMs: number,
): { readonly spec: LLMBridgeSpec; readonly held: Held } {
  const before = scaling?.recommended ?? 0;
  const { replicas } = spec;
  if (spec.scaling.mode !== "External" || replicas === 0 || replicas >= before)
    return { spec, held: undefined };
  const hold = (count: number, sinceMs: number) => ({
    spec: { ...spec, replicas: count },
    held: { replicas, since: new Date(sinceMs).toISOString() },
  });
  const known = scaling?.held?.replicas === replicas ? scaling.held : undefined;
  if (isPartial(rollout, lastRollout, nowMs))
    return { ...hold(before, nowMs), ...(known ? { held: known } : {}) };
  if (!known) return { spec, held: undefined };
  const steppedMs = Math.max(Date.parse(known.since), Date.parse(rollout?.phaseSince ?? ""));
  const waits = nowMs >= steppedMs && nowMs - steppedMs < AUTOSCALER_SEES_MS;
  return waits ? { ...hold(before, nowMs), held: known } : hold(before - 1, nowMs);
}

/** The autoscaler has not seen all of the pods with all of the traffic yet. A first version never had a part of it. */
function isPartial(
  rollout: LLMBridgeStatus["rollout"],
  lastRollout: LLMBridgeStatus["lastRollout"],
  nowMs: number,
): boolean {
  if (rollout === undefined || rollout.phase === "Pending") return false;
  if (!AT_REST.has(rollout.phase)) return true;
  if (lastRollout === undefined) return false;
  const sinceMs = nowMs - Date.parse(rollout.phaseSince);
  return sinceMs >= 0 && sinceMs < AUTOSCALER_SEES_MS;
}
