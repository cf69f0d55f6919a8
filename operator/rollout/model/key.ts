import type { GateStatus, RolloutStatus } from "../../api/v1alpha1/status.ts";
import type { World } from "./world.ts";

/**
 * What a world is known by in an exploration: two worlds with the same key behave the same from here on, so that one of them is enough.
 *
 * Each field of a world and of the stored state has its line, or this file does not compile. Times are told by their age, and what is left out says why.
 */

/** Ages beyond the longest wait, a hold and `inconclusive.after` behind it, are all the same. */
export const OLDEST_MS = 18 * 60_000;

type Lines<T, Around> = { readonly [F in keyof Required<T>]: (value: T[F], around: Around) => unknown };

interface Moment {
  readonly state: RolloutStatus;
  readonly world: World;
}

const asItIs = (value: unknown): unknown => value;
const leftOut = (): undefined => undefined;

const parsed = new Map<string, number>();
function msOf(time: string): number {
  const known = parsed.get(time);
  if (known !== undefined) return known;
  const ms = Date.parse(time);
  parsed.set(time, ms);
  return ms;
}

const capped = (ms: number): number => Math.min(OLDEST_MS, ms);
const age = (time: string | undefined, { world }: Moment): number | undefined =>
  time === undefined ? undefined : capped(world.nowMs - msOf(time));

/** Of a clock that stands still in a pause: what it has counted. One that was started in the pause begins with its end. */
function counted(time: string | undefined, { world, state }: Moment): number | undefined {
  if (time === undefined) return undefined;
  const atMs = state.pausedSince === undefined ? world.nowMs : msOf(state.pausedSince);
  return capped(Math.max(0, atMs - msOf(time)));
}

const isSet = (value: unknown): boolean => value !== undefined;

const texts = new WeakMap<object, string>();
/** Of values that are never changed in place. */
function textOf(value: object | undefined): string | undefined {
  if (value === undefined) return undefined;
  const text = texts.get(value) ?? JSON.stringify(value);
  texts.set(value, text);
  return text;
}

/** What is asked outside, with its answer, which is one to this question alone. */
const gateText = ({ name, state, since, clock, digest }: GateStatus, moment: Moment): string => {
  const answer = moment.world.gates?.find((one) => one.name === name && one.since === since);
  return [name, digest, state, state === "Asked" ? counted(clock ?? since, moment) : "", answer?.kind].join(
    ".",
  );
};

/** Phases that are left when they have lasted for some time. */
function phaseAge(time: string, moment: Moment): number | undefined {
  const { phase, holdingSince, servedSince } = moment.state;
  const counts = phase === "Holding" && holdingSince === undefined && servedSince === undefined;
  return counts || phase === "Watching" || phase === "Promoting" ? age(time, moment) : undefined;
}

const STATE: Lines<RolloutStatus, Moment> = {
  phase: asItIs,
  phaseSince: phaseAge,
  /** The step is found by its name. */
  stepIndex: leftOut,
  stepName: asItIs,
  weight: asItIs,
  stepWeight: asItIs,
  holdingSince: counted,
  servedSince: counted,
  approvedStep: asItIs,
  gates: (gates, moment) => gates?.map((gate) => gateText(gate, moment)).join("/"),
  pausedSince: isSet,
  waitingSince: counted,
  stableWaitingSince: counted,
  noDataSince: counted,
  /** An alert that began before it says nothing against the canary. */
  evidenceSince: (time, { world }) => {
    const { sinceMs } = world.alerts.rollback ?? {};
    return time === undefined ? "" : sinceMs !== undefined && sinceMs < msOf(time) ? "after" : "set";
  },
  sharesService: asItIs,
  baseline: asItIs,
  queued: (queued) => queued && [queued.revision, queued.released].join("."),
  /** It is only told. */
  timing: leftOut,
  routedWeight: asItIs,
  routedBaseline: asItIs,
  routedSince: age,
  drawnSince: age,
  metAt: isSet,
  copiesRefused: asItIs,
  stableGaveUp: asItIs,
  leftSince: age,
  baselineLeftSince: age,
  /** It is only told. */
  heldFor: leftOut,
  stableRevision: asItIs,
  canaryRevision: asItIs,
  previousRevision: asItIs,
  served: (revisions) => revisions?.join("."),
  restart: (restart, moment) =>
    restart && [age(restart.before, moment), restart.left, age(restart.since, moment)].join("."),
  failed: (failed) => failed?.revision,
};

type Pods = World["revisions"][string];

const PODS: Lines<Pods, World> = {
  wanted: asItIs,
  ready: asItIs,
  unready: asItIs,
  terminating: asItIs,
  old: asItIs,
  fault: (fault, { nowMs }) => fault && [fault.reason, Math.max(0, fault.decisiveAtMs - nowMs)].join(),
};

const WORLD: Lines<World, World> = {
  /** Times count by their age. */
  nowMs: leftOut,
  spec: textOf,
  desired: asItIs,
  fleet: textOf,
  accepted: asItIs,
  needed: asItIs,
  maxPods: asItIs,
  state: leftOut,
  revisions: leftOut,
  services: ({ main, stable, canary, baseline }) => [main, stable, canary, baseline].join("/"),
  route: ({ written, accepted, followed }) => [written, accepted, followed].join("."),
  beside: ({ written, accepted, followed }) => [written, accepted, followed].join("."),
  mirrored: asItIs,
  mayMirror: asItIs,
  noBaseline: asItIs,
  refusal: asItIs,
  slowGateway: asItIs,
  traffic: asItIs,
  verdicts: textOf,
  metrics: textOf,
  /** An answer is told beside its question; one to another question is not heard, unless it was asked now and is asked again at once. */
  gates: (gates, { nowMs }) =>
    gates
      ?.filter(({ since }) => msOf(since) === nowMs)
      .map(({ name, kind }) => `${name}.${kind}`)
      .join("/"),
  alerts: ({ hold, rollback }) => [hold?.name, rollback?.name].join("."),
  command: textOf,
  acknowledged: asItIs,
  evictable: asItIs,
  slowDrain: asItIs,
  madeMs: textOf,
  slowDeployments: asItIs,
  gaveUp: asItIs,
};

const linesOf = <T, Around>(lines: Lines<T, Around>) =>
  Object.entries(lines) as [keyof T, (value: unknown, around: Around) => unknown][];
const [OF_WORLD, OF_STATE, OF_PODS] = [linesOf(WORLD), linesOf(STATE), linesOf(PODS)];

export function keyOf(world: World): string {
  const parts: unknown[] = [];
  for (const [field, line] of OF_WORLD) parts.push(line(world[field], world));
  const { state } = world;
  if (state && "phase" in state) {
    const moment = { state, world };
    for (const [field, line] of OF_STATE) parts.push(line(state[field], moment));
  } else parts.push(textOf(state));
  for (const revision of Object.keys(world.revisions).sort()) {
    const pods = world.revisions[revision];
    if (pods === undefined) continue;
    parts.push(revision);
    for (const [field, line] of OF_PODS) parts.push(line(pods[field], world));
  }
  return parts.join();
}
