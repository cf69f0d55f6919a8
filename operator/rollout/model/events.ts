import type { Command } from "../../api/v1alpha1/commands.ts";
import { baselineOf } from "../baseline.ts";
import type { GateAnswer } from "../gates/answer.ts";
import type { Verdicts } from "../types.ts";
import { watchedRevision } from "../watch.ts";
import {
  followDeployment,
  gatewayActs,
  isAccepted,
  isFollowed,
  phaseOf,
  stateOf,
  type World,
} from "./world.ts";

/** What people, pods, metrics and time can do to a world. */

/** Longer than a hold and than the patience of an abort, half of progressDeadline and of inconclusive.after. */
export const TICK_MS = 6 * 60_000;
const always = Number.MAX_SAFE_INTEGER;
const verdict = (category: "ProvedBelow" | "ProvedWorse" | "Undecided"): Verdicts => ({
  kind: "Judged",
  errors: { category, message: category },
  gates: [],
  decidedAtMs: always,
});
export const BELOW = verdict("ProvedBelow");
const WORSE = verdict("ProvedWorse");
const UNDECIDED = verdict("Undecided");
const MISSING: Verdicts = { kind: "NoData", message: "no samples" };

/** Changes the world, or answers that there was nothing to change. */
export type Event = (world: World) => boolean;

const setTo =
  <K extends keyof World>(field: K, value: World[K]): Event =>
  (world) => {
    if (world[field] === value) return false;
    world[field] = value;
    return true;
  };

const podTurnsReady =
  (revision: string): Event =>
  (world) => {
    const pods = world.revisions[revision];
    if (!pods || pods.unready === 0 || pods.fault) return false;
    pods.unready -= 1;
    pods.ready += 1;
    return true;
  };

const podTurnsUnready =
  (revision: string): Event =>
  (world) => {
    const pods = world.revisions[revision];
    if (!pods || pods.ready === 0) return false;
    pods.ready -= 1;
    pods.unready += 1;
    return true;
  };

const podCrashes =
  (revision: string): Event =>
  (world) => {
    const pods = world.revisions[revision];
    if (!pods || pods.fault || pods.ready + pods.unready === 0) return false;
    if (pods.ready > 0) {
      pods.ready -= 1;
      pods.unready += 1;
    }
    pods.fault = { reason: "CrashLoop", pod: revision, message: "it crashes", decisiveAtMs: 0 };
    return true;
  };

const deploymentActs =
  (revision: string): Event =>
  (world) => {
    const pods = world.revisions[revision];
    if (!pods || pods.wanted === pods.ready + pods.unready) return false;
    followDeployment(world, revision);
    return true;
  };

const source =
  (available: boolean): Event =>
  (world) => {
    if (world.metrics.available === available) return false;
    world.metrics = { available, message: available ? "" : "no answer" };
    return true;
  };

const paused =
  (value: boolean): Event =>
  (world) => {
    if (world.spec.paused === value) return false;
    world.spec = value ? pausedOf(world.spec) : unpausedOf(world.spec);
    return true;
  };

const pausedOf = (spec: World["spec"]) => ({ ...spec, paused: true });
const baselineGivenUp: Event = (world) => {
  if (world.spec.baseline === "Stable") return false;
  world.spec = { ...world.spec, baseline: "Stable" };
  return true;
};

const unpausedOf = (spec: World["spec"]) => ({ ...spec, paused: false });

export const command =
  (action: Command["action"], full = false): Event =>
  (world) => {
    const state = stateOf(world);
    const { canaryRevision, stepName, failed } = state;
    const revision = action === "retry" ? failed?.revision : (canaryRevision ?? watchedRevision(state));
    if (revision === undefined || phaseOf(world) === "Aborting") return false;
    world.command = { action, revision, full, id: "now", ...(stepName ? { step: stepName } : {}) };
    return true;
  };

export const gateway: Event = (world) => {
  if (isFollowed(world) || world.refusal !== undefined) return false;
  gatewayActs(world);
  return true;
};

const refuses: Event = (world) => {
  if (world.spec.traffic.router !== "Gateway") return false;
  world.refusal = world.refusal === undefined ? "it says no" : undefined;
  return true;
};

/** To the first or the last step of the plan, whichever way that is. */
const jump =
  (which: 0 | -1): Event =>
  (world) => {
    const to = world.spec.steps.at(which)?.name;
    if (!command("jump")(world) || world.command === undefined || to === undefined) return false;
    world.command = { ...world.command, to };
    return true;
  };

/** The first gate that has no verdict gets one. */
export const gateSays =
  (kind: GateAnswer["kind"]): Event =>
  (world) => {
    const asked = stateOf(world).gates?.find(({ state }) => state === "Asked");
    if (!asked) return false;
    world.gates = [{ name: asked.name, since: asked.since, kind, message: kind }];
    return true;
  };

const tick: Event = (world) => {
  world.nowMs += TICK_MS;
  // What a gateway has accepted it follows long before.
  if (isAccepted(world)) gatewayActs(world);
  return true;
};

const REVISIONS = ["a", "b", "c"];
/** Everything that has pods. */
export const ALL = [...REVISIONS, ...REVISIONS.map(baselineOf)];

export const EVENTS: Readonly<Record<string, Event>> = {
  pass: () => true,
  tick,
  gateway,
  refuses,
  below: setTo("verdicts", BELOW),
  worse: setTo("verdicts", WORSE),
  undecided: setTo("verdicts", UNDECIDED),
  missing: setTo("verdicts", MISSING),
  sourceFails: source(false),
  sourceAnswers: source(true),
  gatePasses: gateSays("Passed"),
  gateFails: gateSays("Failed"),
  gateIsSilent: gateSays("NoData"),
  baselineGivenUp,
  pause: paused(true),
  resume: paused(false),
  promote: command("promote"),
  promoteFully: command("promote", true),
  skip: command("skip"),
  jumpToFirst: jump(0),
  jumpToLast: jump(-1),
  abort: command("abort"),
  retry: command("retry"),
  ...Object.fromEntries(REVISIONS.map((revision) => [`spec ${revision}`, setTo("desired", revision)])),
  ...Object.fromEntries(
    ALL.flatMap((revision) => [
      [`ready ${revision}`, podTurnsReady(revision)],
      [`unready ${revision}`, podTurnsUnready(revision)],
      [`crash ${revision}`, podCrashes(revision)],
      [`deployment ${revision}`, deploymentActs(revision)],
    ]),
  ),
};
