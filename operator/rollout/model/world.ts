import type { Command } from "../../api/v1alpha1/commands.ts";
import { type Rollout, rollout as rolloutSchema, type Step } from "../../api/v1alpha1/rollout.ts";
import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import { advanceRollout } from "../advance.ts";
import type {
  ContainerFault,
  RevisionFacts,
  RolloutInput,
  RolloutOutcome,
  RouteFacts,
  ServiceTargets,
  Verdicts,
} from "../types.ts";
import { watchedRevision } from "../watch.ts";

import { servedBy } from "./served.ts";

/** A tiny model of the world around the engine, for tests: Deployments that make pods, a Service, a clock that only tests move. */

interface ModelRevision {
  wanted: number;
  ready: number;
  unready: number;
  terminating: number;
  fault: ContainerFault | undefined;
  /** Pods made before a restart was asked for; where it is not said, none has an age but by `madeMs`. */
  old?: number;
}

export interface World {
  nowMs: number;
  spec: Rollout;
  desired: string;
  fleet: RolloutInput["fleet"];
  accepted: boolean;
  needed: number;
  maxPods: number;
  state: RolloutInput["state"];
  revisions: Record<string, ModelRevision>;
  services: ServiceTargets;
  /** Under router Gateway: percent for the canary's Service as it is written, accepted by the parents, and followed by the gateway. */
  route: { written: number; accepted: number; followed: number };
  /** The same for the baseline's. */
  beside: { written: number; accepted: number; followed: number };
  /** Percent of the requests that are copied to the canary's Service. */
  mirrored: number;
  /** The administrator lets them be copied. */
  mayMirror: boolean;
  /** What the route lacks for a baseline. */
  noBaseline: string | undefined;
  /** What every parent of the route says but that it is accepted. */
  refusal: string | undefined;
  /** The gateway accepts and follows only when the test says so. */
  slowGateway: boolean;
  /** Whether the canary is seen to serve whenever one of its pods is behind the Service. */
  traffic: boolean;
  verdicts: Verdicts;
  metrics: RolloutInput["metrics"];
  /** What was heard of gates outside. */
  gates: RolloutInput["gates"];
  alerts: RolloutInput["alerts"];
  command: Command | undefined;
  acknowledged: string | undefined;
  /** Pods of the stable version that the last pass wants to have evicted. */
  evictable: number;
  /** Pods that are told to end stay as terminating ones until the test ends them. */
  slowDrain: boolean;
  /** When the pods of a revision were made, where a test is about that. */
  madeMs: Record<string, readonly number[]>;
  /** Pods follow their Deployment only when the test says so with `followDeployment`. */
  slowDeployments: boolean;
  /** In an abort: the stable version had fewer pods than were needed when it began. */
  gaveUp: boolean;
}

export const T0 = Date.parse("2026-01-01T00:00:00Z");

export const step = (name: string, weight: number, more: Partial<Step> = {}): Step => ({
  name,
  weight,
  analysis: "Required",
  hold: "5m",
  approval: false,
  ...more,
});

/** A bridge at version "a", `needed` pods, that has been stable for long. */
export function worldAtRest(options: Partial<World> & { plan?: Record<string, unknown> } = {}): World {
  const { plan, ...rest } = options;
  const needed = options.needed ?? 3;
  const spec = rolloutSchema.parse({ progressDeadline: "10m", watchAfter: "0s", ...plan });
  const isRouted = spec.traffic.router === "Gateway";
  const routed = isRouted ? { routedWeight: 0, routedSince: new Date(T0 - 60_000).toISOString() } : {};
  return {
    nowMs: T0,
    spec,
    desired: "a",
    fleet: undefined,
    accepted: true,
    needed,
    maxPods: 100,
    state: { phase: "Stable", phaseSince: new Date(T0).toISOString(), stableRevision: "a", ...routed },
    route: { written: 0, accepted: 0, followed: 0 },
    beside: { written: 0, accepted: 0, followed: 0 },
    mirrored: 0,
    mayMirror: true,
    noBaseline: undefined,
    refusal: undefined,
    slowGateway: false,
    revisions: { a: { wanted: needed, ready: needed, unready: 0, terminating: 0, fault: undefined } },
    services: isRouted
      ? { main: ["a"], stable: ["a"], canary: ["a"], baseline: ["a"] }
      : { main: ["a"], stable: ["a"], canary: [] },
    traffic: true,
    verdicts: { kind: "NotStarted", message: "nothing was counted yet" },
    metrics: { available: true, message: "" },
    gates: undefined,
    alerts: { hold: undefined, rollback: undefined },
    command: undefined,
    acknowledged: undefined,
    evictable: 0,
    slowDrain: false,
    slowDeployments: false,
    gaveUp: false,
    madeMs: {},
    ...rest,
  };
}

