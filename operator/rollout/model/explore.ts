import type { Phase } from "../../api/v1alpha1/status.ts";
import type { RolloutOutcome } from "../types.ts";
import { abortEnds } from "./abort-ends.ts";
import { EVENTS, type Event } from "./events.ts";
import { checkPass } from "./invariants.ts";
import { keyOf } from "./key.ts";
import { copyOf, pass, stateOf, type World } from "./world.ts";

/**
 * Every interleaving of what people, pods, metrics and time can do to a small world, breadth first, each world once. Each engine pass is held against
 * the invariants, and from every world an abort must end.
 */

export interface Exploration {
  worlds: number;
  passes: number;
  /** Events from the nearest start. */
  depth: number;
  phases: Partial<Record<Phase, number>>;
  /** Events that could meet some world. */
  met: Set<string>;
  /** What was decided, as "Rollback Alert". */
  decided: Set<string>;
  /** Nothing new is left to find; false where the bound cut the search. */
  closed: boolean;
}

export interface Search {
  /** Most worlds that are looked at; Infinity: all there are. */
  readonly bound: number;
  /** What can meet every world; without it, all of `EVENTS`. */
  readonly events?: Readonly<Record<string, Event>>;
  /** Told of a world that was not followed, since one with the same key was before. */
  readonly onSame?: (world: World, first: World) => void;
}

/** Events after which the engine is not asked at once, so that several can meet one pass. */
export const QUIET = /^(ready|unready|crash|deployment|gone|evicted)/;

/** Breadth first from several worlds at once, so that what lies around every stage of a rollout is seen before the bound cuts the search. */
export function explore(starts: readonly World[], search: Search): Exploration {
  const { bound, onSame } = search;
  const events = Object.entries(search.events ?? EVENTS);
  const seen = new Map<string, World | undefined>();
  const asked = new Set<string>();
  const ended = new Map<string, number>();
  const result: Exploration = {
    worlds: 0,
    passes: 0,
    depth: 0,
    closed: true,
    phases: {},
    met: new Set(),
    decided: new Set(),
  };
  let frontier: World[] = [];
  const visit = (world: World, into: World[]) => {
    const key = keyOf(world);
    if (seen.has(key)) {
      const first = seen.get(key);
      if (first) onSame?.(world, first);
      return;
    }
    if (seen.size >= bound) {
      result.closed = false;
      return;
    }
    seen.set(key, onSame && world);
    into.push(world);
    const { phase } = stateOf(world);
    result.phases[phase] = (result.phases[phase] ?? 0) + 1;
    result.passes += abortEnds(world, ended);
  };
  for (const start of starts) visit(start, frontier);
  while (frontier.length > 0) {
    const next: World[] = [];
    for (const world of frontier) {
      for (const [name, event] of events) {
        const after = copyOf(world);
        if (!event(after)) continue;
        result.met.add(name);
        if (!QUIET.test(name)) {
          const question = keyOf(after);
          if (asked.has(question)) continue;
          asked.add(question);
          for (const { action, reason } of checkedPass(after).decisions)
            result.decided.add(`${action} ${reason}`);
          result.passes += 1;
        }
        visit(after, next);
      }
    }
    if (next.length > 0) result.depth += 1;
    frontier = next;
  }
  result.worlds = seen.size;
  return result;
}

/** One pass of the engine, held against its promises. A command is obeyed by it, or never. */
export function checkedPass(world: World): RolloutOutcome {
  const before = copyOf(world);
  const outcome = pass(world);
  checkPass(before, world, outcome);
  world.command = undefined;
  world.acknowledged = undefined;
  return outcome;
}
