import type { RolloutOutcome } from "../../rollout/types.ts";
import { victim } from "../../scaling/victim.ts";
import type { DesiredRevision, DesiredState } from "../difference.ts";
import { ANNOTATIONS } from "../names.ts";
import type { Snapshot } from "../snapshot.ts";

/** Below every cost that a person would set, so that ReplicaSets take this pod first. */
const VICTIM_COST = -1000;

/**
 * Lets the stable version shrink only when the pod whose loss costs least carries the deletion cost, as the cache shows it; until then
 * the number of pods stays. Versions that go to zero need no choice.
 */
export function withVictim(desired: DesiredState, snapshot: Snapshot, outcome: RolloutOutcome): DesiredState {
  const stable = outcome.state?.stableRevision;
  const have = snapshot.deployments.find((one) => one.revision === stable);
  const want = desired.revisions.find((one) => one.revision === stable);
  if (!have || !want || want.replicas >= have.replicas || want.replicas === 0) return desired;
  const victims = chooseVictims(snapshot, want, have.replicas - want.replicas);
  const unmarked = victims.filter((pod) => pod.deletionCost !== VICTIM_COST);
  if (unmarked.length === 0) return desired;
  return {
    ...desired,
    revisions: desired.revisions.map((one) => (one === want ? { ...want, replicas: have.replicas } : one)),
    podAnnotations: [
      ...desired.podAnnotations,
      ...unmarked.map(({ name, uid }) => ({
        name,
        uid,
        annotations: { [ANNOTATIONS.deletionCost]: String(VICTIM_COST) },
      })),
    ],
  };
}

function chooseVictims(snapshot: Snapshot, want: DesiredRevision, count: number) {
  const readings = snapshot.fleet.kind === "ok" ? snapshot.fleet.value : [];
  const pods = snapshot.pods.filter(
    (pod) => pod.revision === want.revision && !pod.terminating && !pod.finished,
  );
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
