import type { Rollout } from "../../api/v1alpha1/rollout.ts";
import { durationMs } from "../../api/v1alpha1/scalars.ts";
import { stepAt, stepsOf } from "../../rollout/plan.ts";
import type { BridgeView } from "../bridge-view.ts";
import type { Coming } from "./coming.ts";
import { gatesWithoutVerdict } from "./gates.ts";
import { startHeldFor, startWaitsFor } from "./held-start.ts";

/** What happens next if nobody does anything, soonest first. It is the operator that decides; this says by which rules. */
export function comingUp(bridge: BridgeView): readonly Coming[] {
  const { status, spec, seen } = bridge;
  const { phase, canary, rollout } = status;
  if (!seen) return [{ what: "An operator that watches this namespace makes the first version." }];
  if (canary === undefined && rollout?.failed)
    return [
      { what: `Nothing: revision ${rollout.failed.revision} is not tried again until the spec changes.` },
    ];
  if (phase === "Pending")
    return [
      {
        what: "When all its pods are ready the first version is stable; it has nothing to be compared with.",
      },
    ];
  const held = startHeldFor(bridge);
  const start = held === undefined ? [] : [{ what: `When ${startWaitsFor(held)}, its canary starts.` }];
  if (phase === "Promoting" || phase === "Draining")
    return [{ what: "Pods of older revisions finish their requests and end." }, ...start];
  if (phase === "Watching") return watch(status, spec.rollout);
  if (phase === "Aborting")
    return [{ what: "The stable version takes all of the traffic; then the canary's pods end." }];
  if (start.length > 0) return start;
  if (canary === undefined) return [atRest(spec.rollout)];
  if (spec.rollout.paused)
    return [{ what: "Nothing while it is paused, but a canary that fails is rolled back all the same." }];
  return [
    ...forward(status, spec.rollout),
    failure(spec.rollout, status.step?.index ?? 0),
    ...gatesWithoutVerdict(bridge),
    ...lacking(status, spec.rollout),
  ];
}

/** After a promotion. */
function watch({ rollout, previous }: BridgeView["status"], plan: Rollout): readonly Coming[] {
  const before = previous ? `revision ${previous.revision}` : "the version before";
  const at = new Date(Date.parse(rollout?.phaseSince ?? "") + durationMs(plan.watchAfter)).toISOString();
  const { errors, latency } = acting(plan.analysis);
  const causes = [
    `errors are proved worse by more than ${marginText(errors.rollbackAbove, errors.rollbackIncrease)}`,
    ...(latency ? ["the same of slow requests"] : []),
  ];
  return [
    { at, what: `The watch ends (watchAfter: ${plan.watchAfter}), and pods of ${before} end.` },
    {
      what:
        plan.onFailure === "Rollback"
          ? `At any time: if ${or([...causes, "its pods fail"])}, ${before} takes the traffic back.`
          : `At any time: if ${or(causes)}, it waits for a person (onFailure: Pause); if its pods fail, ${before} takes the traffic back.`,
    },
  ];
}

function atRest(rollout: Rollout): Coming {
  if (rollout.paused)
    return { what: "The next change of the spec that reaches the pods waits until it is resumed." };
  const [first] = stepsOf(rollout);
  const step = first ? ` at step ${first.name} (${first.weight}%)` : "";
  return { what: `The next change of the spec that reaches the pods starts a canary${step}.` };
}

function forward({ step, phase }: BridgeView["status"], rollout: Rollout): readonly Coming[] {
  if (step === undefined) return [];
  const at = `step ${step.name} (${step.weight}%)`;
  if (phase === "Preparing")
    return [
      {
        what: `When its pods are ready the canary enters the Service for ${at}; after ${rollout.progressDeadline} without that it is rolled back.`,
      },
    ];
  if (phase === "Stepping") return [{ what: `When enough pods are ready, ${at} is in force.` }];
  if (phase !== "Holding") return [];
  const steps = stepsOf(rollout);
  // A step that was removed from the plan comes before the first.
  const present = steps.findIndex(({ name }) => name === step.name);
  const after = steps[present + 1];
  const then = after ? `step ${after.name} (${after.weight}%) begins` : "the canary is promoted";
  const needs = [
    step.holdUntil === undefined ? "it has served requests and its hold is over" : "the hold is over",
    ...(steps[present]?.analysis === "Required"
      ? evidenceNeeded(rollout, stepAt(rollout, present).provable)
      : []),
    ...outsideNeeded(rollout, present),
    ...(step.needsApproval ? ["a person has promoted it"] : []),
  ];
  return [
    { ...(step.holdUntil === undefined ? {} : { at: step.holdUntil }), what: `When ${and(needs)}, ${then}.` },
  ];
}

