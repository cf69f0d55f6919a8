import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import type { LLMBridgeStatus, RolloutStatus } from "../../api/v1alpha1/status.ts";
import type { ObservedDeployment } from "../observed-children.ts";
import type { Snapshot } from "../snapshot.ts";
import { objectionTo, type TakeOverObjection } from "./objection.ts";
import { isOurs, TAKEN_OVER, type TakenNames, type TakenObjects } from "./observed.ts";

/** How the take-over of a bridge stands in one pass. */
export interface TakeOverView {
  readonly names: TakenNames;
  /** Undefined where it was not looked at in this pass. */
  readonly seen: TakenObjects | undefined;
  /**
   * Refused: it has not begun, and does not. Serving: the old Deployment counts as a version. Complete: it serves no more, and is
   * left alone. Released: the same, and the spec has let go of it.
   */
  readonly stage: "Refused" | "Serving" | "Complete" | "Released";
  /** Of the Refused, and of what was taken out of the spec too early. */
  readonly objection: TakeOverObjection | undefined;
  /** Pods that it had before anything was done to it. */
  readonly replicasBefore: number;
}

/** What the spec takes over, or the status while it is not given back. */
export function takenNames(
  spec: Pick<LLMBridgeSpec, "takeOver"> | undefined,
  { takeOver }: Pick<LLMBridgeStatus, "takeOver">,
): TakenNames | undefined {
  const { deployment, services = [] } = spec?.takeOver ?? takeOver ?? {};
  return deployment === undefined ? undefined : { deployment, services };
}

/** How the take-over stands; undefined where nothing is taken over. */
export function lookAtTakeOver(
  snapshot: Snapshot,
  spec: LLMBridgeSpec | undefined,
): TakeOverView | undefined {
  const { takeOver: observed, status, bridge } = snapshot;
  const names = takenNames(spec, status);
  if (names === undefined || observed.kind === "None") return undefined;
  const stored = status.takeOver;
  const seen = observed.kind === "Read" ? observed : undefined;
  const { deployment } = seen ?? {};
  const note = isOurs(deployment?.note, bridge) ? deployment?.note : undefined;
  const replicasBefore = stored?.replicas ?? note?.replicas ?? deployment?.replicas ?? 0;
  const view = { names, seen, replicasBefore, objection: undefined };
  if (stored?.complete) return { ...view, stage: spec && !spec.takeOver ? "Released" : "Complete" };
  if (stored !== undefined || note !== undefined)
    return { ...view, stage: "Serving", objection: spec && !spec.takeOver ? removed(names) : undefined };
  const objection =
    observed.kind === "Forbidden"
      ? forbidden(observed.message)
      : spec && seen && objectionTo({ bridge, names, spec, seen });
  return objection ? { ...view, stage: "Refused", objection } : { ...view, stage: "Serving" };
}

const removed = ({ deployment }: TakenNames): TakeOverObjection => ({
  reason: "TakeOverRemoved",
  message: `spec.takeOver: Deployment "${deployment}" still serves as the stable version, so takeOver cannot be taken out yet; put it back, and let a version be promoted, or delete the bridge to leave everything as it was.`,
});

const forbidden = (message: string): TakeOverObjection => ({
  reason: "TakeOverForbidden",
  message: `spec.takeOver: the operator may not see what it is to take over; give it the rights of its chart. ${message.slice(0, 400)}`,
});

/** The snapshot with the old Deployment as one more version of the bridge, while it counts as one. */
export function withOldVersion(snapshot: Snapshot, view: TakeOverView | undefined): Snapshot {
  const { seen } = view ?? {};
  if (view?.stage !== "Serving" || !seen?.deployment || seen.deployment.isEnding) return snapshot;
  const { name, uid, resourceVersion, replicas, image, createdMs } = seen.deployment;
  // What was promoted says so itself; without such a one it is the old version that served.
  const isReplaced = snapshot.deployments.some(({ track }) => track === "production");
  const old: ObservedDeployment = {
    ...{ name, uid, resourceVersion, replicas, image, createdMs },
    revision: TAKEN_OVER,
    track: isReplaced ? "previous" : "production",
    retiredAt: undefined,
  };
  return {
    ...snapshot,
    deployments: [...snapshot.deployments, old],
    pods: [...snapshot.pods, ...seen.pods],
  };
}

/** The rollout's state: a take-over begins with the old version as the stable one, where nothing of the bridge runs yet. */
export function stateWithOld(
  { status, deployments, nowMs }: Snapshot,
  view: TakeOverView | undefined,
): RolloutStatus | undefined {
  const { rollout } = status;
  if (view?.stage !== "Serving") return rollout;
  const isNew =
    rollout === undefined
      ? deployments.every(({ revision }) => revision === TAKEN_OVER)
      : rollout.phase === "Pending" && rollout.canaryRevision === undefined;
  if (!isNew) return rollout;
  const phaseSince = new Date(nowMs).toISOString();
  return { phase: "Stable", phaseSince, stableRevision: TAKEN_OVER };
}

/** Whether the old version serves no more and nothing returns to it by itself. */
export function isComplete(view: TakeOverView | undefined, state: RolloutStatus | undefined): boolean {
  if (view === undefined || view.stage === "Refused") return false;
  if (view.stage !== "Serving") return true;
  const { stableRevision, canaryRevision, previousRevision, phase } = state ?? {};
  const concerned = [stableRevision, canaryRevision, previousRevision].includes(TAKEN_OVER);
  if (concerned || stableRevision === undefined || phase === "Promoting" || !view.seen) return false;
  const { deployment, pods } = view.seen;
  return (deployment?.replicas ?? 0) === 0 && pods.every(({ finished }) => finished);
}
