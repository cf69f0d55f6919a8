import type { Command } from "../../api/v1alpha1/commands.ts";
import type { Rollout } from "../../api/v1alpha1/rollout.ts";
import type { DecisionStatus } from "../../api/v1alpha1/status.ts";
import type { ContainerFault, RolloutEnd, RolloutOutcome } from "../types.ts";
import { checkPass } from "./invariants.ts";
import { copyOf, judged, pass, phaseOf, type World } from "./world.ts";

/** Words for scenario tests: what happens to a world, and what the engine makes of it. Every pass is held against the invariants. */
export interface Story {
  readonly world: World;
  /** Decisions taken so far, oldest first. */
  readonly decisions: DecisionStatus[];
  /** Revisions behind the main Service, one entry each time it changed. */
  readonly traffic: (readonly string[])[];
  /** Rollouts that are over, oldest first. */
  readonly ended: RolloutEnd[];
  last: RolloutOutcome | undefined;
}

export const storyOf = (world: World): Story => ({
  world,
  decisions: [],
  traffic: [],
  ended: [],
  last: undefined,
});

/** One pass of the engine. */
export function reconcile(story: Story): RolloutOutcome {
  const before = copyOf(story.world);
  const outcome = pass(story.world);
  checkPass(before, story.world, outcome);
  story.decisions.push(...outcome.decisions);
  if (outcome.ended) story.ended.push(outcome.ended);
  const main = outcome.services?.main;
  if (main && main.join() !== story.traffic.at(-1)?.join()) story.traffic.push(main);
  story.last = outcome;
  return outcome;
}

/** Passes until the engine asks for no further one at once. Pods stay as they are. */
export function settle(story: Story): RolloutOutcome {
  for (let passes = 0; passes < 50; passes += 1) {
    const look = () =>
      JSON.stringify([story.world.state, story.world.revisions, story.world.route, story.world.beside]);
    const before = look();
    const outcome = reconcile(story);
    const quiet = before === look();
    if (quiet && outcome.wakeAtMs !== story.world.nowMs) return outcome;
  }
  throw new Error(`does not settle: ${JSON.stringify(story.world.state)}`);
}

/** Every pod that is not ready becomes ready, again and again, until nothing moves. */
export function podsBecomeReady(story: Story, only?: string): RolloutOutcome {
  for (let rounds = 0; rounds < 50; rounds += 1) {
    const outcome = settle(story);
    let changed = false;
    for (const [revision, pods] of Object.entries(story.world.revisions)) {
      if ((only !== undefined && revision !== only) || pods.unready === 0 || pods.fault) continue;
      pods.ready += pods.unready;
      pods.unready = 0;
      changed = true;
    }
    if (!changed) return outcome;
  }
  throw new Error("pods never settle");
}

export function podsFail(story: Story, revision: string, count = 1): RolloutOutcome {
  const pods = story.world.revisions[revision];
  if (!pods || pods.ready < count) throw new Error(`revision ${revision} has no ${count} ready pods`);
  pods.ready -= count;
  pods.unready += count;
  return settle(story);
}

export function podFault(
  story: Story,
  revision: string,
  reason: ContainerFault["reason"],
  after = 0,
): RolloutOutcome {
  const pods = story.world.revisions[revision];
  if (!pods) throw new Error(`no revision ${revision}`);
  const message = `it is ${reason}`;
  pods.fault = { reason, pod: `${revision}-0`, message, decisiveAtMs: story.world.nowMs + after };
  return settle(story);
}

export function podsAreGone(story: Story): RolloutOutcome {
  for (const pods of Object.values(story.world.revisions)) pods.terminating = 0;
  return settle(story);
}

export function specAsksFor(story: Story, revision: string): RolloutOutcome {
  story.world.desired = revision;
  return settle(story);
}

export function planBecomes(story: Story, change: Partial<Rollout>): RolloutOutcome {
  story.world.spec = { ...story.world.spec, ...change };
  return settle(story);
}

/** Time passes; metrics of the last verdict stay as they are. */
export function timePasses(story: Story, minutes: number): RolloutOutcome {
  story.world.nowMs += minutes * 60_000;
  return settle(story);
}

export function evidenceSays(
  story: Story,
  errors: Parameters<typeof judged>[1],
  more: Parameters<typeof judged>[2] = {},
): RolloutOutcome {
  story.world.verdicts = judged(story.world, errors, more);
  return settle(story);
}

export function metricsGo(story: Story, available: boolean): RolloutOutcome {
  story.world.metrics = { available, message: available ? "" : "the source does not answer" };
  return settle(story);
}

let commands = 0;

export function commanded(story: Story, command: Omit<Command, "id">): RolloutOutcome {
  commands += 1;
  story.world.command = { ...command, id: `c${commands}` };
  const outcome = reconcile(story);
  settle(story);
  return outcome;
}

/** A canary of "b" is at its `steps`-th step (0 is the first) and holding, with evidence that it is good. */
export function canaryAt(story: Story, steps: number): RolloutOutcome {
  specAsksFor(story, "b");
  let outcome = podsBecomeReady(story);
  for (let passed = 0; passed < steps; passed += 1) {
    story.world.nowMs += 3_600_000;
    evidenceSays(story, "ProvedBelow");
    outcome = podsBecomeReady(story);
  }
  story.world.verdicts = judged(story.world, "Undecided");
  outcome = settle(story);
  if (phaseOf(story.world) !== "Holding")
    throw new Error(`not holding: ${JSON.stringify(story.world.state)}`);
  return outcome;
}
