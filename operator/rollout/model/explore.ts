import type { Phase } from "../../api/v1alpha1/status.ts";
import { watchedRevision } from "../watch.ts";
import { ALL, BELOW, command, EVENTS, type Event, gateSays, gateway, TICK_MS } from "./events.ts";
import { checkPass } from "./invariants.ts";
import { copyOf, followDeployment, pass, phaseOf, stateOf, type World } from "./world.ts";

/**
 * Every interleaving of what people, pods, metrics and time can do to a small world, breadth first, each world once. Each engine pass is held against
 * the invariants, and from every world an abort must end.
 */

/** Ages beyond the longest wait are all the same. */
const OLDEST = 3;

export interface Exploration {
  worlds: number;
  passes: number;
  /** Events from the nearest start. */
  depth: number;
  phases: Partial<Record<Phase, number>>;
  /** Nothing new is left to find; false where the bound cut the search. */
  closed: boolean;
}

/** Events after which the engine is not asked at once, so that several can meet one pass. */
const QUIET = /^(ready|unready|crash|deployment)/;

function age(world: World, time: string | undefined): string {
  if (time === undefined) return "-";
  return String(Math.min(OLDEST, Math.floor((world.nowMs - Date.parse(time)) / TICK_MS)));
}

/** Two worlds with the same key behave the same from here on. */
function keyOf(world: World): string {
  const s = stateOf(world);
  const stored = [
    ...[s.servedSince, s.holdingSince, s.waitingSince, s.stableWaitingSince, s.pausedSince],
    ...[s.routedSince, s.leftSince, s.baselineLeftSince],
  ];
  const clocks = stored.map((time) => age(world, time));
  const state = [
    s.phase,
    s.stableRevision,
    s.canaryRevision,
    s.previousRevision,
    s.stepName,
    s.weight,
    s.stepWeight,
    s.approvedStep,
    s.copiesRefused,
    s.sharesService,
    s.served,
    s.evidenceSince === undefined,
    s.baseline,
    s.failed?.revision,
    s.stableGaveUp,
    world.gaveUp,
    (s.phase === "Holding" && s.servedSince === undefined && s.holdingSince === undefined) ||
    s.phase === "Watching"
      ? age(world, s.phaseSince)
      : "",
  ];
  const pods = ALL.map((revision) => {
    const one = world.revisions[revision];
    return one ? `${one.wanted}.${one.ready}.${one.unready}${one.fault ? "!" : ""}` : "";
  });
  const gates = s.gates?.map(({ name, state, since, clock }) => {
    const answer = world.gates?.find((one) => one.name === name && one.since === since);
    return [name, state, age(world, clock ?? since), answer?.kind].join(".");
  });
  const verdicts = world.verdicts.kind === "Judged" ? world.verdicts.errors.category : "none";
  return [
    ...state,
    ...clocks,
    ...pods,
    world.desired,
    world.needed,
    world.spec.strategy,
    world.spec.traffic.router,
    world.spec.steps.length,
    world.fleet !== undefined,
    world.spec.paused,
    verdicts,
    gates?.join("/"),
    world.metrics.available,
    s.routedWeight,
    s.routedBaseline,
    Object.values(world.route),
    Object.values(world.beside),
    world.refusal,
    Object.values(world.services).join("/"),
  ].join();
}

/** Two passes with the same question have the same answer: finer than a world's key, since it is asked what an edit or a command comes to. */
const questionOf = (world: World): string =>
  [keyOf(world), world.verdicts.kind, JSON.stringify(world.command), textOf(world.spec)].join();

const texts = new WeakMap<World["spec"], string>();
function textOf(spec: World["spec"]): string {
  const text = texts.get(spec) ?? JSON.stringify(spec);
  texts.set(spec, text);
  return text;
}

/**
 * Breadth first from several worlds at once, so that what lies around every stage of a rollout is seen before the bound cuts the search.
 * @param more events besides those that can meet every world
 */
