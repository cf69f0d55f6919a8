import * as z from "zod";

/**
 * What the operator observed and decided. Reconstructible from the world but for the rollout's own progress and evidence.
 * Unknown fields are dropped (a newer operator may have written them); an unknown phase is refused, and means hold.
 */

const time = z.string().max(40).meta({ description: "RFC 3339 time.", format: "date-time" });
const text = (max: number) => z.string().max(max);
const count = z.int().min(0);

const condition = z.object({
  type: text(64),
  status: z.enum(["True", "False", "Unknown"]),
  reason: text(64).min(1),
  message: text(1024),
  lastTransitionTime: time,
  observedGeneration: z.int().optional(),
});
export type Condition = z.infer<typeof condition>;

const CONDITION_TYPES = [
  "Ready",
  "Accepted",
  "Progressing",
  "MetricsAvailable",
  "ScalingActive",
  "TuningApplied",
  "PodMonitorApplied",
  "RouteAccepted",
  "TakenOver",
  "Reconciling",
  "Stalled",
] as const;
export type ConditionType = (typeof CONDITION_TYPES)[number];

/** Phases of a rollout. Paused is a flag of the spec, not a phase. */
export const PHASES = [
  "Pending",
  "Stable",
  "Preparing",
  "Stepping",
  "Holding",
  "Promoting",
  "Watching",
  "Draining",
  "Aborting",
  "Aborted",
] as const;
export type Phase = (typeof PHASES)[number];

const versionStatus = z.object({
  revision: text(24),
  image: text(512),
  replicas: count,
  ready: count,
  desiredWeight: z
    .int()
    .min(0)
    .max(100)
    .meta({ description: "Percent of the traffic this version should have." }),
  podShare: text(8).optional().meta({ description: "Share of the ready pods behind the Service." }),
  requestShare: text(8)
    .optional()
    .meta({ description: "Share of the requests really served, by the metrics." }),
});
export type VersionStatus = z.infer<typeof versionStatus>;

const verdictStatus = z.object({
  signal: text(40).meta({ description: "errors, latency, or the name of a gate." }),
  category: z.enum(["ProvedWorse", "ProvedBelow", "Undecided", "NoData", "Passed", "Violated", "Watching"]),
  estimate: text(24).optional(),
  interval: text(48).optional(),
  samples: count.optional().meta({ description: "Requests of the canary, or looks at the gate." }),
  dryRun: z.boolean().optional().meta({ description: "Judged and shown; it neither holds nor rolls back." }),
  message: text(300),
});
export type VerdictStatus = z.infer<typeof verdictStatus>;

const decisionStatus = z.object({
  time,
  action: text(32).meta({
    description: "What was done: Promote, Rollback, Step, ScaleUp, ScaleDown, Hold, ...",
  }),
  reason: text(64),
  message: text(600),
  refused: z
    .array(text(200))
    .max(6)
    .default([])
    .meta({ "x-kubernetes-list-type": "atomic", description: "What else was considered, and why not." }),
});
export type DecisionStatus = z.infer<typeof decisionStatus>;

const alertStatus = z.object({
  name: text(40),
  state: z.enum(["Inactive", "Pending", "Firing", "Unknown"]),
  since: time.optional(),
  value: text(24).optional(),
  severity: text(16),
  action: text(16),
  lastActed: time.optional(),
  message: text(300),
  recommendation: text(300).optional(),
});
export type AlertStatus = z.infer<typeof alertStatus>;

const gateStatus = z.object({
  name: text(40),
  kind: z.enum(["Webhook", "Job"]),
  /** Digest of its definition: one that was edited is asked anew. */
  digest: text(10),
  /** When it was first asked for; with the revision and the step it makes the id of the question. */
  since: time,
  /** From where the deadline counts, once a pause has moved it on. */
  clock: time.optional(),
  until: time.meta({ description: "Without a verdict by then there is none." }),
  state: z.enum(["Asked", "Passed", "Failed", "NoData"]),
  decidedAt: time.optional(),
  message: text(300).optional().meta({ description: "The reason given, or what the last try came to." }),
});
export type GateStatus = z.infer<typeof gateStatus>;
const secretStatus = z.object({
  name: text(253),
  state: z.enum(["Rereading", "Reread", "Overdue", "Refused"]).meta({
    description:
      "Reread: every pod serves with what it holds. Overdue: some have not read it in time. Refused: pods cannot use what it holds, and go on with what it held.",
  }),
  changedAt: time.optional().meta({
    format: "date-time",
    description: "When a pod first read the last change; nothing of the content is known.",
  }),
  readAt: time.optional().meta({
    format: "date-time",
    description: "When a pod last read it.",
  }),
  pods: count.meta({ description: "Ready pods that mount it." }),
  read: count.meta({ description: "Those that have read the last change." }),
  waiting: z
    .array(text(63))
    .max(16)
    .default([])
    .meta({ "x-kubernetes-list-type": "atomic", description: "Some of those that have not." }),
  message: text(300),
});

