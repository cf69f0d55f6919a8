import { ALL, BELOW, command, type Event, gateSays, gateway, TICK_MS } from "./events.ts";
import { checkedPass, QUIET } from "./explore.ts";
import { copyOf, followDeployment, phaseOf, stateOf, type World } from "./world.ts";

/** Where a search begins: at every stage of a rollout that ends well, and of one that does not. */
export const stagesOf = (start: World): World[] => {
  const stages = stagesOfPromotion(start);
  // A version that is promoted as soon as it is ready is never on its way.
  const first = stages.find((one) => ["Stepping", "Holding"].includes(phaseOf(one) ?? ""));
  return first ? [...stages, ...stagesOfRollback(first), ledOnWithoutPods(first)] : stages;
};

function clusterActs(world: World): void {
  for (const revision of ALL) followDeployment(world, revision);
  gateway(world);
  for (const pods of Object.values(world.revisions)) {
    pods.ready += pods.unready;
    pods.unready = 0;
    pods.terminating = 0;
  }
}

/** The worlds that a promotion goes through, one after each pass and event, as starting points. */
function stagesOfPromotion(start: World): World[] {
  const stages = [start];
  const world = copyOf(start);
  world.desired = "b";
  for (let round = 0; round < 60 && !isPromoted(world); round += 1) {
    const held = copyOf(world);
    checkedPass(world);
    stages.push(copyOf(world), ...storedCommit(held, world));
    clusterActs(world);
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

/** A canary that lost its pods is led on by a person: it is on its way to a step for as long as these take. */
function ledOnWithoutPods(first: World): World {
  const world = copyOf(first);
  const pods = world.revisions.b;
  if (pods) Object.assign(pods, { ready: 0, unready: pods.ready + pods.unready });
  command("skip")(world);
  checkedPass(world);
  return world;
}

/** The same of a canary that a person takes back when it has its first traffic. */
function stagesOfRollback(first: World): World[] {
  const world = copyOf(first);
  command("abort")(world);
  const stages: World[] = [];
  for (let round = 0; round < 20 && phaseOf(world) !== "Aborted"; round += 1) {
    checkedPass(world);
    stages.push(copyOf(world));
    clusterActs(world);
    world.nowMs += 5_000;
  }
  if (phaseOf(world) !== "Aborted") throw new Error(`never aborted: ${JSON.stringify(world)}`);
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

/** The worlds on a way that is too long to be found: after each of these events, and the pass that follows it. */
export function wayThrough(
  start: World,
  events: Readonly<Record<string, Event>>,
  names: readonly string[],
): World[] {
  const world = copyOf(start);
  return names.map((name) => {
    if (!events[name]?.(world)) throw new Error(`${name} cannot meet ${JSON.stringify(world)}`);
    if (!QUIET.test(name)) checkedPass(world);
    return copyOf(world);
  });
}
