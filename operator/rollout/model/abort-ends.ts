import { watchedRevision } from "../watch.ts";
import { ALL, command, TICK_MS } from "./events.ts";
import { keyOf } from "./key.ts";
import { copyOf, followDeployment, pass, phaseOf, stateOf, type World } from "./world.ts";

/** Passes in which an abort is over at the latest. */
const PASSES = 12;

/**
 * (3) From here an abort ends: with pods that come up in a few passes, and with pods that never do once its patience is over.
 * @param ended in how many passes more it ends from the worlds met before
 * @returns the passes asked for
 */
export function abortEnds(world: World, ended: Map<string, number>): number {
  const state = stateOf(world);
  const leaving = state.canaryRevision ?? watchedRevision(state);
  if (leaving === undefined || state.phase === "Pending") return 0;
  return abortEndsWith(world, leaving, true, ended) + abortEndsWith(world, leaving, false, ended);
}

function abortEndsWith(
  start: World,
  canary: string,
  podsComeUp: boolean,
  ended: Map<string, number>,
): number {
  const world = copyOf(start);
  command("abort")(world);
  const way: string[] = [];
  let more = 0;
  for (let isOver = false; !isOver; ) {
    const key = `${podsComeUp}|${canary}|${keyOf(world)}`;
    const known = ended.get(key);
    if (known !== undefined) {
      more = known;
      break;
    }
    way.push(key);
    if (way.length > PASSES) throw endless(start, world);
    isOver = goesOn(world, canary, podsComeUp);
  }
  if (way.length + more > PASSES) throw endless(start, world);
  way.forEach((key, index) => {
    ended.set(key, way.length - index + more);
  });
  return way.length;
}

const endless = (start: World, world: World): Error =>
  new Error(`an abort does not end from ${JSON.stringify(start)}\nit comes to ${JSON.stringify(world)}`);

/** A pass, and what comes of it in the cluster. Whether the abort is over. */
function goesOn(world: World, canary: string, podsComeUp: boolean): boolean {
  pass(world);
  for (const revision of ALL) followDeployment(world, revision);
  world.command = undefined;
  world.acknowledged = undefined;
  const stable = world.revisions[stateOf(world).stableRevision ?? ""];
  const isOut = Object.values(world.services).every((selected) => !selected.includes(canary));
  // A gateway follows within seconds, and the canary's pods wait for it.
  if (isOut) world.nowMs += 5_000;
  const hasLeft = phaseOf(world) !== "Aborting" && stateOf(world).canaryRevision !== canary;
  if (isOut && hasLeft) return true;
  if (podsComeUp && stable && !stable.fault && stable.unready > 0) {
    stable.ready += stable.unready;
    stable.unready = 0;
    return false;
  }
  world.nowMs += TICK_MS;
  return stable?.ready === 0;
}
