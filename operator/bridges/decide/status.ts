import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import type { LLMBridgeStatus, Phase } from "../../api/v1alpha1/status.ts";
import { serialiseCheckpoint } from "../../evidence/checkpoint.ts";
import type { GateVerdict } from "../../evidence/gates.ts";
import type { EvidenceState } from "../../evidence/state.ts";
import type { WatchState } from "../../evidence/watch.ts";
import { serialiseWatch } from "../../evidence/watch-checkpoint.ts";
import type { RevisionFacts, RolloutOutcome } from "../../rollout/types.ts";
import type { PoolPlan } from "../../tuning/pools.ts";
import type { TuningResult } from "../../tuning/tune.ts";
import { nextConditions } from "../conditions.ts";
import { selectorLabels } from "../names.ts";
import type { Snapshot } from "../snapshot.ts";
import { isComplete, type TakeOverView } from "../take-over/view.ts";
import type { Acceptance } from "./acceptance.ts";
import type { Bounds } from "./bounds.ts";
import { type ConditionsInput, conditions } from "./conditions.ts";
import type { Evidence } from "./evidence.ts";
import { forecast } from "./forecast.ts";
import type { Scale } from "./scale.ts";
import type { SecretsLook } from "./secrets.ts";
import { verdictStatuses } from "./verdicts.ts";
import type { Versions } from "./versions.ts";
import { type Watch, watchStatuses } from "./watch.ts";

export interface StatusInput {
  readonly snapshot: Snapshot;
  readonly spec: LLMBridgeSpec | undefined;
  readonly acceptance: Acceptance;
  readonly bounds: Bounds | undefined;
  readonly tuning: TuningResult | undefined;
  readonly outcome: RolloutOutcome;
  readonly facts: Readonly<Record<string, RevisionFacts>>;
  /** Undefined where no route is asked for, or nothing new is known of it. */
  readonly route: ConditionsInput["route"];
  readonly metrics: ConditionsInput["metrics"];
  readonly takeOver: TakeOverView | undefined;
  /** Revision that the spec asks for; undefined while it is refused. */
  readonly revision: string | undefined;
  readonly versions: Versions;
  readonly evidence: Evidence;
  /** Evidence to checkpoint, about the canary of the outcome. */
  readonly evidenceState: EvidenceState | undefined;
  /** What was watched of a promoted version up to now, and what to checkpoint of it. */
  readonly watch: Watch | undefined;
  readonly watched: WatchState | undefined;
  readonly gates: readonly GateVerdict[];
  readonly scale: Scale;
  readonly secrets: SecretsLook;
}

/** How many decisions status keeps. */
export const KEPT_DECISIONS = 10;

const MOST_SECRETS = 32;

const isoTime = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");

/** The whole status after this pass. What this pass could not know stays as it was. */
export function status(input: StatusInput): LLMBridgeStatus {
  const { snapshot, outcome, facts, versions, scale } = input;
  const before = snapshot.status;
  const state = outcome.state ?? before.rollout;
  const phase: Phase = state?.phase ?? "Pending";
  const stableRevision = state?.stableRevision;
  const stable = stableRevision === undefined ? undefined : facts[stableRevision];
  const canary = state?.canaryRevision;
  const states = conditions({
    snapshot,
    spec: input.spec,
    acceptance: input.acceptance,
    outcome,
    route: input.route,
    metrics: input.metrics,
    takeOver: input.takeOver,
    phase,
    stable,
    stableRevision,
  });
  const decisions = [
    ...[...outcome.decisions, ...scale.decisions, ...input.secrets.decisions].reverse(),
    ...before.decisions,
  ];
  return {
    observedGeneration: snapshot.generation,
    ...(input.revision === undefined ? {} : { revision: input.revision }),
    phase,
    summary: outcome.summary.slice(0, 300),
    conditions: nextConditions(before.conditions, states, snapshot.generation, snapshot.nowMs),
    replicas: stable?.pods ?? 0,
    selector: selectorText(snapshot.bridge.name, stableRevision ?? canary ?? "none"),
    ...versions,
    ...(outcome.step ? { step: stepStatus(outcome.step) } : {}),
    ...(state ? { rollout: state } : {}),
    ...takeOverStatus(input.takeOver, state),
    ...lastRollout(outcome.ended, before),
    ...analysisStatus(input.spec),
    ...withForecast(forecast(snapshot, input.spec)),
    verdicts: input.watch ? watchStatuses(input.watch) : verdictStatuses(input.evidence, input.gates),
    ...(input.evidenceState && canary !== undefined
      ? { evidence: checkpoint(input.evidenceState, canary, serialiseCheckpoint(input.evidenceState)) }
      : {}),
    ...(input.watched && stableRevision !== undefined
      ? { evidence: checkpoint(input.watched, stableRevision, serialiseWatch(input.watched)) }
      : {}),
    ...(scale.workersStatus
      ? { workers: scale.workersStatus }
      : before.workers
        ? { workers: before.workers }
        : {}),
    ...(scale.scalingStatus
      ? { scaling: scale.scalingStatus }
      : before.scaling
        ? { scaling: before.scaling }
        : {}),
    ...tuningStatus(input),
    budgets: budgets(input.bounds),
    secrets: input.secrets.statuses.slice(0, MOST_SECRETS),
    alerts: [...scale.alertStatuses],
    decisions: decisions.slice(0, KEPT_DECISIONS),
    ...(outcome.commandResult
      ? { command: outcome.commandResult }
      : before.command
        ? { command: before.command }
        : {}),
  };
}

