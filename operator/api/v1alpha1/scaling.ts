import * as z from "zod";
import { duration, name, percent, textOf } from "./scalars.ts";

/** Of `spec.replicas`, which mode Managed does not read. */
export const DEFAULT_REPLICAS = 2;

/** Replicas, worker threads and alerts against demand. */

export const scaling = z
  .strictObject({
    mode: z.enum(["Managed", "External", "Fixed"]).default("Managed").meta({
      description:
        "Managed: the operator scales between minReplicas and maxReplicas. External: an autoscaler drives spec.replicas through the scale subresource. Fixed: spec.replicas as written.",
    }),
    minReplicas: z
      .int()
      .min(1)
      .max(1000)
      .default(2)
      .meta({ description: "Fewest pods of the stable version in Managed mode." }),
    maxReplicas: z
      .int()
      .min(1)
      .max(1000)
      .default(10)
      .meta({ description: "Most pods of the stable version in Managed mode." }),
    targetUtilization: percent("Demand over capacity that replicas are computed for.").default("70%"),
    demandWindow: duration("Time over which demand is averaged.").default("1m"),
    scaleDownWindow: duration("Replicas shrink only to the highest recommendation of this time.").default(
      "10m",
    ),
    scaleDownInterval: duration("At most one pod is taken away in this time.").default("1m"),
  })
  .prefault({})
  .meta({ description: "How many pods, and who decides." });
export type Scaling = z.infer<typeof scaling>;

/** What an alert can watch. Shares are 0..1 in evaluation and percent in the resource. */
const ALERT_METRICS = [
  "WorkerUtilization",
  "WorkerQueueWait",
  "GcTimeShare",
  "HeapAfterMajorGc",
  "EventLoopUtilization",
  "PoolWaiting",
  "PoolHitRate",
  "Utilization",
  "ErrorShare",
  "FirstByteP95",
  "MemoryShare",
] as const;
export type AlertMetric = (typeof ALERT_METRICS)[number];

/** How a threshold of each metric is written: a percentage, a duration or a plain count. */
export const ALERT_METRIC_UNITS: Record<AlertMetric, "percent" | "duration" | "count"> = {
  WorkerUtilization: "percent",
  WorkerQueueWait: "duration",
  GcTimeShare: "percent",
  HeapAfterMajorGc: "percent",
  EventLoopUtilization: "percent",
  PoolWaiting: "count",
  PoolHitRate: "percent",
  Utilization: "percent",
  ErrorShare: "percent",
  FirstByteP95: "duration",
  MemoryShare: "percent",
};

const threshold = (description: string) => textOf("threshold", description, 16);

export const alert = z.strictObject({
  name: name("Name of the alert."),
  metric: z
    .enum(ALERT_METRICS)
    .meta({ description: "What is watched, as the worst pod or the sum, by metric." }),
  above: threshold(
    "Fires above this value: a percentage, a duration or a count, as the metric needs.",
  ).optional(),
  below: threshold("Fires below this value.").optional(),
  for: duration("How long it must hold before the alert fires.").default("1m"),
  severity: z
    .enum(["Info", "Warning", "Critical"])
    .default("Warning")
    .meta({ description: "For people and for alert routing." }),
  action: z.enum(["Notify", "ScaleUp", "ScaleDown", "Hold", "Rollback"]).default("Notify").meta({
    description:
      "Notify only reports. ScaleUp and ScaleDown move worker threads, then replicas. Hold stops a rollout where it is. Rollback aborts it.",
  }),
  cooldown: duration("After acting, the alert does not act again for this long.").default("5m"),
});
export type Alert = z.infer<typeof alert>;

/** Used when spec.alerts is absent: the three names of the usual table with signals that can bear an action. */
export const DEFAULT_ALERTS: readonly z.input<typeof alert>[] = [
  { name: "gc-time", metric: "GcTimeShare", above: "5%", for: "5m", severity: "Warning", action: "Notify" },
  {
    name: "pool-waiting",
    metric: "PoolWaiting",
    above: "0",
    for: "1m",
    severity: "Critical",
    action: "Notify",
  },
  {
    name: "workers-busy",
    metric: "WorkerUtilization",
    above: "90%",
    for: "1m",
    severity: "Warning",
    action: "ScaleUp",
  },
];
