import { faultsOf, refusedPods } from "../../rollout/faults.ts";
import type { RevisionFacts, Track } from "../../rollout/types.ts";
import type { ObservedPod } from "../observe/pod.ts";
import type { Snapshot } from "../snapshot.ts";

/** Every revision that has a Deployment or a pod left, as the rollout sees it. */
export function revisionFacts(snapshot: Snapshot): Record<string, RevisionFacts> {
  const revisions = new Set([
    ...snapshot.deployments.map((one) => one.revision),
    ...snapshot.pods.filter((pod) => !pod.finished).map((pod) => pod.revision),
  ]);
  const shares = requestShares(snapshot);
  return Object.fromEntries(
    [...revisions].map((revision) => [revision, factsOf(snapshot, revision, shares)]),
  );
}

function factsOf(
  snapshot: Snapshot,
  revision: string,
  shares: Readonly<Record<string, number>> | undefined,
): RevisionFacts {
  const deployment = snapshot.deployments.find((one) => one.revision === revision);
  const pods = snapshot.pods.filter((pod) => pod.revision === revision && !pod.finished);
  const living = pods.filter((pod) => !pod.terminating);
  return {
    exists: deployment !== undefined,
    wantedReplicas: deployment?.replicas ?? 0,
    pods: living.length,
    ready: living.filter((pod) => pod.ready).length,
    terminating: pods.length - living.length,
    image: deployment?.image ?? "",
    faults: [
      ...faultsOf(pods.map((pod) => withKubeletReason(pod, snapshot))),
      ...refusedPods(deployment?.refusal),
    ],
    servedRequests: servedRequests(snapshot, revision),
    requestShare: shares?.[revision],
    podsMadeMs: living.map((pod) => pod.createdMs),
    createdMs: deployment?.createdMs ?? 0,
    track: trackOf(deployment?.track),
  };
}

function trackOf(label: string | undefined): Track | undefined {
  return label === "canary" || label === "production" || label === "previous" ? label : undefined;
}

/** A volume that cannot be mounted leaves no trace in the pod's status; kubelet's Event says what is missing, or what is waited for. */
function withKubeletReason(pod: ObservedPod, snapshot: Snapshot): ObservedPod {
  const said = snapshot.kubelet[pod.name];
  if (!said?.message) return pod;
  const reason = said.isMissing ? "CreateContainerConfigError" : "ContainerCreating";
  return { ...pod, waiting: { reason, message: said.message } };
}

function servedRequests(snapshot: Snapshot, revision: string): boolean | undefined {
  if (snapshot.fleet.kind !== "ok") return undefined;
  const readings = snapshot.fleet.value.filter((one) => one.revision === revision && !one.stale);
  if (readings.length === 0) return undefined;
  return readings.some((one) => (one.requestsPerSecond ?? 0) > 0);
}

/** Percent of the requests that each revision really served in the last window; undefined where none was served or nothing is known. */
export function requestShares(snapshot: Snapshot): Record<string, number> | undefined {
  if (snapshot.fleet.kind !== "ok") return undefined;
  const perRevision = new Map<string, number>();
  for (const one of snapshot.fleet.value) {
    if (one.stale) continue;
    perRevision.set(one.revision, (perRevision.get(one.revision) ?? 0) + (one.requestsPerSecond ?? 0));
  }
  const all = [...perRevision.values()].reduce((sum, rate) => sum + rate, 0);
  if (all <= 0) return undefined;
  return Object.fromEntries([...perRevision].map(([revision, rate]) => [revision, (100 * rate) / all]));
}
