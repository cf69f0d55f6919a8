import type { RolloutOutcome } from "../../rollout/types.ts";
import { victim } from "../../scaling/victim.ts";
import type { DesiredRevision, DesiredState } from "../difference.ts";
import { ANNOTATIONS } from "../names.ts";
import type { ObservedPod } from "../observe/pod.ts";
import type { ObservedDeployment } from "../observed-children.ts";
import type { Snapshot } from "../snapshot.ts";

/** Below every cost that a person would set, so that ReplicaSets take this pod first. */
const VICTIM_COST = -1000;
/** That of a pod of which nobody said anything. */
const NO_COST = 0;

/**
 * Lets the stable version shrink only when the pod whose loss costs least carries the deletion cost, as the cache shows it; until then
 * the number of pods stays. Versions that go to zero need no choice. The cost is taken back where it is not wanted smaller any more: what costs least
 * hours later is another pod.
 */
export function withVictim(desired: DesiredState, snapshot: Snapshot, outcome: RolloutOutcome): DesiredState {
  const stable = outcome.state?.stableRevision;
  const have = snapshot.deployments.find((one) => one.revision === stable);
  const want = desired.revisions.find((one) => one.revision === stable);
  if (!have || !want || want.replicas === 0) return desired;
  if (want.replicas >= have.replicas) return withCosts(desired, spared(snapshot, have), NO_COST);
  const victims = chooseVictims(snapshot, want, have.replicas - want.replicas);
  const unmarked = victims.filter((pod) => pod.deletionCost !== VICTIM_COST);
  if (unmarked.length === 0) return desired;
  return {
    ...withCosts(desired, unmarked, VICTIM_COST),
    revisions: desired.revisions.map((one) => (one === want ? { ...want, replicas: have.replicas } : one)),
  };
}

function withCosts(desired: DesiredState, pods: readonly ObservedPod[], cost: number): DesiredState {
  if (pods.length === 0) return desired;
  const annotations = { [ANNOTATIONS.deletionCost]: String(cost) };
  const costs = pods.map(({ name, uid }) => ({ name, uid, annotations }));
  return { ...desired, podAnnotations: [...desired.podAnnotations, ...costs] };
}

/** Pods that carry the cost for nothing. As long as there are more than wanted the ReplicaSet has yet to choose, and needs it. */
function spared(snapshot: Snapshot, { revision, replicas }: ObservedDeployment): readonly ObservedPod[] {
  const pods = livePods(snapshot, revision);
  return pods.length > replicas ? [] : pods.filter(({ deletionCost }) => deletionCost === VICTIM_COST);
}

const livePods = ({ pods }: Snapshot, revision: string): readonly ObservedPod[] =>
  pods.filter((pod) => pod.revision === revision && !pod.terminating && !pod.finished);

function chooseVictims(snapshot: Snapshot, want: DesiredRevision, count: number) {
  const readings = snapshot.fleet.kind === "ok" ? snapshot.fleet.value : [];
  const pods = livePods(snapshot, want.revision);
  // A choice that was marked is kept: choosing anew each time would mark one pod after the other.
  const chosen = pods.filter((pod) => pod.deletionCost === VICTIM_COST).slice(0, count);
  let candidates = pods
    .filter((pod) => pod.deletionCost !== VICTIM_COST)
    .map((pod) => ({
      pod: pod.name,
      ready: pod.ready,
      openStreams: readings.find((one) => one.pod === pod.name && !one.stale)?.openStreams,
      createdAtMs: pod.createdMs,
    }));
  while (chosen.length < count) {
    const next = victim(candidates);
    const pod = pods.find((one) => one.name === next?.pod);
    if (!next || !pod) break;
    chosen.push(pod);
    candidates = candidates.filter((one) => one !== next);
  }
  return chosen;
}
