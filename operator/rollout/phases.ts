import type { Phase, RolloutStatus } from "../api/v1alpha1/status.ts";
import { iso } from "./clock.ts";

/**
 * The phase table. A rollout changes its phase by these transitions and by no others: a phase's move names one that starts at that phase, or the
 * program does not compile.
 *
 * The commit point of a promotion is `Proved`: from then on `stableRevision` is the new revision. Until `LetGo` the two can change places again.
 */
export const TRANSITIONS = {
  Replaced: { from: ["Pending"], to: "Pending", when: "the first version never served and the spec changed" },
  FirstReady: { from: ["Pending"], to: "Stable", when: "every pod of the first version is ready" },
  Adopted: {
    from: ["Pending"],
    to: "Stable",
    when: "the spec changed while part of the first version serves",
  },
  Started: {
    from: ["Stable", "Aborted", "Draining"],
    to: "Preparing",
    when: "the spec asks for another revision",
  },
  Prepared: {
    from: ["Preparing"],
    to: "Stepping",
    when: "the canary's first pods are ready; it enters the Service",
  },
  WeightApplied: {
    from: ["Stepping"],
    to: "Holding",
    when: "pods of both versions give the weight of the step",
  },
  StepPassed: { from: ["Holding"], to: "Stepping", when: "hold, evidence and approval are given" },
  Jumped: {
    from: ["Stepping", "Holding"],
    to: "Stepping",
    when: "a person asked for another step, or for all of the traffic at once",
  },
  Replanned: {
    from: ["Stepping", "Holding"],
    to: "Stepping",
    when: "the present step was edited or removed",
  },
  Proved: { from: ["Holding"], to: "Promoting", when: "the last step is passed; the canary becomes stable" },
  Committed: { from: ["Promoting"], to: "Watching", when: "the new version has the capacity needed" },
  LetGo: {
    from: ["Promoting", "Watching"],
    to: "Draining",
    when: "watchAfter is over or 0s, or the spec asks for another revision: the version before is given up",
  },
  Recalled: {
    from: ["Promoting", "Watching"],
    to: "Aborting",
    when: "the promoted version got worse, or a person or the spec wants the one before back",
  },
  Drained: { from: ["Draining"], to: "Stable", when: "no pod of an older revision is left" },
  Withdrawn: {
    from: ["Preparing", "Stepping", "Holding"],
    to: "Aborting",
    when: "the canary failed, or a person or the spec wants it no more",
  },
  RolledBack: {
    from: ["Aborting"],
    to: "Aborted",
    when: "a failed canary has left and its pods are told to end",
  },
  Returned: { from: ["Aborting"], to: "Stable", when: "a canary that did not fail has left" },
  Forgiven: { from: ["Aborted"], to: "Stable", when: "the spec is back at the stable revision" },
} as const satisfies Record<string, { from: readonly Phase[]; to: Phase; when: string }>;

export type Transition = keyof typeof TRANSITIONS;

/** Transitions that start at a phase. */
export type TransitionFrom<P extends Phase> = {
  [T in Transition]: P extends (typeof TRANSITIONS)[T]["from"][number] ? T : never;
}[Transition];

/** What a transition may set besides the phase. */
export type Change = Partial<Omit<RolloutStatus, "phase" | "phaseSince">>;

/** Fields that speak of the canary and live as long as it does. */
const OF_THE_CANARY = [
  "canaryRevision",
  "stepIndex",
  "stepName",
  "weight",
  "approvedStep",
  "evidenceSince",
  "sharesService",
  "copiesRefused",
  "baseline",
  "baselineLeftSince",
  "drawnSince",
  "metAt",
] as const satisfies readonly (keyof RolloutStatus)[];

/** Fields that live as long as the version before a promoted one is kept. */
const OF_THE_WATCH = [
  "previousRevision",
  "evidenceSince",
] as const satisfies readonly (keyof RolloutStatus)[];

const WATCHED: readonly Phase[] = ["Promoting", "Watching"];

/** What was last seen of the route goes on whatever the phase. */
const OF_THE_ROUTE = [
  "routedWeight",
  "routedBaseline",
  "routedSince",
] as const satisfies readonly (keyof RolloutStatus)[];
/** Phases without a canary, in which pods of the stable version may be replaced. */
const AT_REST: readonly Phase[] = ["Stable", "Watching", "Draining", "Aborted"];

const WITH_CANARY: readonly Phase[] = ["Preparing", "Stepping", "Holding", "Aborting"];

/**
 * The state after a transition. Clocks of the phase that ends are dropped; what speaks of the canary stays while there is one.
 * Throws on a transition that does not start at the present phase: that is a bug, never an event.
 */
export function take(
  state: RolloutStatus,
  transition: Transition,
  nowMs: number,
  change: Change = {},
): RolloutStatus {
  const { from, to }: { from: readonly Phase[]; to: Phase } = TRANSITIONS[transition];
  if (!from.includes(state.phase)) throw new Error(`${transition} does not start at phase ${state.phase}`);
  const { stableRevision, failed } = state;
  const next: RolloutStatus = { phase: to, phaseSince: iso(nowMs), stableRevision, failed };
  Object.assign(next, pick(state, OF_THE_ROUTE));
  if (state.restart && AT_REST.includes(to)) next.restart = state.restart;
  if (WITH_CANARY.includes(to)) Object.assign(next, pick(state, OF_THE_CANARY));
  if (WATCHED.includes(to)) Object.assign(next, pick(state, OF_THE_WATCH));
  const changed = { ...next, ...change };
  const before = transition === "Proved" ? state.stableRevision : undefined;
  return compact({ ...changed, served: servedBefore(changed, [before, ...(state.served ?? [])]) });
}

/** How many revisions that were stable are remembered. */
const REMEMBERED = 20;

/** A revision that fails is no longer known to be good. */
function servedBefore(
  { stableRevision, failed }: RolloutStatus,
  known: readonly (string | undefined)[],
): string[] | undefined {
  const others = known.filter(
    (one) => one !== undefined && one !== stableRevision && one !== failed?.revision,
  );
  const served = [...new Set(others as string[])].slice(0, REMEMBERED);
  return served.length > 0 ? served : undefined;
}

function pick<K extends keyof RolloutStatus>(
  state: RolloutStatus,
  keys: readonly K[],
): Partial<RolloutStatus> {
  return Object.fromEntries(keys.map((key) => [key, state[key]]));
}

/** Without the fields that are undefined, so that equal states are equal as JSON too. */
export function compact(state: RolloutStatus): RolloutStatus {
  const left: Partial<Record<keyof RolloutStatus, unknown>> = { ...state };
  for (const field in left) {
    const key = field as keyof RolloutStatus;
    if (left[key] === undefined) delete left[key];
  }
  return left as RolloutStatus;
}