/** An independent copy; states, specs and verdicts are never changed in place and may be shared. */
export function copyOf(world: World): World {
  const revisions: World["revisions"] = {};
  for (const revision in world.revisions) {
    const pods = world.revisions[revision];
    if (pods) revisions[revision] = { ...pods };
  }
  return { ...world, revisions };
}

function factsOf(world: World, revision: string, pods: ModelRevision): RevisionFacts {
  const share = servedBy(world).revisions[revision] ?? 0;
  const hasCopies = world.mirrored > 0 && pods.ready > 0 && world.services.canary.includes(revision);
  return {
    exists: true,
    wantedReplicas: pods.wanted,
    // Of pods that are refused there is none.
    pods: pods.ready + (pods.fault?.reason === "PodsRefused" ? 0 : pods.unready),
    ready: pods.ready,
    terminating: pods.terminating,
    image: `bridge:${revision}`,
    faults: pods.fault ? [pods.fault] : [],
    servedRequests: world.metrics.available ? world.traffic && (share > 0 || hasCopies) : undefined,
    requestShare: world.metrics.available && world.traffic ? share : undefined,
    createdMs: T0,
    podsMadeMs: world.madeMs[revision] ?? madeMsOf(world, pods),
  };
}

const AN_HOUR_MS = 3_600_000;

function madeMsOf({ nowMs }: World, { ready, unready, old }: ModelRevision): number[] | undefined {
  if (old === undefined) return undefined;
  return Array.from({ length: ready + unready }, (_, index) => (index < old ? nowMs - AN_HOUR_MS : nowMs));
}

export function inputOf(world: World): RolloutInput {
  const revisions: Record<string, RevisionFacts> = {};
  for (const [revision, pods] of Object.entries(world.revisions)) {
    revisions[revision] = factsOf(world, revision, pods);
  }
  return {
    nowMs: world.nowMs,
    spec: world.spec,
    desired: { revision: world.desired, image: `bridge:${world.desired}` },
    state: world.state,
    capacity: { needed: world.needed, maxPods: world.maxPods, maxPodsBy: "spec.budget.cpu" },
    revisions,
    route: routeOf(world),
    verdicts: verdictsOf(world),
    metrics: world.metrics,
    gates: world.gates,
    alerts: world.alerts,
    command: world.command,
    acknowledgedCommandId: world.acknowledged,
    fleet: world.fleet,
    accepted: world.accepted,
  };
}

/** What is judged of a canary is watched of a promoted version: the same counts, another question. */
function verdictsOf({ verdicts, state }: World): Verdicts {
  const promoted = state !== undefined && "phase" in state && watchedRevision(state) !== undefined;
  if (!promoted || verdicts.kind !== "Judged") return verdicts;
  const { category, message } = verdicts.errors;
  return {
    kind: "Watched",
    alarms: category === "ProvedWorse" ? [{ signal: "errors", message }] : [],
    message: "watched",
  };
}

function routeOf(world: World): RouteFacts | undefined {
  const { spec, route, beside, noBaseline, refusal, mirrored, mayMirror } = world;
  if (spec.traffic.router !== "Gateway") return undefined;
  const acceptance =
    refusal !== undefined
      ? { kind: "Refused" as const, message: refusal }
      : isAccepted(world)
        ? { kind: "Accepted" as const }
        : { kind: "Waiting" as const, message: "The gateway has not said yet whether it takes the route." };
  const weights = { canaryWeight: route.written, baselineWeight: beside.written };
  return { kind: "Known", ...weights, noBaseline, acceptance, mirror: mirrored, mayMirror };
}