export function explore(
  starts: readonly World[],
  bound: number,
  more: Readonly<Record<string, Event>> = {},
): Exploration {
  const events = Object.entries({ ...EVENTS, ...more });
  const seen = new Set<string>();
  const asked = new Set<string>();
  const result: Exploration = { worlds: 0, passes: 0, depth: 0, closed: true, phases: {} };
  let frontier: World[] = [];
  const visit = (world: World, into: World[]) => {
    const key = keyOf(world);
    if (seen.has(key)) return;
    if (seen.size >= bound) {
      result.closed = false;
      return;
    }
    seen.add(key);
    into.push(world);
    const { phase } = stateOf(world);
    result.phases[phase] = (result.phases[phase] ?? 0) + 1;
    result.passes += abortEnds(world);
  };
  for (const start of starts) visit(start, frontier);
  while (frontier.length > 0) {
    const next: World[] = [];
    result.depth += 1;
    for (const world of frontier) {
      for (const [name, event] of events) {
        const after = copyOf(world);
        if (!event(after)) continue;
        if (!QUIET.test(name)) {
          const question = questionOf(after);
          if (asked.has(question)) continue;
          asked.add(question);
          result.passes += checkedPass(after);
        }
        visit(after, next);
      }
    }
    frontier = next;
  }
  result.worlds = seen.size;
  return result;
}

function checkedPass(world: World): number {
  const before = copyOf(world);
  checkPass(before, world, pass(world));
  world.command = undefined;
  world.acknowledged = undefined;
  return 1;
}

/** The worlds that a promotion goes through, one after each pass and event, as starting points. */
export function stagesOfPromotion(start: World): World[] {
  const stages = [start];
  const world = copyOf(start);
  world.desired = "b";
  for (let round = 0; round < 60 && !isPromoted(world); round += 1) {
    const held = copyOf(world);
    checkedPass(world);
    stages.push(copyOf(world), ...storedCommit(held, world));
    for (const revision of ALL) followDeployment(world, revision);
    gateway(world);
    for (const pods of Object.values(world.revisions)) {
      pods.ready += pods.unready;
      pods.unready = 0;
    }
    // A gateway takes up what is written within seconds.
    if (phaseOf(world) === "Promoting" || stateOf(world).baselineLeftSince !== undefined)
      world.nowMs += 5_000;
    if (phaseOf(world) === "Holding" || phaseOf(world) === "Watching") {
      world.verdicts = BELOW;
      gateSays("Passed")(world);
      world.nowMs += TICK_MS;
    }
  }
  if (!isPromoted(world)) throw new Error(`never promoted: ${JSON.stringify(world)}`);
  return stages;
}

/** What is between the two where the commit was stored by itself, as operators before this one did wherever pods were all there. */
function storedCommit(held: World, world: World): World[] {
  const { phase, stableRevision } = stateOf(world);
  const commits =
    held.state && phaseOf(held) === "Holding" && stableRevision === stateOf(held).canaryRevision;
  if (!commits || phase === "Promoting") return [];
  const committed = copyOf(world);
  Object.assign(stateOf(committed), { phase: "Promoting", previousRevision: stateOf(held).stableRevision });
  return [committed];
}

const isPromoted = (world: World): boolean =>
  stateOf(world).stableRevision === "b" && phaseOf(world) === "Stable";

/** (3) From here an abort ends: with pods that come up in a few passes, and with pods that never do once its patience is over. */
function abortEnds(world: World): number {
  const state = stateOf(world);
  const leaving = state.canaryRevision ?? watchedRevision(state);
  if (leaving === undefined || state.phase === "Pending") return 0;
  return abortEndsWith(world, leaving, true) + abortEndsWith(world, leaving, false);
}

const PASSES = 12;

function abortEndsWith(start: World, canary: string, podsComeUp: boolean): number {
  const world = copyOf(start);
  command("abort")(world);
  for (let passes = 1; passes <= PASSES; passes += 1) {
    pass(world);
    for (const revision of ALL) followDeployment(world, revision);
    world.command = undefined;
    const stable = world.revisions[stateOf(world).stableRevision ?? ""];
    const isOut = Object.values(world.services).every((selected) => !selected.includes(canary));
    // A gateway follows within seconds, and the canary's pods wait for it.
    if (isOut) world.nowMs += 5_000;
    const isOver = phaseOf(world) !== "Aborting" && stateOf(world).canaryRevision !== canary;
    if (isOut && isOver) return passes;
    if (podsComeUp && stable && !stable.fault && stable.unready > 0) {
      stable.ready += stable.unready;
      stable.unready = 0;
    } else {
      world.nowMs += TICK_MS;
      if (stable?.ready === 0) return passes;
    }
  }
  throw new Error(
    `an abort does not end from ${JSON.stringify(start)}\nit comes to ${JSON.stringify(world)}`,
  );
}