function evidenceNeeded({ analysis }: Rollout, provable: boolean): readonly string[] {
  const { errors, latency, gates } = acting(analysis);
  return [
    ...(provable
      ? [`errors are proved worse by less than ${marginText(errors.promoteBelow, errors.promoteIncrease)}`]
      : []),
    ...(latency && provable
      ? [
          `requests slower than ${latency.objective} by less than ${marginText(latency.promoteBelow, latency.promoteIncrease)}`,
        ]
      : []),
    ...(gates.length === 0
      ? []
      : [`${gates.length === 1 ? "gate" : "gates"} ${gates.map(({ name }) => name).join(", ")} passed`]),
  ];
}

/** Gates of the step whose verdict comes from outside, without those that run dry. */
const outside = (rollout: Rollout, step: number): readonly string[] =>
  (stepsOf(rollout)[step]?.gates ?? []).filter((name) =>
    rollout.gates.some((gate) => gate.name === name && !gate.dryRun),
  );

function outsideNeeded(rollout: Rollout, step: number): readonly string[] {
  const names = outside(rollout, step);
  if (names.length === 0) return [];
  return [`${names.length === 1 ? "gate" : "gates"} ${names.join(", ")} passed`];
}

function failure(rollout: Rollout, step: number): Coming {
  const { analysis, onFailure } = rollout;
  const { errors, latency, gates } = acting(analysis);
  const causes = [
    `errors are proved worse by more than ${marginText(errors.rollbackAbove, errors.rollbackIncrease)}`,
    ...(latency
      ? [`slow requests by more than ${marginText(latency.rollbackAbove, latency.rollbackIncrease)}`]
      : []),
    ...(gates.length === 0 ? [] : ["a gate is violated"]),
    ...(outside(rollout, step).length === 0 ? [] : ["a gate fails"]),
  ];
  return {
    what:
      onFailure === "Rollback"
        ? `At any time: if ${or([...causes, "its pods fail"])}, it is rolled back.`
        : `At any time: if ${or(causes)}, it holds for a person (onFailure: Pause); if its pods fail, it is rolled back.`,
  };
}

/** Without what only runs dry. */
function acting({ errors, latency, gates }: Rollout["analysis"]) {
  return {
    errors,
    latency: latency?.dryRun ? undefined : latency,
    gates: gates.filter(({ dryRun }) => !dryRun),
  };
}

/** "0.1pp", or "0.1pp and 50% of stable's own". */
function marginText(points: string, increase: string | undefined): string {
  const text = points.replace("%", "pp");
  return increase === undefined ? text : `${text} and ${increase} of stable's own`;
}

const ACTIONS = {
  Pause: "it waits for a person",
  Proceed: "the step is taken without the proof",
  Rollback: "it is rolled back",
} as const;

/** What is done about evidence that is missing, or too little. */
function lacking(status: BridgeView["status"], { analysis, steps }: Rollout): readonly Coming[] {
  const { step, phase, rollout } = status;
  if (phase !== "Holding" || step === undefined) return [];
  const parsed = (time: string | undefined) => (time === undefined ? undefined : Date.parse(time));
  const holdMs = parsed(step.holdUntil);
  const missingMs = parsed(rollout?.noDataSince);
  const iso = (ms: number) => new Date(ms).toISOString();
  if (missingMs !== undefined) {
    const { after, action } = analysis.noData;
    const unservedMs = (parsed(rollout?.holdingSince) ?? 0) + durationMs(steps[step.index]?.hold ?? "0s");
    const at = iso(Math.max(missingMs + durationMs(after), holdMs ?? unservedMs));
    const what = `If there is nothing to judge by until then, ${ACTIONS[action]} (noData.action: ${action}).`;
    return [{ at, what }];
  }
  if (holdMs === undefined) return [];
  const { after, action } = analysis.inconclusive;
  const what = `If nothing is proved by then, ${ACTIONS[action]} (inconclusive.action: ${action}).`;
  return [{ at: iso(holdMs + durationMs(after)), what }];
}

const and = (parts: readonly string[]) => joined(parts, "and");
const or = (parts: readonly string[]) => joined(parts, "or");

function joined(parts: readonly string[], word: string): string {
  const last = parts.at(-1) ?? "";
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(", ")} ${word} ${last}`;
}
