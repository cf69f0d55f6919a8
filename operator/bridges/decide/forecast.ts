import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import type { LLMBridgeStatus } from "../../api/v1alpha1/status.ts";
import { evidenceConfig } from "../../evidence/config.ts";
import { earliestDecision } from "../../evidence/earliest.ts";
import { lastStep, provingStep } from "../../rollout/plan.ts";
import { countingMs } from "../observe/evidence.ts";
import type { Snapshot } from "../snapshot.ts";

/** How often the stable version's past is read for this while nothing is rolled out. */
export const FORECAST_EVERY_MS = 5 * 60_000;

/** Times are said in these steps, so that status does not change with every wave of the traffic. */
const STEPS: readonly (readonly [ms: number, text: string])[] = [
  [10_000, "10s"],
  [30_000, "30s"],
  [60_000, "1m"],
  [300_000, "5m"],
  [900_000, "15m"],
  [3_600_000, "1h"],
  [10_800_000, "3h"],
  [43_200_000, "12h"],
  [86_400_000, "24h"],
  [259_200_000, "72h"],
];

/**
 * When the first step of a rollout could be decided with the present traffic, said before it starts. An expectation for a version as good as
 * the stable one (promote) and for one that is worse by twice promoteBelow (roll back); stays as it was while nothing new is known.
 */
export function forecast(snapshot: Snapshot, spec: LLMBridgeSpec | undefined): LLMBridgeStatus["forecast"] {
  const before = snapshot.status.forecast;
  const step = spec && provingStep(spec.rollout);
  if (spec && !step) return withoutProof(spec.rollout);
  const stable = snapshot.status.rollout?.stableRevision;
  if (
    !spec ||
    !step ||
    !snapshot.forecast ||
    snapshot.forecast.kind === "failing" ||
    snapshot.fleet.kind === "failing"
  ) {
    return before;
  }
  const readings = snapshot.fleet.value.filter((one) => one.revision === stable && !one.stale);
  const perSecond = readings.reduce((sum, one) => sum + (one.requestsPerSecond ?? 0), 0);
  const share = step.weight / 100;
  const isFresh = spec.rollout.baseline === "SameAge";
  // A baseline is as large as the canary, and at most half of what is not the canary's.
  const beside = isFresh ? Math.min(share, (1 - share) / 2) : 1 - share;
  const { promoteAfterMs, rollbackAfterMs } = earliestDecision(
    evidenceConfig(spec.rollout.analysis),
    snapshot.forecast.value,
    {
      canaryPerSecond: perSecond * share,
      stablePerSecond: perSecond * beside,
      canaryPods: Math.max(1, Math.ceil(readings.length * share)),
      stablePods: Math.max(1, isFresh ? Math.ceil(readings.length * beside) : readings.length),
      intervalMs: countingMs(spec.rollout.analysis, snapshot.scrapeMs),
    },
  );
  const [promote, rollback] = [stepAbove(promoteAfterMs), stepAbove(rollbackAfterMs)];
  const message =
    promote === undefined
      ? `With the present traffic step ${step.name} (${step.weight}%) proves nothing within 72h; raise ${step.weight < 50 ? "its weight or " : ""}promoteBelow.`
      : `With the present traffic a good version is proved good enough at step ${step.name} (${step.weight}%) within about ${promote}.`;
  return {
    ...(promote === undefined ? {} : { promoteAfter: promote }),
    ...(rollback === undefined ? {} : { rollbackAfter: rollback }),
    message,
  };
}

/** A plan that goes to all of the traffic at once is left by time. */
function withoutProof(rollout: LLMBridgeSpec["rollout"]): LLMBridgeStatus["forecast"] {
  const { name, analysis, provable } = lastStep(rollout);
  if (analysis !== "Required" || provable) return undefined;
  return {
    message: `Step ${name} (100%) is left when its hold is over and nothing speaks against the canary: no step before has both versions serve, so nothing can be proved.`,
  };
}

function stepAbove(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : STEPS.find(([step]) => ms <= step)?.[1];
}
