import { describe, expect, it } from "vitest";
import { explanationOutput } from "../outputs.ts";
import { freshBridge, SAMPLE_NOW_MS, sampleBridge } from "../testing/sample-bridge.ts";
import { possibleActions } from "./actions.ts";
import { explanation } from "./explanation.ts";
import { comingUp } from "./next.ts";

const failed = {
  ...{ revision: "d04be8", reason: "ErrorsProvedWorse", message: "m", time: "2026-11-21T09:00:00Z" },
};
const phase = (name: string, more: object = {}) => ({ status: { phase: name, ...more } });
const rolledBack = {
  status: {
    ...{ phase: "Aborted", canary: undefined, step: undefined },
    rollout: { phase: "Aborted", phaseSince: "2026-11-21T09:00:00Z", failed },
  },
};
const atRest = { status: { phase: "Stable", canary: undefined, step: undefined } };
const heldStart = (heldFor: string, name = "Stable") => ({
  status: {
    ...{ phase: name, canary: undefined, step: undefined },
    rollout: { phase: name, phaseSince: "2026-11-21T09:00:00Z", heldFor },
  },
});
const strict = {
  analysis: {
    latency: { objective: "120ms" },
    gates: [{ name: "gc", metric: "GcTimeShare", below: "5%" }],
  },
  onFailure: "Pause",
};
const dry = {
  analysis: {
    latency: { objective: "120ms", dryRun: true },
    gates: [{ name: "gc", metric: "GcTimeShare", below: "5%", dryRun: true }],
  },
};
const asking = {
  status: {
    rollout: {
      phase: "Holding",
      phaseSince: "2026-11-21T09:00:00Z",
      gates: [
        {
          ...{ name: "quality", kind: "Webhook", digest: "d", state: "Asked" },
          ...{ since: "2026-11-21T15:30:00Z", until: "2026-11-21T16:00:00Z" },
        },
      ],
    },
  },
  rollout: {
    gates: [
      { name: "quality", webhook: { receiver: "evals" } },
      { name: "dry", webhook: { receiver: "evals" }, dryRun: true },
    ],
    steps: [
      { name: "tenth", weight: 10, gates: ["quality", "dry"] },
      { name: "all", weight: 100 },
    ],
  },
};
const growing = { analysis: { errors: { rollbackIncrease: "50%", promoteIncrease: "50%" } } };
const missing = {
  status: {
    rollout: {
      phase: "Holding",
      phaseSince: "2026-11-21T09:00:00Z",
      noDataSince: "2026-11-21T10:00:00Z",
    },
  },
  rollout: { analysis: { noData: { action: "Rollback" } } },
};
const watching = {
  status: {
    ...{ phase: "Watching", canary: undefined, step: undefined },
    previous: { revision: "7c9f21", image: "i:1", replicas: 2, ready: 2, desiredWeight: 0 },
    rollout: { phase: "Watching", phaseSince: "2026-11-21T09:00:00Z" },
  },
};
const lastStep = { name: "all", index: 2, count: 3, weight: 100 };