/** The rollout's own progress: what cannot be read from the world. */
export const rolloutStatus = z.object({
  phase: z.enum(PHASES),
  phaseSince: time,
  /** The present step; found again by its name when the plan is edited. */
  stepIndex: count.optional(),
  stepName: text(30).optional(),
  /** Percent of the traffic in force: that of the last step whose pods were all ready. */
  weight: z.int().min(0).max(100).optional(),
  /** On the way to a step: its weight as it was before the present freeze, if there is one. */
  stepWeight: z.int().min(0).max(100).optional(),
  /** When the present weight came into force. Moved on by the length of each pause. */
  holdingSince: time.optional(),
  /** When the canary first served requests at this step; hold times start here. Moved on by the length of each pause. */
  servedSince: time.optional(),
  /** The step that a person has released: neither hold, evidence nor approval keep it. */
  approvedStep: text(30).optional(),
  /** Gates of the present step that were asked, and what they came to. */
  gates: z.array(gateStatus).max(8).optional().meta({ "x-kubernetes-list-type": "atomic" }),
  /** When the rollout was paused, or the bridge scaled to 0; clocks stand still from here. */
  pausedSince: time.optional(),
  /** When the present wait for readiness began, for progressDeadline; absent while the pods are ready. Moved on by the length of each pause. */
  waitingSince: time.optional(),
  /** Since when a canary that is prepared waits for stable pods that make its share small enough, for progressDeadline. Moved on by the length of each pause. */
  stableWaitingSince: time.optional(),
  /** Since when there is nothing to judge by at this step, for noData. Moved on by the length of each pause. */
  noDataSince: time.optional(),
  /** When the canary first entered the Service; evidence is gathered from here. */
  evidenceSince: time.optional(),
  /** The Service that clients use selects the canary's pods too. Under router Gateway that is left over from another one, and ends when the stable version has all its pods. */
  sharesService: z.literal(true).optional(),
  /** What the present canary was started to be compared with, if not the stable version as it is. */
  baseline: z.enum(["SameAge"]).optional(),
  /** A change that the fleet's rules keep from starting: of which revision, since when, and whether a person has released it from a freeze. */
  queued: z.object({ revision: text(16), since: time, released: z.boolean().optional() }).optional(),
  /** Since when the present rollout runs, and how long it has waited; `waitsSince` while it does. */
  timing: z.object({ startedAt: time, waitedMs: count, waitsSince: time.optional() }).optional(),
  /** Percent for the canary in the route that every parent has accepted, and since when it was seen so; only under router Gateway. */
  routedWeight: z.int().min(0).max(100).optional(),
  /** The same for the baseline, where it is not 0. */
  routedBaseline: z.int().min(1).max(100).optional(),
  routedSince: time.optional(),
  /** Since when clients that keep their version draw the present lots, where that is later than `timing.startedAt`: nobody's led to the canary before. */
  drawnSince: time.optional(),
  /** When such a client was first answered by the canary, which keeps the lots as they are from then on. */
  metAt: time.optional(),
  /** The words of the parent that refused the route while requests were copied to the present canary; none are copied to it any more. */
  copiesRefused: text(300).optional(),
  /** When the canary was withdrawn, the stable version had fewer pods than are needed: it had given some up for the canary. */
  stableGaveUp: z.literal(true).optional(),
  /** When an aborted canary was taken out of the traffic; its pods stay until a gateway follows. */
  leftSince: time.optional(),
  /** The same of the baseline, when its step is over or the canary leaves. */
  baselineLeftSince: time.optional(),
  /** Why the rollout did not go on when it was last looked at. */
  heldFor: text(32).optional(),
  stableRevision: text(16).optional(),
  canaryRevision: text(16).optional(),
  /** The version before the stable one, while that is watched and may still be left for it. */
  previousRevision: text(16).optional(),
  /** Revisions that were stable before the present one and did not fail since, newest first. */
  served: z.array(text(16)).max(20).optional().meta({ "x-kubernetes-list-type": "atomic" }),
  /** A restart under way: pods made before then are replaced; how many are left, and since when. */
  restart: z.object({ before: time, left: count, since: time }).optional(),
  /** The revision that failed and is not tried again until the spec changes or retry is given. */
  failed: z.object({ revision: text(16), reason: text(64), message: text(600), time }).optional(),
});
export type RolloutStatus = z.infer<typeof rolloutStatus>;