/** Gone once it is let go of, and not there before it begins. */
function takeOverStatus(
  view: TakeOverView | undefined,
  state: RolloutOutcome["state"],
): Pick<LLMBridgeStatus, "takeOver"> {
  if (!view || view.stage === "Refused" || view.stage === "Released") return {};
  const { names, replicasBefore } = view;
  const complete = isComplete(view, state) ? { complete: true } : {};
  return { takeOver: { ...names, services: [...names.services], replicas: replicasBefore, ...complete } };
}

const MOST_ANALYSIS = 4096;

function analysisStatus(spec: LLMBridgeSpec | undefined): Pick<LLMBridgeStatus, "analysis"> {
  const { from, ...values } = spec?.rollout.analysis ?? {};
  if (from === undefined) return {};
  const text = JSON.stringify(values);
  return { analysis: { from, ...(text.length > MOST_ANALYSIS ? {} : { values: text }) } };
}

const withForecast = (known: LLMBridgeStatus["forecast"]) => (known ? { forecast: known } : {});

function lastRollout(
  ended: RolloutOutcome["ended"],
  before: LLMBridgeStatus,
): Pick<LLMBridgeStatus, "lastRollout"> {
  if (!ended) return before.lastRollout ? { lastRollout: before.lastRollout } : {};
  const { revision, outcome, startedMs, endedMs, progressMs, waitingMs } = ended;
  const seconds = (ms: number) => Math.round(ms / 1000);
  return {
    lastRollout: {
      ...{ revision, outcome, startedAt: isoTime(startedMs), endedAt: isoTime(endedMs) },
      ...{ progressSeconds: seconds(progressMs), waitingSeconds: seconds(waitingMs) },
    },
  };
}

function selectorText(bridge: string, revision: string): string {
  return Object.entries(selectorLabels(bridge, revision))
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}

function stepStatus(step: NonNullable<RolloutOutcome["step"]>): NonNullable<LLMBridgeStatus["step"]> {
  const { name, index, count, weight, holdUntilMs, needsApproval } = step;
  return {
    name,
    index,
    count,
    weight,
    ...(holdUntilMs === undefined ? {} : { holdUntil: isoTime(holdUntilMs) }),
    ...(needsApproval ? { needsApproval } : {}),
  };
}

function checkpoint(
  { intervalEndMs }: { readonly intervalEndMs: number },
  revision: string,
  state: string,
): NonNullable<LLMBridgeStatus["evidence"]> {
  return { revision, intervalEnd: isoTime(intervalEndMs), state };
}

function tuningStatus({ tuning, snapshot, acceptance }: StatusInput): Pick<LLMBridgeStatus, "tuning"> {
  if (!tuning || !acceptance.accepted)
    return snapshot.status.tuning ? { tuning: snapshot.status.tuning } : {};
  const { nodeOptions, heapMiB, semiSpaceMiB, threadpoolSize, rationale } = tuning;
  return {
    tuning: {
      nodeOptions,
      heapMiB,
      semiSpaceMiB,
      threadpoolSize,
      rationale: rationale.slice(0, 12).map((line) => line.slice(0, 300)),
    },
  };
}

function budgets(bounds: Bounds | undefined): LLMBridgeStatus["budgets"] {
  const of = (pool: string, plan: PoolPlan | undefined) =>
    plan
      ? [
          {
            pool,
            perPod: plan.perPod,
            planned: plan.planned,
            allowed: plan.allowed,
            message: plan.message.slice(0, 300),
          },
        ]
      : [];
  return [...of("postgres", bounds?.postgres), ...of("redis", bounds?.redis)];
}