describe("comingUp", () => {
  it.each<[string, Parameters<typeof sampleBridge>[0], string]>([
    ["before pods are ready", phase("Preparing"), "When its pods are ready the canary enters the Service"],
    ["between steps", phase("Stepping"), "When enough pods are ready, step tenth (10%) is in force."],
    ["with a gate outside", asking, "and gate quality passed, step all (100%) begins."],
    ["with a gate that may fail", asking, "a gate fails or its pods fail, it is rolled back"],
    [
      "with a gate that may say nothing",
      asking,
      "If gate quality gives no verdict until then, it waits for a person (noData: Pause).",
    ],
    ["at the last step", phase("Holding", { step: lastStep }), ", the canary is promoted."],
    [
      "before the first request",
      phase("Holding", { step: lastStep }),
      "When it has served requests and its hold is over",
    ],
    [
      "where a person is asked",
      phase("Holding", { step: { ...lastStep, needsApproval: true } }),
      "and a person has promoted it, the canary",
    ],
    ["after the promotion", phase("Draining"), "Pods of older revisions finish"],
    ["in an abort", phase("Aborting"), "The stable version takes all of the traffic"],
    ["after a rollback", rolledBack, "Nothing: revision d04be8 is not tried again"],
    ["at rest", atRest, "starts a canary at step tenth (10%)."],
    ["paused", { rollout: { paused: true } }, "Nothing while it is paused"],
    [
      "while a pause keeps a change from starting",
      { ...heldStart("Paused"), rollout: { paused: true } },
      "When it is resumed, its canary starts.",
    ],
    [
      "while there is no room to start",
      heldStart("NoRoom"),
      "When there is room for its pods, its canary starts.",
    ],
    [
      "while pods of the version before end and there is no room yet",
      heldStart("NoRoom", "Draining"),
      "end.\nWhen there is room for its pods, its canary starts.",
    ],
    [
      "while a reason of a newer operator holds it",
      heldStart("MoonPhase"),
      "When nothing keeps it any more, its canary starts.",
    ],
    [
      "at rest and paused",
      { ...atRest, rollout: { paused: true } },
      "The next change of the spec that reaches the pods waits until it is resumed.",
    ],
    ["with gates", { rollout: strict }, "requests slower than 120ms by less than 3pp and gate gc passed"],
    [
      "with what runs dry",
      { rollout: dry },
      "errors are proved worse by less than 1pp, step half (50%) begins.",
    ],
    [
      "with margins that grow",
      { rollout: growing },
      "errors are proved worse by more than 0.1pp and 50% of stable's own or its pods",
    ],
    ["without data", missing, "If there is nothing to judge by until then, it is rolled back (noData.action"],
    ["with onFailure: Pause", { rollout: strict }, "it holds for a person (onFailure: Pause)"],
    ["in a phase of a newer operator", phase("Baking"), "At any time: if errors"],
    ["while it is watched", watching, "pods of revision 7c9f21 end."],
    [
      "if it gets worse while it is watched",
      watching,
      "if errors are proved worse by more than 0.1pp or its pods fail, revision 7c9f21 takes the traffic back.",
    ],
  ])("says %s what happens", (_, change, sentence) => {
    const said = comingUp(sampleBridge(change)).map(({ what }) => what);
    expect(said.join("\n")).toContain(sentence);
  });
});

describe("possibleActions", () => {
  const commands = (change: Parameters<typeof sampleBridge>[0]) =>
    possibleActions(sampleBridge(change)).map(({ command }) => command.replace("kubectl llmbridge ", ""));

  it.each<[string, Parameters<typeof sampleBridge>[0], readonly string[]]>([
    ["at rest", atRest, ["history chat"]],
    ["after a rollback", rolledBack, ["kubectl edit llmbridge chat -n ai", "retry chat", "history chat"]],
    [
      "before pods are ready",
      phase("Preparing"),
      ["promote chat --full", "abort chat", "pause chat", "diff chat", "get chat -w", "history chat"],
    ],
    [
      "paused",
      { rollout: { paused: true } },
      ["resume chat", "abort chat", "diff chat", "get chat -w", "history chat"],
    ],
    ["after the promotion", phase("Draining"), ["history chat"]],
    ["while it is watched", watching, ["abort chat", "promote chat", "history chat"]],
  ])("offers %s what would not be refused", (_, change, expected) => {
    expect(commands(change)).toEqual(expected);
  });
});

it("names what is wrong, and not what the spec asked for", () => {
  const condition = (type: string, status: "True" | "False", reason: string) => ({
    ...{ type, status, reason, message: "m", lastTransitionTime: "2026-11-21T09:00:00Z" },
  });
  const conditions = [
    condition("Ready", "True", "Serving"),
    condition("ScalingActive", "False", "Fixed"),
    condition("Progressing", "False", "Complete"),
    condition("PodMonitorApplied", "False", "ApiForbidden"),
    condition("Stalled", "True", "Contested"),
  ];
  const { problems } = explanation(sampleBridge({ status: { conditions } }), SAMPLE_NOW_MS);
  expect(problems.map(({ reason }) => reason)).toEqual(["ApiForbidden", "Contested"]);
});

it.each([sampleBridge(), sampleBridge(rolledBack), sampleBridge(atRest), freshBridge()])(
  "has the documented shape",
  (bridge) => {
    expect(() => explanationOutput.parse(explanation(bridge, SAMPLE_NOW_MS))).not.toThrow();
  },
);
