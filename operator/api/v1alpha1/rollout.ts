import * as z from "zod";
import { externalGate, gateNames, MOST_GATES } from "./gates.ts";
import { duration, growth, name, percent, textOf } from "./scalars.ts";
import { traffic } from "./traffic.ts";

/** How a change moves through its canary. */

/** What the evidence may do at a step. */
const stepAnalysis = z.enum(["Required", "Background", "None"]).meta({
  description:
    "Required: the step is left only with proof. Background: what is proved worse acts, and no proof is waited for. None: nothing is judged.",
});

const step = z.strictObject({
  name: name("Name of the step, shown in status and used by commands.", 30),
  weight: z.int().min(0).max(100).meta({
    description:
      "Share of the traffic for the canary, in percent. 0, as the first step: it is reached through the Service `<bridge>-canary` alone.",
  }),
  replicas: z.int().min(1).max(1000).optional().meta({
    description:
      "Pods of the canary at this step; never fewer than its weight needs. Absent: as many as the weight needs, and one at weight 0.",
  }),
  mirror: z.int().min(1).max(100).optional().meta({
    description:
      "Percent of the model requests (chat completions and embeddings over HTTP) that are copied to the canary, which answers them into the void. Each copy costs what a request costs at the model. With weight 0 and a route of the operator's, and where the administrator's settings say that the gateways can.",
  }),
  analysis: stepAnalysis.default("Required"),
  hold: duration(
    "Least time at this weight, counted from the canary's first served requests; at weight 0 and with analysis None from when the weight is in force.",
  ).default("0s"),
  approval: z
    .boolean()
    .default(false)
    .meta({ description: "Wait for `kubectl llmbridge promote` before leaving this step." }),
  gates: gateNames,
});
export type Step = z.infer<typeof step>;

/** What a gate can compare. Per pod values are the median over the pods of a version. */
const GATE_METRICS = [
  "ErrorShare",
  "FirstByteP95",
  "TotalP95",
  "MemoryPerPod",
  "CpuShare",
  "GcTimeShare",
  "MessagesPerCpuSecond",
  "RequestsPerCpuSecond",
] as const;
export type GateMetric = (typeof GATE_METRICS)[number];

/** How an absolute limit of each metric is written. */
export const GATE_METRIC_UNITS: Record<GateMetric, "percent" | "duration" | "bytes" | "count"> = {
  ErrorShare: "percent",
  FirstByteP95: "duration",
  TotalP95: "duration",
  MemoryPerPod: "bytes",
  CpuShare: "percent",
  GcTimeShare: "percent",
  MessagesPerCpuSecond: "count",
  RequestsPerCpuSecond: "count",
};

const limit = (description: string) => textOf("limit", description, 20);

const dryRun = z
  .boolean()
  .default(false)
  .meta({ description: "Judged and shown, but it neither holds nor rolls back." });

const gate = z.strictObject({
  name: name("Name of the gate."),
  metric: z.enum(GATE_METRICS).meta({ description: "What is compared." }),
  below: limit("The canary must stay below this.").optional(),
  above: limit("The canary must stay above this.").optional(),
  maxIncrease: growth(
    "The canary may be at most this much above the stable version. Looked at only while pods of both serve about as many requests.",
  ).optional(),
  minDecrease: percent(
    "The canary must be at least this much below the stable version. Looked at as maxIncrease is.",
  ).optional(),
  dryRun,
});
export type Gate = z.infer<typeof gate>;

const margins = {
  rollbackAbove: percent(
    "Roll back when the canary is proved worse than the stable version by more than this, in percentage points.",
  ),
  promoteBelow: percent(
    "Promote only when the canary is proved to be worse by less than this, in percentage points.",
  ),
  rollbackIncrease: growth(
    "Also allowed on top of rollbackAbove: an increase of the stable version's own share by this much. 50% lets 2% become 3%.",
  ).optional(),
  promoteIncrease: growth(
    "The same on top of promoteBelow; at least rollbackIncrease, which needs it.",
  ).optional(),
};

/** An analysis without a name, as the administrator's settings have it too. */
export const analysisValues = z.strictObject({
  errors: z
    .strictObject({
      rollbackAbove: margins.rollbackAbove.default("0.1%"),
      promoteBelow: margins.promoteBelow.default("1%"),
      rollbackIncrease: margins.rollbackIncrease,
      promoteIncrease: margins.promoteIncrease,
    })
    .prefault({})
    .meta({ description: "Share of requests that fail by the bridge's own fault." }),
  latency: z
    .strictObject({
      signal: z.enum(["FirstByte", "Total", "Added"]).default("FirstByte").meta({
        description: "Which duration: to the first byte, the whole request, or what the bridge added.",
      }),
      objective: duration("Requests slower than this count; judged at the histogram bound at or below it."),
      rollbackAbove: margins.rollbackAbove.default("1%"),
      promoteBelow: margins.promoteBelow.default("3%"),
      rollbackIncrease: margins.rollbackIncrease,
      promoteIncrease: margins.promoteIncrease,
      dryRun,
    })
    .optional()
    .meta({ description: "Share of requests slower than an objective." }),
  gates: z
    .array(gate)
    .max(16)
    .default([])
    .meta({
      description:
        "Absolute or relative limits that must be proved to hold to leave a step; one that is proved to be broken rolls back.",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
    }),
  falseRollback: percent(
    "Probability of rolling back a version that is not worse than rollbackAbove and keeps its gates, over the whole rollout and however often it is looked at. Of a gate it holds while each look is at least as likely within its limit as over it, whatever was seen before: a gauge that is right at its limit and stays on one side for minutes breaks it more often.",
  ).default("1%"),
  falsePromotion: percent(
    "Probability of promoting a version that is worse than promoteBelow or breaks a gate.",
  ).default("5%"),
  interval: duration(
    "Length of one counting interval; where the metric source is scraped less often, what lies between two scrapes.",
  ).default("15s"),
  inconclusive: z
    .strictObject({
      after: duration(
        "Time at a step, counted after its hold, after which an undecided verdict is acted on.",
      ).default("72h"),
      action: z
        .enum(["Pause", "Proceed", "Rollback"])
        .default("Pause")
        .meta({ description: "What is done then." }),
    })
    .prefault({})
    .meta({ description: "When there is evidence, but too little to prove anything." }),
  noData: z
    .strictObject({
      after: duration(
        "Time at a step without any evidence after which this is acted on, though not before the step's hold is over: a metric source that fails, no requests, values that are missing.",
      ).default("1h"),
      action: z
        .enum(["Pause", "Proceed", "Rollback"])
        .default("Pause")
        .meta({ description: "What is done then." }),
    })
    .prefault({})
    .meta({
      description:
        "When there is nothing to judge by. Missing data by itself never passes and never rolls back.",
    }),
});

