import { LABELS } from "../../../contract/kubernetes.ts";
import { isBaseline } from "../../rollout/baseline.ts";
import { revisionName, runtimeName } from "../names.ts";
import type { ObservedDeployment } from "../observed-children.ts";
import type { ChildKind, ChildObject } from "../plan.ts";
import type { Snapshot } from "../snapshot.ts";
import { TAKEN_OVER } from "../take-over/observed.ts";
import type { ChildrenInput } from "./children-input.ts";

/**
 * Old revisions beyond the history limit that hold no pod any more; and baselines, which are no history. Also by their ConfigMaps, should the
 * Deployment have gone alone: a removal may be cut between two writes.
 */
export function surplusRevisions(input: ChildrenInput): string[] {
  const { snapshot, outcome, replicas } = input;
  if (!outcome.tracks) return [];
  const live = new Set([...Object.keys(outcome.tracks), input.desiredRevision]);
  const isIdle = (revision: string) =>
    (replicas[revision] ?? 0) === 0 &&
    snapshot.deployments.every((one) => one.revision !== revision || one.replicas === 0) &&
    !snapshot.pods.some((pod) => pod.revision === revision && !pod.finished);
  const lastUse = (revision: string): number => {
    const deployment = snapshot.deployments.find((one) => one.revision === revision);
    return deployment ? lastUseMs(deployment) : 0;
  };
  const known = [...snapshot.deployments, ...input.stored.values()].map(({ revision }) => revision);
  const idle = [...new Set(known)].filter((revision) => revision !== TAKEN_OVER && isIdle(revision));
  const old = idle
    .filter((revision) => !isBaseline(revision) && !live.has(revision))
    .sort((a, b) => lastUse(b) - lastUse(a));
  return [...idle.filter(isBaseline), ...old.slice(input.historyLimit)];
}

/** A revision that was gone back to is older than its use. Where nobody noted when it was retired, its making is all that is known. */
const lastUseMs = ({ retiredAt, createdMs }: ObservedDeployment): number =>
  Date.parse(retiredAt ?? "") || createdMs;

/** The Deployment of a revision and its ConfigMaps, to be removed. */
export function childrenOf(snapshot: Snapshot, revision: string) {
  const bridge = snapshot.bridge.name;
  const deployments = snapshot.deployments
    .filter((one) => one.revision === revision)
    .map(({ name, uid, resourceVersion }) => ({
      resource: "deployments" as ChildKind,
      name,
      uid,
      resourceVersion,
    }));
  const names = [revisionName(bridge, revision), runtimeName(bridge, revision)];
  const isOwn = ({ metadata: { name, labels } }: ChildObject) =>
    names.includes(name) || labels?.[LABELS.revision] === revision;
  const configMaps = snapshot.children
    .filter((child) => child.resource === "configmaps" && isOwn(child.object))
    .map((child) => ({
      resource: child.resource,
      name: child.object.metadata.name,
      uid: child.object.metadata.uid ?? "",
      resourceVersion: child.object.metadata.resourceVersion ?? "",
    }));
  return [...deployments, ...configMaps];
}