/** The parents have said of the route as it is that they take it. */
export const isAccepted = ({ route, beside }: World): boolean =>
  route.accepted === route.written && beside.accepted === beside.written;

/** The gateway does what the route says. */
export const isFollowed = ({ route, beside }: World): boolean =>
  route.followed === route.written && beside.followed === beside.written;

/** The gateway takes up what is written: first it says so, then it does it. */
export function gatewayActs(world: World): void {
  const follows = isAccepted(world) || !world.slowGateway;
  const next = ({ written, followed }: World["route"]) => ({
    ...{ written, accepted: written },
    followed: follows ? written : followed,
  });
  world.route = next(world.route);
  world.beside = next(world.beside);
}

/** One pass: decide on the world as it is, and write what was decided. */
export function pass(world: World): RolloutOutcome {
  const outcome = advanceRollout(inputOf(world));
  write(world, outcome);
  return outcome;
}

export function write(world: World, outcome: RolloutOutcome): void {
  noteAbort(world, outcome);
  for (const [revision, replicas] of Object.entries(outcome.replicas)) scale(world, revision, replicas);
  if (outcome.services) world.services = outcome.services;
  const { routeWeight, routeBaseline } = outcome;
  const isSame = routeWeight === world.route.written && routeBaseline === world.beside.written;
  if (routeWeight !== undefined && !isSame) {
    world.route = { ...world.route, written: routeWeight };
    world.beside = { ...world.beside, written: routeBaseline };
    if (!world.slowGateway) gatewayActs(world);
  }
  world.mirrored = outcome.routeMirror;
  world.evictable = outcome.evictions?.count ?? 0;
  if (outcome.state) world.state = outcome.state;
  if (outcome.commandResult) world.acknowledged = outcome.commandResult.id;
}

function noteAbort(world: World, { state }: RolloutOutcome): void {
  if (state?.phase !== "Aborting") world.gaveUp = false;
  else if (phaseOf(world) !== "Aborting")
    world.gaveUp = (world.revisions[state.stableRevision ?? ""]?.wanted ?? 0) < world.needed;
}

function scale(world: World, revision: string, replicas: number): void {
  const pods = world.revisions[revision];
  if (!pods && replicas === 0) return;
  if (pods) pods.wanted = replicas;
  else
    world.revisions[revision] = { wanted: replicas, ready: 0, unready: 0, terminating: 0, fault: undefined };
  if (!world.slowDeployments) followDeployment(world, revision);
}

/** As a Deployment does it: new pods are not ready; of those too many, the ones that are not ready end first. */
export function followDeployment(world: World, revision: string): void {
  const pods = world.revisions[revision];
  if (!pods) return;
  const missing = pods.wanted - pods.ready - pods.unready;
  if (missing >= 0) {
    pods.unready += missing;
    return;
  }
  const fromUnready = Math.min(pods.unready, -missing);
  pods.unready -= fromUnready;
  pods.ready -= -missing - fromUnready;
  if (world.slowDrain) pods.terminating += -missing;
  if (pods.old !== undefined) pods.old = Math.min(pods.old, pods.ready + pods.unready);
  if (pods.ready + pods.unready === 0) pods.fault = undefined;
}

export const judged = (
  world: World,
  errors: "ProvedBelow" | "ProvedWorse" | "Undecided" | "NoData",
  more: Partial<Extract<Verdicts, { kind: "Judged" }>> = {},
): Verdicts => ({
  kind: "Judged",
  errors: { category: errors, message: `errors are ${errors}` },
  gates: [],
  decidedAtMs: world.nowMs,
  ...more,
});

export function phaseOf(world: World): RolloutStatus["phase"] | undefined {
  return world.state && "phase" in world.state ? world.state.phase : undefined;
}

export function stateOf(world: World): RolloutStatus {
  if (!world.state || !("phase" in world.state)) throw new Error("no readable state");
  return world.state;
}