/** Name of the analysis whose every field is at its default, for those who want it whatever the administrator's default is. */
export const BUILT_IN_ANALYSIS = "built-in";

const analysis = analysisValues
  .extend({
    from: name(
      "Name of an analysis in the operator's settings, which then holds as a whole; built-in is the one with every field at its default. Without it, and with nothing else said here, the administrator's default analysis holds, if there is one.",
      63,
    ).optional(),
  })
  .prefault({})
  .meta({ description: "The evidence that promotes or rolls back." });
export type Analysis = z.infer<typeof analysis>;

const BUILT_IN = JSON.stringify(analysisValues.parse({}));

/** Every field but `from` is at its default. */
export function saysNothing({ from: _, ...values }: Analysis): boolean {
  return JSON.stringify(analysisValues.parse(values)) === BUILT_IN;
}

export const rollout = z
  .strictObject({
    strategy: z.enum(["Canary", "BlueGreen", "Immediate"]).default("Canary").meta({
      description:
        "Canary: through the steps. BlueGreen: all pods beside the stable ones, reached through the Service `<bridge>-canary`, then all of the traffic at once, as the last of the steps says. Immediate: as soon as its pods are ready, without steps, evidence and watch.",
    }),
    preview: z
      .strictObject({
        hold: duration("Least time before the switch, counted from when its pods are ready.").default("0s"),
        approval: z
          .boolean()
          .default(false)
          .meta({ description: "Wait for `kubectl llmbridge promote` before the switch." }),
        analysis: stepAnalysis.default("Background"),
        gates: gateNames,
      })
      .prefault({})
      .meta({
        description:
          "With BlueGreen: what the new version waits for before it gets the traffic. The step is called preview.",
      }),
    steps: z
      .array(step)
      .min(1)
      .max(20)
      .default([
        { name: "tenth", weight: 10, analysis: "Required", hold: "10m", approval: false },
        { name: "half", weight: 50, analysis: "Required", hold: "10m", approval: false },
        { name: "all", weight: 100, analysis: "Required", hold: "5m", approval: false },
      ])
      .meta({
        description: "Weights of the canary, in rising order.",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
      }),
    traffic,
    analysis,
    gates: z
      .array(externalGate)
      .max(MOST_GATES)
      .default([])
      .meta({
        description:
          "Gates whose verdict comes from outside, a webhook or a Job, for steps to name. One that fails rolls back, one without a verdict holds.",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
      }),
    baseline: z.enum(["Stable", "SameAge"]).default("Stable").meta({
      description:
        "What a canary is compared with. Stable: the pods of the stable version as they are. SameAge: pods of the stable version that are started with the canary, as many, with as much of the traffic each, so that caches and warm-up are alike; with strategy Canary. Turned on while a canary is under way it holds from the next one.",
    }),
    onFailure: z
      .enum(["Rollback", "Pause"])
      .default("Rollback")
      .meta({ description: "What is done when the canary is proved worse, or a gate fails." }),
    progressDeadline: duration(
      "A canary that is not ready after this long is rolled back. Paused time does not count.",
    ).default("15m"),
    watchAfter: duration(
      "How long a promoted version is watched for getting worse, while the one before it stays ready to return to. 0s: not at all.",
    ).default("10m"),
    rollbackWindow: z.int().min(0).max(20).default(3).meta({
      description:
        "Going back to one of so many revisions that were stable before skips steps and evidence, never readiness or capacity. 0: it is a change like any other.",
    }),
    revisionHistoryLimit: z
      .int()
      .min(0)
      .max(50)
      .default(5)
      .meta({ description: "Old revisions kept at zero replicas." }),
    after: z.array(name("Name of another LLMBridge in the namespace.", 63)).max(16).optional().meta({
      description:
        "Bridges of the same namespace whose own changes go first: a canary starts only while none of them has one under way.",
      "x-kubernetes-list-type": "set",
    }),
    paused: z.boolean().default(false).meta({ description: "Hold the rollout where it is." }),
  })
  .prefault({})
  .meta({ description: "How a change is rolled out." });
export type Rollout = z.infer<typeof rollout>;
