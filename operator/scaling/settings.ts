import { durationMs, share } from "../api/v1alpha1/scalars.ts";
import type { Scaling } from "../api/v1alpha1/scaling.ts";

/** spec.scaling in numbers. */
export interface ScalingSettings {
  mode: Scaling["mode"];
  minReplicas: number;
  maxReplicas: number;
  /** Demand over capacity that replicas are computed for, 0..1. */
  target: number;
  /** Replicas shrink only to the highest recommendation of this time. */
  scaleDownWindowMs: number;
  /** At most one pod is taken away in this time. */
  scaleDownIntervalMs: number;
}

/** Reads spec.scaling as the schema has accepted it. */
export function scalingSettings(scaling: Scaling): ScalingSettings {
  return {
    mode: scaling.mode,
    minReplicas: scaling.minReplicas,
    maxReplicas: scaling.maxReplicas,
    target: share(scaling.targetUtilization),
    scaleDownWindowMs: durationMs(scaling.scaleDownWindow),
    scaleDownIntervalMs: durationMs(scaling.scaleDownInterval),
  };
}

/**
 * F6: z of square-root headroom. A long shrink window keeps spare pods by itself, so less headroom is enough:
 * 1 from 10 minutes on, 2 from 5, else 3.
 */
export function headroomZ(scaleDownWindowMs: number): 1 | 2 | 3 {
  if (scaleDownWindowMs >= 600_000) return 1;
  return scaleDownWindowMs >= 300_000 ? 2 : 3;
}
