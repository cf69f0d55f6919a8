import type { BridgeView } from "../bridge-view.ts";
import { spanText } from "../render/age.ts";
import { ended } from "../render/sentence.ts";
import { gatesAnswer } from "./gates.ts";
import { startHeldFor, startWaitsFor } from "./held-start.ts";

export interface Answer {
  readonly question: string;
  readonly answer: string;
}

/** Why a bridge is where it is, and what would move it. The first reason that holds is the answer. */
export function whatItWaitsFor(bridge: BridgeView, nowMs: number): Answer {
  const { status, spec, metadata } = bridge;
  const failed = status.rollout?.failed;
  if (refusal(bridge)) return { question: "Why is nothing happening?", answer: `${refusal(bridge)}` };
  if (status.phase === undefined)
    return {
      question: "Why is nothing happening?",
      answer: "The operator has not looked at this bridge yet; is it running?",
    };
  if (status.phase === "Pending")
    return {
      question: "Why is it not ready yet?",
      answer: conditionMessage(bridge, "Ready") ?? "Its first pods are starting.",
    };
  if (status.phase === "Watching")
    return { question: "Why does the version before still run?", answer: status.summary ?? "" };
  if (status.canary === undefined && failed)
    return {
      question: "Why was it rolled back?",
      answer: `Revision ${failed.revision}: ${ended(failed.message)} Change the spec, or try the same again with \`kubectl llmbridge retry ${metadata.name}\`.`,
    };
  const held = startHeldFor(bridge);
  if (held !== undefined)
    return {
      question: "Why has the change not started?",
      answer: status.summary ?? `It starts when ${startWaitsFor(held)}.`,
    };
  if (status.canary === undefined)
    return {
      question: "Why is there no canary?",
      answer: ["The stable version is what the spec asks for.", status.forecast?.message]
        .filter(Boolean)
        .join(" "),
    };
  return {
    question: "Why is it not promoted yet?",
    answer: canaryAnswer(bridge, spec.rollout.paused, nowMs),
  };
}

/** What the operator says in one sentence, and nothing else in status does. */
const TOLD_BEST: ReadonlySet<string> = new Set(["FleetFreeze", "BaselineNotReady"]);

function canaryAnswer(bridge: BridgeView, paused: boolean, nowMs: number): string {
  const { status, metadata } = bridge;
  const { canary, step, phase } = status;
  const verdicts = (status.verdicts ?? []).filter(({ dryRun }) => !dryRun);
  if (paused) return `It is paused; \`kubectl llmbridge resume ${metadata.name}\` lets it go on.`;
  if (phase === "Aborting" || phase === "Aborted") return "It is being rolled back.";
  if (phase === "Promoting" || phase === "Draining")
    return "It is promoted; the old version is finishing its requests.";
  if (canary && canary.ready < canary.replicas)
    return `${canary.ready} of ${canary.replicas} of its pods are ready${sentence(conditionMessage(bridge, "Progressing"))}`;
  if (TOLD_BEST.has(status.rollout?.heldFor ?? "") && status.summary !== undefined) return status.summary;
  const missing = missingMetrics(bridge);
  if (missing) return missing;
  const outside = gatesAnswer(bridge, nowMs);
  if (outside) return outside;
  const noData = verdicts.find(({ category }) => category === "NoData");
  if (noData) return `There is no evidence to judge by: ${noData.message}`;
  const violated = verdicts.find(({ category }) => category === "Violated" || category === "ProvedWorse");
  if (violated) return `${violated.signal} is against it: ${violated.message}`;
  const leftMs = step?.holdUntil === undefined ? 0 : Date.parse(step.holdUntil) - nowMs;
  if (step && leftMs > 0) return `The hold of step ${step.name} ends in ${spanText(leftMs)}.`;
  const undecided = verdicts.find(({ category }) => category === "Undecided");
  if (undecided) return `${undecided.signal} is not proved yet: ${undecided.message}`;
  if (step?.needsApproval)
    return `Step ${step.name} waits for a person: \`kubectl llmbridge promote ${metadata.name}\`.`;
  return status.summary ?? "Nothing is in its way; the next step begins shortly.";
}

/** What is missing of the metrics while a canary waits for them: verdicts from before say nothing of now. */
function missingMetrics(bridge: BridgeView): string | undefined {
  const { heldFor = "" } = bridge.status.rollout ?? {};
  const metrics = bridge.status.conditions?.find(({ type }) => type === "MetricsAvailable");
  if (metrics?.status !== "False" || !["MetricsUnavailable", "NoDataTooLong"].includes(heldFor))
    return undefined;
  const decides = `\`kubectl llmbridge promote ${bridge.metadata.name}\` or \`abort\` decides.`;
  return `There is nothing to judge by: ${ended(metrics.message)}${heldFor === "NoDataTooLong" ? ` ${decides}` : ""}`;
}

function refusal(bridge: BridgeView): string | undefined {
  const accepted = bridge.status.conditions?.find(({ type }) => type === "Accepted");
  return accepted?.status === "False" ? `The spec is refused: ${accepted.message}` : undefined;
}

function conditionMessage(bridge: BridgeView, type: string): string | undefined {
  return bridge.status.conditions?.find((condition) => condition.type === type)?.message;
}

function sentence(text: string | undefined): string {
  return text === undefined ? "." : `: ${text}`;
}
