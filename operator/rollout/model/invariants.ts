import { durationMs } from "../../api/v1alpha1/scalars.ts";
import { baselineOf, baselineStaysUntilMs, isBaseline } from "../baseline.ts";
import { contextOf } from "../look.ts";
import { TRANSITIONS } from "../phases.ts";
import { patienceEndsMs } from "../traffic.ts";
import type { RolloutOutcome } from "../types.ts";
import { PROMISES } from "./promises.ts";
import { servedBy } from "./served.ts";
import { inputOf, phaseOf, stateOf, type World } from "./world.ts";

/** The promises of the engine, held against one pass: what our own writes did to a world that did not move meanwhile. */

class Broken extends Error {
  override name = "Broken";
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

/** Ready pods behind the Service that are not told to end. */
const readyBehind = (world: World): number =>
  sum(
    world.services.main.map((revision) => {
      const pods = world.revisions[revision];
      return pods ? Math.min(pods.ready, pods.wanted) : 0;
    }),
  );

export function checkPass(before: World, after: World, outcome: RolloutOutcome): void {
  capacityIsKept(before, after);
  servingComesFirst(before, after);
  weightIsCarried(before, after, outcome);
  editsRaiseNothing(before, after, outcome);
  podsStayWithinRoom(before, after);
  transitionIsLegal(before, after);
  predecessorIsKept(before, after);
  missingDataDecidesNothing(before, after, outcome);
  whatIsWorseIsHeld(before, after, outcome);
  gatesHaveTheirSay(before, after, outcome);
  someoneIsSelected(before, after, outcome);
  copiesHaveATaker(before, after);
  baselineFollowsTheCanary(before, after);
  baselineIsCarried(before, after);
  // What cannot be read is left as it is.
  if (outcome.state === undefined) return;
  for (const promise of PROMISES) {
    const broken = promise(before, after, outcome);
    if (broken !== undefined) fail(broken, before, after);
  }
}

/** Requests are copied to a canary that has ready pods, which its Service leads to, and gets none itself. */
function copiesHaveATaker(before: World, after: World): void {
  if (after.mirrored === 0) return;
  const { canaryRevision = "" } = stateOf(after);
  const ready = after.revisions[canaryRevision]?.ready ?? 0;
  if (ready === 0 || after.services.canary.join() !== canaryRevision || after.route.written > 0)
    fail("requests are copied to nobody, or beside a weight", before, after);
}

function fail(promise: string, before: World, after: World): never {
  throw new Broken(`${promise}\nbefore ${JSON.stringify(before)}\nafter ${JSON.stringify(after)}`);
}

/** An abort that has waited as long as it may for stable pods goes on with those there are, and longer with those of a baseline. */
function abortIsOutOfPatience(before: World, after: World): boolean {
  if (phaseOf(before) === "Aborting") {
    const ends = baselineStaysUntilMs(contextOf(inputOf(before), stateOf(before)));
    if (ends !== undefined && after.nowMs >= ends) return true;
  }
  if (phaseOf(after) !== "Aborting") return false;
  const context = contextOf(inputOf(after), stateOf(after));
  const ends = patienceEndsMs(context);
  if (ends === undefined || after.nowMs < ends) return false;
  // Pods that were given up have to start first, whatever the engine knows of that.
  const { waitingSince = "" } = context.state;
  return !after.gaveUp || after.nowMs >= Date.parse(waitingSince) + durationMs(after.spec.progressDeadline);
}

/** (2) Ready pods behind the Service never fall by our doing below what is needed, or below what there was if that is less. */
function capacityIsKept(before: World, after: World): void {
  if (phaseOf(before) === undefined || abortIsOutOfPatience(before, after)) return;
  if (after.spec.traffic.router === "Gateway") {
    stableIsKept(before, after);
    return;
  }
  const least = Math.min(before.needed, readyBehind(before));
  if (readyBehind(after) < least) fail("capacity fell below what is needed", before, after);
}

/** (2) by a gateway: nobody is led to a Service without endpoints, whoever goes past it loses no capacity, and the stable version keeps the pods that it needs to take all back. */
function stableIsKept(before: World, after: World): void {
  if (servedBy(after).nobody > servedBy(before).nobody) fail("clients are led to nobody", before, after);
  if (readyBehind(after) < Math.min(before.needed, readyBehind(before)))
    fail("capacity beside the gateway fell below what is needed", before, after);
  const { stableRevision = "" } = stateOf(after);
  const ready = (world: World): number => {
    const pods = world.revisions[stableRevision];
    return pods ? Math.min(pods.ready, pods.wanted) : 0;
  };
  if (ready(after) < Math.min(before.needed, ready(before)))
    fail("the stable version lost pods", before, after);
}

/** (2) Beside a stable version that serves alone, and has not every pod asked for that is needed, a canary does not take the room. */
function servingComesFirst(before: World, after: World): void {
  const known = before.state && "phase" in before.state ? before.state : undefined;
  if (!known || !["Preparing", "Stepping", "Holding"].includes(phaseOf(after) ?? "")) return;
  const { stableRevision = "", canaryRevision = "", weight } = stateOf(after);
  const context = contextOf(inputOf(before), known);
  if (weight !== 0 || context.step.weight > 0 || stateOf(after).stepName !== known.stepName) return;
  const wanted = (world: World, revision: string) => world.revisions[revision]?.wanted ?? 0;
  const grows = wanted(after, canaryRevision) > wanted(before, canaryRevision);
  if (grows && wanted(after, stableRevision) < before.needed)
    fail("a canary without traffic grows before the version that serves", before, after);
}

/** An edit of the plan never leads more traffic to the canary by itself; nor does anything but a person in a freeze. */
function editsRaiseNothing(before: World, after: World, outcome: RolloutOutcome): void {
  const known = before.state && "phase" in before.state ? before.state : undefined;
  if (!known || before.command !== undefined || known.canaryRevision !== stateOf(after).canaryRevision)
    return;
  const [was, now] = [known.weight, stateOf(after).weight ?? 0];
  if (was === undefined || now <= was || known.phase !== "Holding") return;
  const passed = outcome.decisions.some(({ action, reason }) => action === "Step" && reason !== "PlanEdited");
  if (!passed) fail("an edit raised the weight", before, after);
}

/** (1) The weight of a version is raised only to what its ready pods carry of the capacity needed. */
function weightIsCarried(before: World, after: World, outcome: RolloutOutcome): void {
  const known = before.state && "phase" in before.state ? before.state : undefined;
  const { state } = outcome;
  if (!state || !known || state.phase === "Pending") return;
  const weight = outcome.desiredWeights[state.canaryRevision ?? ""] ?? 0;
  const isRecalled = known.stableRevision === state.canaryRevision;
  const was = isRecalled ? 100 : known.canaryRevision === state.canaryRevision ? (known.weight ?? 0) : 0;
  const ready = before.revisions[state.canaryRevision ?? ""]?.ready ?? 0;
  if (weight > was && ready * 100 < weight * before.needed)
    fail("weight above the ready share", before, after);
}

/**
 * Pods that drain take room too. What serves does not wait for them: the stable version has every pod that is needed, and its own draining ones do not
 * keep it from growing back to what makes up for a canary.
 */
function podsStayWithinRoom(before: World, after: World): void {
  const taken = (world: World) =>
    sum(Object.values(world.revisions).map(({ wanted, terminating }) => wanted + terminating));
  const draining = sum(Object.values(after.revisions).map(({ terminating }) => terminating));
  const stable = phaseOf(after) === undefined ? undefined : stateOf(after).stableRevision;
  const own = after.revisions[stable ?? ""]?.terminating ?? 0;
  if (taken(after) - own > Math.max(after.maxPods, taken(before), after.needed + draining))
    fail("more pods than allowed", before, after);
}

function transitionIsLegal(before: World, after: World): void {
  const [from, to] = [phaseOf(before), phaseOf(after)];
  if (from === to || from === undefined || to === undefined) return;
  // A weight that needs no other pods is applied in the pass that enters its step, or that passes it.
  const entered = from === "Stepping" || leads(from, "Stepping");
  const applied = (end: string) => entered && (end === "Holding" || leads("Holding", end));
  const reaches = (end: string) => leads(from, end) || applied(end);
  // A promoted version that has all its pods is watched, or its predecessor let go, by the pass that commits.
  const committed = reaches("Promoting") && leads("Promoting", to) && to !== "Aborting";
  if (!reaches(to) && !committed) fail(`no transition from ${from} to ${to}`, before, after);
}

/** (3) Until it is stored that the canary is stable, the version before keeps its pods: should the status be lost, it serves on. */
function predecessorIsKept(before: World, after: World): void {
  const known = before.state && "phase" in before.state ? before.state : undefined;
  const { stableRevision, canaryRevision } = known ?? {};
  if (!stableRevision || !canaryRevision || stateOf(after).stableRevision !== canaryRevision) return;
  const wanted = ({ revisions }: World) => revisions[stableRevision]?.wanted ?? 0;
  if (wanted(after) < wanted(before)) fail("the version before lost pods ahead of the commit", before, after);
}

const leads = (from: string, to: string): boolean =>
  Object.values(TRANSITIONS).some((one) => one.to === to && (one.from as readonly string[]).includes(from));

/** (5) Missing data neither passes a step nor withdraws a canary; only people and `noData` may. */
function missingDataDecidesNothing(before: World, after: World, outcome: RolloutOutcome): void {
  if (before.metrics.available && before.verdicts.kind === "Judged") return;
  if (before.spec.analysis.noData.action !== "Pause") return;
  const known = before.state && "phase" in before.state ? before.state : undefined;
  if (known && contextOf(inputOf(before), known).step.analysis !== "Required") return;
  for (const { action, reason } of outcome.decisions) {
    const passes = (action === "Promote" || action === "Step") && reason === "StepPassed";
    const judges = reason.endsWith("ProvedWorse") && action === "Rollback";
    if (passes || judges) fail(`missing data led to ${action}`, before, after);
  }
}

/** (5) What was proved worse passes no step and ends no watch without a person, whether the source answers or not. */
function whatIsWorseIsHeld(before: World, after: World, outcome: RolloutOutcome): void {
  if (before.verdicts.kind !== "Judged" || before.verdicts.errors.category !== "ProvedWorse") return;
  const known = before.state && "phase" in before.state ? before.state : undefined;
  if (known && contextOf(inputOf(before), known).step.analysis === "None") return;
  for (const { action, reason } of outcome.decisions)
    if (reason === "StepPassed" || reason === "Watched")
      fail(`a version that is proved worse led to ${action}`, before, after);
}

/**
 * (5) A step is passed without a person only when each gate outside that it names has passed, or may be passed over without a verdict; and only one that
 * has failed rolls back as such.
 */
function gatesHaveTheirSay(before: World, after: World, outcome: RolloutOutcome): void {
  const known = before.state && "phase" in before.state ? before.state : undefined;
  if (!known) return;
  const { step } = contextOf(inputOf(before), known);
  const acting = before.spec.gates.filter(({ name, dryRun }) => step.gates.includes(name) && !dryRun);
  const verdictOf = (name: string) => {
    const entry = known.phase === "Holding" ? known.gates?.find((one) => one.name === name) : undefined;
    const answer = before.gates?.find((one) => one.name === name && one.since === entry?.since);
    return entry?.state === "Asked" ? answer?.kind : entry?.state;
  };
  const isLeft = acting.every(
    ({ name, noData }) =>
      verdictOf(name) === "Passed" || (noData === "Proceed" && verdictOf(name) !== "Failed"),
  );
  const hasFailed = acting.some(({ name }) => verdictOf(name) === "Failed");
  for (const { action, reason } of outcome.decisions) {
    if (reason === "StepPassed" && !isLeft)
      fail(`gates that have not passed led to ${action}`, before, after);
    if (action === "Rollback" && reason === "GateFailed" && !hasFailed)
      fail("a gate that has not failed rolled back", before, after);
  }
}

const WITH_CANARY = ["Preparing", "Stepping", "Holding", "Aborting"];

/**
 * Pods of a baseline are there only while a canary is, never grow beyond it, and are in the Service only where the canary may be, or in an abort in
 * the place of stable pods.
 */
function baselineFollowsTheCanary(before: World, after: World): void {
  const phase = phaseOf(after);
  if (phase === undefined) return;
  const { stableRevision = "", canaryRevision = "", evidenceSince, baseline } = stateOf(after);
  for (const [revision, pods] of Object.entries(after.revisions)) {
    if (!isBaseline(revision)) continue;
    const isItsTime = WITH_CANARY.includes(phase) && revision === baselineOf(stableRevision);
    if (pods.wanted > 0 && !isItsTime) fail("a baseline outlives its canary", before, after);
    const was = before.revisions[revision]?.wanted ?? 0;
    const grows = pods.wanted > was;
    if (grows && pods.wanted > (after.revisions[canaryRevision]?.wanted ?? 0))
      fail("a baseline grows beyond its canary", before, after);
    if (grows && (baseline === undefined || after.spec.baseline === "Stable"))
      fail("a baseline grows that nobody asked for", before, after);
    const isSelected = after.services.main.includes(revision);
    if (isSelected && evidenceSince === undefined) fail("a baseline serves before its canary", before, after);
    const isAlone = isSelected && !after.services.main.includes(canaryRevision);
    // By a gateway it takes the place of stable pods where there are none.
    const standsIn = after.spec.traffic.router === "Gateway" && !before.revisions[stableRevision]?.ready;
    if (isAlone && phase !== "Aborting" && !standsIn)
      fail("a baseline serves beside no canary", before, after);
  }
}

/**
 * (1) of a baseline by a gateway: its Service leads to ready pods of it wherever it has a weight, which is raised only to what they carry, and beside a
 * canary never above the canary's.
 */
function baselineIsCarried(before: World, after: World): void {
  const [was, now] = [before.beside.written, after.beside.written];
  // What a route says that nobody follows any more is not ours.
  if (now === 0 || after.spec.traffic.router !== "Gateway") return;
  const baseline = baselineOf(stateOf(after).stableRevision ?? "");
  const pods = before.revisions[baseline];
  const ready = pods ? Math.min(pods.ready, pods.wanted) : 0;
  if (ready === 0 || after.services.baseline?.join() !== baseline || after.revisions[baseline]?.wanted === 0)
    fail("a baseline has a weight and no pods", before, after);
  if (now > was && ready * 100 < now * before.needed)
    fail("weight of a baseline above its ready share", before, after);
  if (after.route.written + now > 100) fail("weights above 100", before, after);
  if (now > after.route.written && phaseOf(after) !== "Aborting")
    fail("a baseline has more than its canary", before, after);
}

function someoneIsSelected(before: World, after: World, outcome: RolloutOutcome): void {
  if (outcome.services && outcome.services.main.length === 0 && outcome.state?.stableRevision !== undefined)
    fail("the Service selects nothing", before, after);
}