export const llmBridgeStatus = z.object({
  observedGeneration: z.int().optional(),
  revision: text(16).optional().meta({
    description:
      "Revision that the spec of observedGeneration asks for, whatever serves; absent while that is refused.",
  }),
  phase: z.enum(PHASES).optional(),
  summary: text(300).optional().meta({ description: "One sentence: what it does now and until when." }),
  conditions: z
    .array(condition)
    .max(16)
    .default([])
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] }),
  replicas: count.optional().meta({ description: "Pods of the stable revision." }),
  selector: text(512)
    .optional()
    .meta({ description: "Selects the pods of the stable revision, for the scale subresource." }),
  stable: versionStatus.optional(),
  canary: versionStatus.optional(),
  baseline: versionStatus.optional().meta({
    description: "Pods of the stable version that were started with the canary, which is compared with them.",
  }),
  previous: versionStatus
    .optional()
    .meta({ description: "The version before the stable one, kept ready while that is watched." }),
  step: z
    .object({
      name: text(30),
      index: count,
      count,
      weight: z.int(),
      holdUntil: time.optional(),
      needsApproval: z.boolean().optional(),
    })
    .optional(),
  rollout: rolloutStatus.optional(),
  takeOver: z
    .object({
      deployment: text(253),
      services: z.array(text(63)).max(8).default([]).meta({ "x-kubernetes-list-type": "atomic" }),
      replicas: count.meta({ description: "Pods that it had, and gets again where it is returned to." }),
      complete: z.boolean().optional().meta({ description: "It serves no more and was scaled to 0." }),
    })
    .optional()
    .meta({ description: "The Deployment that is taken over from." }),
  lastRollout: z
    .object({
      revision: text(16),
      outcome: z.enum(["Promoted", "RolledBack", "Withdrawn"]),
      startedAt: time,
      endedAt: time,
      progressSeconds: count.meta({ description: "Time in which pods were started, shifted and ended." }),
      waitingSeconds: count.meta({
        description: "Time in which it waited: held, paused, undecided, for approval or for room.",
      }),
    })
    .optional()
    .meta({ description: "The rollout that ended last." }),
  analysis: z
    .object({
      from: text(63).meta({ description: "Its name in the operator's settings." }),
      values: text(4096)
        .optional()
        .meta({ description: "Its fields as JSON; absent where that is too long." }),
    })
    .optional()
    .meta({ description: "The analysis in force, where it is not the spec's own." }),
  forecast: z
    .object({ promoteAfter: text(8).optional(), rollbackAfter: text(8).optional(), message: text(300) })
    .optional()
    .meta({
      description: "When the first step of a rollout could be decided with the present traffic.",
    }),
  verdicts: z.array(verdictStatus).max(20).default([]).meta({ "x-kubernetes-list-type": "atomic" }),
  /** Evidence checkpoint, as the evidence module serialises it. */
  evidence: z
    .object({
      revision: text(16),
      intervalEnd: time,
      state: text(4096).meta({ description: "Serialised counts and test martingales up to intervalEnd." }),
    })
    .optional(),
  workers: z.object({ current: count, cap: count, reason: text(200) }).optional(),
  scaling: z
    .object({
      recommended: count,
      held: z
        .object({ replicas: count, since: time })
        .optional()
        .meta({ description: "Fewer pods that an autoscaler asked for while it saw a part of them." }),
      demand: text(24).optional(),
      capacityPerPod: text(24).optional(),
      message: text(300),
    })
    .optional(),
  tuning: z
    .object({
      nodeOptions: text(512),
      heapMiB: count,
      semiSpaceMiB: count,
      threadpoolSize: count,
      rationale: z.array(text(300)).max(12).default([]).meta({ "x-kubernetes-list-type": "atomic" }),
    })
    .optional(),
  budgets: z
    .array(z.object({ pool: text(40), perPod: count, planned: count, allowed: count, message: text(300) }))
    .max(8)
    .default([])
    .meta({ "x-kubernetes-list-type": "atomic" }),
  secrets: z.array(secretStatus).max(32).default([]).meta({
    "x-kubernetes-list-type": "atomic",
    description: "Mounted Secrets that changed under running pods, or that pods cannot use.",
  }),
  alerts: z.array(alertStatus).max(32).default([]).meta({ "x-kubernetes-list-type": "atomic" }),
  decisions: z
    .array(decisionStatus)
    .max(10)
    .default([])
    .meta({ "x-kubernetes-list-type": "atomic", description: "The last automatic decisions, newest first." }),
  notifiedThrough: time.optional().meta({
    format: "date-time",
    description: "Every receiver of notifications has been told of the decisions up to this time.",
  }),
  command: z
    .object({ id: text(64), action: text(16), result: z.enum(["Done", "Refused"]), message: text(300) })
    .optional()
    .meta({ description: "The last command taken from the annotation." }),
});
export type LLMBridgeStatus = z.infer<typeof llmBridgeStatus>;
