import { durationMs } from "../../api/v1alpha1/scalars.ts";
import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import { clockMs } from "../clock.ts";
import { contextOf, isFrozen } from "../look.ts";
import { stepsOf } from "../plan.ts";
import type { RolloutOutcome } from "../types.ts";
import { inputOf, phaseOf, stateOf, type World } from "./world.ts";

/** Promises about who may lead a rollout on, and about the numbers that a pass writes; each returns what is broken. */

export type Promise = (before: World, after: World, outcome: RolloutOutcome) => string | undefined;

const known = ({ state }: World): RolloutStatus | undefined =>
  state && "phase" in state ? state : undefined;

/** Nothing begins and no weight is raised while the spec is refused, paused, or an alert holds. */
const frozenStaysWhereItIs: Promise = (before, after, outcome) => {
  const state = known(before);
  if (!state || !isFrozen(inputOf(before))) return undefined;
  if (outcome.decisions.some(({ action }) => action === "Start")) return "a canary starts while it is frozen";
  const { canaryRevision, weight = 0 } = stateOf(after);
  const grows = canaryRevision === state.canaryRevision && weight > (state.weight ?? 0);
  // A person's way down from a weight in force passes one above none.
  return grows && before.command === undefined && phaseOf(after) !== "Aborting"
    ? "a weight is raised while it is frozen"
    : undefined;
};

/** Whoever the fleet lets wait does not start. */
const fleetIsAsked: Promise = (before, _, outcome) => {
  const { freeze, order, limit } = before.fleet ?? {};
  const starts = outcome.decisions.some(({ action }) => action === "Start");
  if (!starts) return undefined;
  if (order !== undefined || limit !== undefined) return "a canary starts before its turn";
  const isReleased = known(before)?.queued?.released || before.command?.action === "promote";
  return freeze !== undefined && !isReleased
    ? "a canary starts in a freeze that nobody released it from"
    : undefined;
};

const FORWARD = ["Preparing", "Stepping", "Holding"];

/** An alert that began after the canary's first request takes it back in the pass that sees it. */
const alertTakesBack: Promise = (before, after) => {
  const { rollback } = before.alerts;
  const { phase = "", evidenceSince } = known(before) ?? {};
  if (!rollback || evidenceSince === undefined || !FORWARD.includes(phase)) return undefined;
  const counts = rollback.sinceMs === undefined || rollback.sinceMs >= Date.parse(evidenceSince);
  const { canaryRevision, phase: now } = stateOf(after);
  const goesOn = canaryRevision === known(before)?.canaryRevision && FORWARD.includes(now);
  return counts && goesOn && before.command === undefined ? "an alert is passed over" : undefined;
};

/** Until evidence begins nothing takes a canary back for what it does, so nobody is led to it. */
const preparedIsLedToByNobody: Promise = (_, after, { routeWeight = 0, routeBaseline }) =>
  phaseOf(after) === "Preparing" && routeWeight + routeBaseline > 0
    ? "a canary has a weight before anything protects its clients"
    : undefined;

const OF_FAILURE = ["ErrorsProvedWorse", "LatencyProvedWorse", "GateViolated", "GateFailed"];

/** With `onFailure: Pause` nobody but a person takes back what is worse. */
const failureIsHeld: Promise = (before, _, { decisions }) =>
  before.spec.onFailure === "Pause" &&
  decisions.some(({ action, reason }) => action === "Rollback" && OF_FAILURE.includes(reason))
    ? "what failed was rolled back where a pause was asked for"
    : undefined;

/** (5) Missing or undecided data act only as the spec says, and not before the time that it says. */
const timeIsGiven: Promise = (before, _, { decisions }) => {
  const state = known(before);
  if (!state) return undefined;
  const { noData, inconclusive } = before.spec.analysis;
  const waited = (since: string | undefined, after: string) =>
    since !== undefined && clockMs(state, before.nowMs) - Date.parse(since) >= durationMs(after);
  for (const { action, reason } of decisions) {
    if (action !== "Rollback") continue;
    if (reason === "NoData" && (noData.action !== "Rollback" || !waited(state.noDataSince, noData.after)))
      return "missing data rolled back too early, or where that was not asked for";
    const since = state.servedSince ?? state.holdingSince;
    if (
      reason === "Inconclusive" &&
      (inconclusive.action !== "Rollback" || !waited(since, inconclusive.after))
    )
      return "undecided evidence rolled back too early, or where that was not asked for";
  }
  const passes = decisions.some(({ reason }) => reason === "StepPassed");
  const isRequired = contextOf(inputOf(before), state).step.analysis === "Required";
  if (!passes || !isRequired || state.phase !== "Holding") return undefined;
  const isProved =
    before.metrics.available &&
    before.verdicts.kind === "Judged" &&
    before.verdicts.errors.category === "ProvedBelow";
  const mayProceed =
    (noData.action === "Proceed" && waited(state.noDataSince, noData.after)) ||
    (inconclusive.action === "Proceed" && waited(state.servedSince, inconclusive.after));
  // A step that compares nothing asks for no proof.
  const asks = contextOf(inputOf(before), state).step.provable;
  return isProved || mayProceed || !asks ? undefined : "a step was passed without proof";
};

/** (6) Every number has one owner, and in each pass an answer: each Deployment of the bridge its replicas. */
const everyNumberIsSaid: Promise = (before, _, { replicas, services }) => {
  const unsaid = Object.keys(before.revisions).filter((revision) => replicas[revision] === undefined);
  if (unsaid.length > 0) return `nobody says how many pods ${unsaid.join()} has`;
  return services === undefined ? "nobody says what the Services select" : undefined;
};

/** (7) Weights lie within the plan's, 0 and 100; copies within the step's; pods are whole and none is owed. */
const numbersAreInBounds: Promise = (before, after, outcome) => {
  const { routeWeight = 0, routeBaseline, routeMirror, replicas, desiredWeights } = outcome;
  const weights = [routeWeight, routeBaseline, routeWeight + routeBaseline, routeMirror];
  if ([...weights, ...Object.values(desiredWeights)].some((one) => !(one >= 0 && one <= 100)))
    return "a weight is out of bounds";
  if (Object.values(replicas).some((one) => !(Number.isInteger(one) && one >= 0)))
    return "a number of pods is none";
  const steps = stepsOf(after.spec);
  if (routeMirror > Math.max(0, ...steps.map(({ mirror = 0 }) => mirror)))
    return "more requests are copied than a step asks for";
  const { weight = 0, canaryRevision, phase } = stateOf(after);
  const was = known(before)?.canaryRevision === canaryRevision ? (known(before)?.weight ?? 0) : 0;
  const most = Math.max(was, ...steps.map((one) => one.weight));
  return FORWARD.includes(phase) && weight > most ? "a weight is above every step's" : undefined;
};

/** (2) A restart evicts only what is ready beyond the pods needed. */
const restartSparesCapacity: Promise = (before, after, { evictions }) => {
  const pods = before.revisions[stateOf(after).stableRevision ?? ""];
  const spare = Math.min(pods?.ready ?? 0, pods?.wanted ?? 0) - before.needed;
  return (evictions?.count ?? 0) > Math.max(0, spare) ? "a restart evicts pods that are needed" : undefined;
};

export const PROMISES: readonly Promise[] = [
  frozenStaysWhereItIs,
  fleetIsAsked,
  alertTakesBack,
  preparedIsLedToByNobody,
  failureIsHeld,
  timeIsGiven,
  everyNumberIsSaid,
  numbersAreInBounds,
  restartSparesCapacity,
];
