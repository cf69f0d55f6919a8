import { durationMs } from "../../api/v1alpha1/scalars.ts";
import { hasBaseline } from "../baseline.ts";
import { atMs, second } from "../clock.ts";
import type { Context } from "../context.ts";
import { frozenStep } from "../fleet/holds.ts";
import { failedOutside, verdictsOutside } from "../gates/holds.ts";
import { isRemoved, needsRequests, shareText, stepAt } from "../plan.ts";
import { clause } from "../sentence.ts";
import type { Hold, HoldReason } from "../types.ts";
import { first, type Policy } from "./first.ts";
import { holdEndsMs, isInconclusive, isMissing, isMissingTooLong } from "./inconclusive.ts";
import {
  heldVerdicts,
  type Signal,
  signalVerdict,
  usableVerdicts,
  violatedGate,
  whyNotLeft,
} from "./verdicts.ts";

/**
 * "Why is it not promoted yet?" The same list decides whether a step may be left and answers the question, so the answer cannot be wrong: the first
 * policy with something to say holds.
 */
export function firstHold(context: Context): Hold | undefined {
  return (
    first(ALWAYS, context) ??
    frozenStep(context) ??
    (isReleased(context)
      ? undefined
      : (first(FAILED, context) ??
        evidenceHold(context) ??
        verdictsOutside(context, REMEDY) ??
        approval(context)))
  );
}

const hold = (reason: HoldReason, message: string): Hold => ({ reason, message });

/** A person has said to leave this step: hold, evidence and approval are theirs to waive, readiness and pauses are not. */
export const isReleased = ({ state, step }: Context): boolean => state.approvedStep === step.name;

const REMEDY = "`kubectl llmbridge promote` or `abort` decides.";

/** Evidence that is too little, or missing, for too long is acted on as the spec says. What is proved worse was held before. */
function evidenceHold(context: Context): Hold | undefined {
  const waiting = awaited(context);
  if (!waiting || waiting.reason === "HoldTime") return waiting;
  const { inconclusive, noData } = context.input.spec.analysis;
  if (isMissing(waiting)) {
    if (!isMissingTooLong(context)) return waiting;
    if (noData.action === "Proceed") return undefined;
    return hold("NoDataTooLong", `${waiting.message} This has lasted ${noData.after}; ${REMEDY}`);
  }
  if (!isInconclusive(context)) return waiting;
  if (inconclusive.action === "Proceed") return undefined;
  return hold(
    "Inconclusive",
    `${waiting.message} This has lasted ${inconclusive.after} beyond the hold; ${REMEDY}`,
  );
}

/** What of its evidence a step waits for, however long already. */
export const awaited: Policy<Hold> = (context) => first(evidenceFor(context), context);

/** Whether there is nothing to judge by at present. */
export const isWithoutData = (context: Context): boolean => isMissing(awaited(context));

const accepted: Policy<Hold> = ({ input }) =>
  input.accepted
    ? undefined
    : hold("NotAccepted", "The spec is refused; the rollout stays where it is until the spec is corrected.");

const paused: Policy<Hold> = ({ input }) =>
  input.spec.paused
    ? hold("Paused", "It is paused (spec.rollout.paused); `kubectl llmbridge resume` lets it go on.")
    : undefined;

const alert: Policy<Hold> = ({ input: { alerts } }) =>
  alerts.hold && hold("AlertHold", `Alert ${alerts.hold.name} asks to hold: ${alerts.hold.message}`);

const needed: Policy<Hold> = ({ needed }) =>
  needed > 0
    ? undefined
    : hold("NoPodsNeeded", "No pods are asked for, so nothing can be judged; scale the bridge up to go on.");

const ready: Policy<Hold> = ({ canary, target, step }) => {
  if (canary.ready >= target.canary) return undefined;
  const because = canary.faults[0] ? `: ${canary.faults[0].message}` : "";
  return hold("PodsNotReady", `Pods of the canary that step ${step.name} needs are not ready${because}.`);
};

const route: Policy<Hold> = (context) => context.router.whyNotOn(context);

/** What a person cannot waive. */
const ALWAYS: readonly Policy<Hold>[] = [accepted, paused, alert, needed, ready, route];

const provedWorse =
  (signal: Signal): Policy<Hold> =>
  (context) => {
    const verdict = signalVerdict(context, signal, heldVerdicts(context));
    if (verdict?.category !== "ProvedWorse") return undefined;
    return hold(
      "ProvedWorse",
      `The canary is proved worse (${clause(verdict.message)}); ${whyNotLeft(context)}.`,
    );
  };

const violated: Policy<Hold> = (context) => {
  const gate = violatedGate(context, heldVerdicts(context));
  return (
    gate &&
    hold("GateViolated", `Gate ${gate.name} is violated (${clause(gate.message)}); ${whyNotLeft(context)}.`)
  );
};

