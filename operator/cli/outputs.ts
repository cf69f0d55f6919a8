import * as z from "zod";
import { OUTCOMES } from "./status/standing.ts";

/**
 * What `-o json` and `-o yaml` print where it is no stored object. Members may be added; none is taken away or changes its meaning.
 */

const says = (description: string) => z.string().meta({ description });
const time = (description: string) => says(`${description} RFC 3339.`);
const bridge = z
  .strictObject({ namespace: says("Its namespace."), name: says("Its name.") })
  .meta({ description: "The bridge it is about." });

export const explanationOutput = z.strictObject({
  bridge,
  phase: says("status.phase; empty before an operator has seen the bridge."),
  summary: says("What it does now and until when, in the operator's words."),
  question: says("The question that people have in this phase."),
  answer: says("Its answer, in one sentence."),
  problems: z
    .array(
      z.strictObject({
        type: says("Type of the condition."),
        reason: says("Its reason, one word."),
        message: says("What is wrong."),
        since: time("Since when."),
      }),
    )
    .meta({ description: "Conditions that are not as they should be." }),
  secrets: z
    .array(
      z.looseObject({
        name: says("Name of the Secret."),
        state: says("Rereading, Reread, Overdue or Refused."),
        changedAt: time("When a pod first read the last change.").optional(),
        message: says("How many pods have read it."),
      }),
    )
    .meta({ description: "status.secrets: mounted Secrets that changed under running pods." }),
  next: z
    .array(
      z.strictObject({ at: time("When, where a time is known.").optional(), what: says("What happens.") }),
    )
    .meta({ description: "What happens if nobody does anything, soonest first." }),
  actions: z
    .array(z.strictObject({ command: says("To be typed."), does: says("What it does.") }))
    .meta({ description: "What a person could do." }),
  verdicts: z
    .array(
      z.looseObject({
        signal: says("errors, latency, or the name of a gate."),
        category: says("What is proved."),
      }),
    )
    .meta({
      description: "status.verdicts, with `outlook`: how long until what is undecided could be decided.",
    }),
  gates: z
    .array(
      z.looseObject({
        name: says("Its name."),
        state: z.enum(["Asked", "Passed", "Failed", "NoData"]).meta({ description: "What it came to." }),
        since: time("When it was asked."),
        until: time("Without a verdict by then there is none."),
      }),
    )
    .meta({ description: "status.rollout.gates: gates of the present step that were asked outside." }),
  queries: z
    .array(
      z.strictObject({ about: says("Which verdicts."), query: says("PromQL, for the source's query API.") }),
    )
    .meta({ description: "What the metric source is asked for them, with the default names of labels." }),
  decisions: z
    .array(
      z.looseObject({
        time: time("When."),
        action: says("What was done, one word."),
        reason: says("Why, one word."),
        message: says("What was done and the numbers it rests on."),
      }),
    )
    .meta({ description: "status.decisions, newest first, with what was considered and refused." }),
});
export type ExplanationOutput = z.infer<typeof explanationOutput>;

export const historyOutput = z.strictObject({
  bridge,
  revisions: z
    .array(
      z.strictObject({
        revision: says("Its hash."),
        image: says("Its image."),
        made: time("When its Deployment was made."),
        renderer: says("Version of the operator that rendered it."),
        outcome: z
          .enum(["Stable", "Canary", "Previous", "WasStable", "RolledBack", "Withdrawn", "Retired"])
          .meta({
            description:
              "What has become of it. Withdrawn: the spec moved on before it was proved. Retired: it serves no more, and nobody noted how that came.",
          }),
        why: says("What made it so; empty where nobody noted it."),
        replicas: z.int().meta({ description: "Pods wanted." }),
        ready: z.int().meta({ description: "Pods that are ready." }),
      }),
    )
    .meta({ description: "Newest first." }),
});
export type HistoryOutput = z.infer<typeof historyOutput>;

export const statusOutput = z.strictObject({
  bridge,
  outcome: z.enum(OUTCOMES).meta({
    description:
      "How far it is. Stable: it serves for good. Promoted: with --until promoted, it serves and is watched. InProgress: not over, or not within --timeout.",
  }),
  generation: z.int().meta({ description: "metadata.generation of the spec that it is about." }),
  revision: says(
    "Hash of the revision that the spec asks for; absent where the operator has not said.",
  ).optional(),
  image: says("spec.image."),
  stable: says("Hash of the revision that is stable.").optional(),
  phase: says("status.phase; empty before an operator has seen the bridge."),
  message: says("The same in a sentence."),
});
export type StatusOutput = z.infer<typeof statusOutput>;

export const versionOutput = z.strictObject({
  client: z.strictObject({ version: says("Of this tool.") }),
  operators: z
    .array(
      z.strictObject({
        namespace: says("Namespace of its Deployment."),
        name: says("Name of its Deployment."),
        version: says("By the label app.kubernetes.io/version; unknown where there is none."),
        image: says("Image that it runs."),
        ready: z.int().meta({ description: "Pods that are ready." }),
      }),
    )
    .optional()
    .meta({ description: "Operators in the cluster. Absent with --client, and where they cannot be read." }),
  unknown: says("Why the operators cannot be read.").optional(),
});
export type VersionOutput = z.infer<typeof versionOutput>;

export const lintOutput = z.strictObject({
  findings: z
    .array(
      z.strictObject({
        file: says("Path as given or found, or stdin."),
        line: z.int().meta({ description: "Line of the file, from 1." }),
        kind: z.enum(["error", "valid", "skipped"]).meta({
          description: "error: it would be refused. valid: a bridge without an error. skipped: another kind.",
        }),
        path: says("The field, where the finding is about one; else empty."),
        message: says("What is wrong and what to write instead."),
      }),
    )
    .meta({ description: "In the order of the files." }),
});
export type LintOutput = z.infer<typeof lintOutput>;

export const diffOutput = z.strictObject({
  comparisons: z
    .array(
      z.strictObject({
        bridge,
        before: says("Hash of the revision compared with. Absent where the bridge has none yet.").optional(),
        after: says("Hash of the other revision, with -f that of what the manifest would make."),
        files: z
          .array(
            z.strictObject({
              file: says("config.json, NODE_OPTIONS or deployment.yaml."),
              diff: says(
                "Unified diff of it, with the lines that name both sides. Hashes in names are written REVISION.",
              ),
            }),
          )
          .meta({ description: "What differs; empty where nothing does." }),
      }),
    )
    .meta({ description: "One; with -f one for each bridge of the files, in their order." }),
});
export type DiffOutput = z.infer<typeof diffOutput>;
export type Comparison = DiffOutput["comparisons"][number];

export const orderOutput = z.strictObject({
  bridge,
  command: z
    .enum(["promote", "skip", "jump", "abort", "undo", "restart", "set", "pause", "resume", "retry"])
    .meta({ description: "What was ordered. An `undo` that takes a canary away is told as `abort`." }),
  id: says(
    "The command's id, as status.command has it. Absent for pause, resume, undo and set, which change the spec.",
  ).optional(),
  revision: says(
    "Hash of the revision that it is bound to; of undo the one that is gone back to. Absent for pause, resume and set.",
  ).optional(),
  image: says("The image that set has set.").optional(),
  step: says("The step that it is bound to, of promote, skip and jump.").optional(),
  to: says("The step that jump goes to.").optional(),
  outcome: z.enum(["Done", "Unchanged"]).meta({
    description: "Done: the operator has obeyed, or the spec is changed. Unchanged: it was so already.",
  }),
  message: says("The same in a sentence."),
});
export type OrderOutput = z.infer<typeof orderOutput>;