/** Only seen under `onFailure: Pause`, or while metrics are missing; otherwise the canary has left by now. */
const FAILED: readonly Policy<Hold>[] = [
  provedWorse("errors"),
  provedWorse("latency"),
  violated,
  failedOutside,
];

const served: Policy<Hold> = ({ state, step, canary }) => {
  if (state.servedSince !== undefined || !needsRequests(step)) return undefined;
  const at = `step ${step.name} (${shareText(step)})`;
  return canary.servedRequests === true
    ? hold("WeightNotApplied", `The requests that the canary serves do not show ${at} yet.`)
    : hold("NoRequests", `The canary has not served a request at ${at} yet.`);
};

const holdTime: Policy<Hold> = (context) => {
  const end = holdEndsMs(context);
  if (end === undefined || context.clockMs >= end) return undefined;
  return hold("HoldTime", `The hold ends at ${second(end)}.`);
};

const available: Policy<Hold> = ({ input: { metrics } }) =>
  metrics.available ? undefined : hold("MetricsUnavailable", `Metrics are missing: ${metrics.message}`);

/**
 * Why the canary cannot be compared with its baseline, if it is to be: a baseline that has not as many ready pods as are `wanted` now. A person who
 * released the step waives it, as they waive evidence.
 */
export function whyNoBaseline(context: Context, wanted: number): Hold | undefined {
  const { baseline, step, state, input } = context;
  if (!hasBaseline(state, input.spec) || step.weight === 100 || isReleased(context)) return undefined;
  if (wanted === 0)
    return hold(
      "NoRoom",
      "There is no room for a pod of the baseline beside the canary until other pods have ended.",
    );
  if (baseline.ready >= wanted) return undefined;
  const because = baseline.faults[0] ? `: ${baseline.faults[0].message}` : "";
  return hold(
    "BaselineNotReady",
    `Pods of the stable version that the canary is to be compared with (baseline SameAge) are not ready${because}.`,
  );
}

/** Of a baseline that is there one ready pod is enough: both sides are counted, whatever their sizes. */
const compared: Policy<Hold> = (context) => whyNoBaseline(context, 1);

const judged: Policy<Hold> = (context) => {
  const verdicts = usableVerdicts(context);
  if (verdicts.kind !== "Judged") return hold("NoData", `No verdict yet: ${verdicts.message}`);
  const interval = verdicts.intervalMs ?? durationMs(context.input.spec.analysis.interval);
  const { servedSince, holdingSince } = context.state;
  const served = atMs(needsRequests(context.step) ? servedSince : holdingSince);
  if (served !== undefined && verdicts.decidedAtMs >= served + interval) return undefined;
  return hold("Undecided", "No whole counting interval has passed at this weight yet.");
};

const provedBelow =
  (signal: Signal): Policy<Hold> =>
  (context) => {
    const { latency } = context.input.spec.analysis;
    if (!context.step.provable) return undefined;
    const asked = signal === "errors" || (latency !== undefined && !latency.dryRun);
    const verdict = signalVerdict(context, signal);
    if (!asked || verdict?.category === "ProvedBelow") return undefined;
    if (verdict?.category === "NoData") return hold("NoData", `No evidence yet: ${clause(verdict.message)}.`);
    const message = verdict?.message ?? "no verdict yet";
    return hold("Undecided", `Not yet proved below the promotion margin: ${signal} (${clause(message)}).`);
  };

const gates: Policy<Hold> = (context) => {
  const verdicts = usableVerdicts(context);
  const known = verdicts.kind === "Judged" ? verdicts.gates : [];
  for (const { name } of context.input.spec.analysis.gates.filter(({ dryRun }) => !dryRun)) {
    const gate = known.find((one) => one.name === name);
    if (gate?.category === "NoData")
      return hold("NoData", `No evidence for gate ${name} (${clause(gate.message)}).`);
    if (gate?.category !== "Passed")
      return hold(
        "GateUndecided",
        `Gate ${name} has not passed yet (${clause(gate?.message ?? "no verdict yet")}).`,
      );
  }
  return undefined;
};

const EVIDENCE: readonly Policy<Hold>[] = [
  available,
  compared,
  served,
  holdTime,
  judged,
  provedBelow("errors"),
  provedBelow("latency"),
  gates,
];

/** What a step is left by, besides approval. */
const evidenceFor = ({ step }: Context): readonly Policy<Hold>[] =>
  step.analysis === "Required" ? EVIDENCE : [served, holdTime];

const approval: Policy<Hold> = ({ step, input }) =>
  isRemoved(step)
    ? hold(
        "Approval",
        `Step ${step.name} was removed from the plan, and each that is left has more weight: \`kubectl llmbridge promote\` leads revision ${input.desired.revision} on to step ${stepAt(input.spec, 0).name}.`,
      )
    : step.approval
      ? hold(
          "Approval",
          `Step ${step.name} waits for approval: \`kubectl llmbridge promote\` releases revision ${input.desired.revision}.`,
        )
      : undefined;
