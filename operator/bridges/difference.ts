import { LABELS } from "../../contract/kubernetes.ts";
import type { KeepSecretWrite } from "./apply.ts";
import { covers } from "./covers.ts";
import { type Ending, readEnding } from "./ending.ts";
import { ANNOTATIONS } from "./names.ts";
import { type ObservedChild, type ObservedDeployment, REPLICA_FAILURE } from "./observed-children.ts";
import type { ChildKind, ChildObject, Write } from "./plan.ts";
import type { TakeOverWrites } from "./take-over/writes.ts";

/** Values of the label `llmbridge.dev/track` on Deployments. */
export type TrackLabel = "canary" | "production" | "previous" | "baseline" | "retired";

/** A Deployment of a revision as it is wanted: its rendered object is used only if it does not exist. */
export interface DesiredRevision {
  readonly revision: string;
  readonly name: string;
  readonly replicas: number;
  /** `retired`: an old revision at zero. Written and not left out, since a label of two writers cannot be removed by one. */
  readonly track: TrackLabel | undefined;
  /** Of one that retires: what became of it. */
  readonly ending?: Ending | undefined;
  /** Rendered Deployment, or undefined where it cannot be rendered any more (its ConfigMap was deleted too). */
  readonly rendered: ChildObject | undefined;
}

export interface DesiredState {
  /** ServiceAccount, PodDisruptionBudget, NetworkPolicy and ConfigMaps. */
  readonly supporting: readonly ObservedChild[];
  /** Copies of Secrets to be made, after the ConfigMaps that own them and before the pods that read them. */
  readonly secrets: readonly KeepSecretWrite[];
  readonly services: readonly ChildObject[];
  /** What has to be written to what is taken over. */
  readonly takeOver: TakeOverWrites;
  /** What has to be written to the route, after the Services: a weight is given to a Service that selects whom it should. */
  readonly route: readonly Write[];
  readonly revisions: readonly DesiredRevision[];
  /** Pods to annotate, such as for a new runtime generation or a deletion cost. */
  readonly podAnnotations: readonly {
    readonly name: string;
    readonly uid: string;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
  /** Pods to be replaced. */
  readonly evictions: readonly { readonly name: string; readonly uid: string }[];
  /** Children no longer wanted. */
  readonly surplus: readonly Omit<Extract<Write, { kind: "Delete" }>, "kind">[];
}

/** The writes that turn what is observed into what is desired, in safe order; empty when nothing differs. */
export function difference(
  desired: DesiredState,
  observed: {
    readonly children: readonly ObservedChild[];
    readonly deployments: readonly ObservedDeployment[];
    readonly nowMs: number;
  },
): Write[] {
  const ensure = (resource: ChildKind, object: ChildObject): Write[] => {
    const existing = observed.children.find(
      (child) => child.resource === resource && child.object.metadata.name === object.metadata.name,
    );
    return differenceOf({ resource, object }, existing?.object);
  };
  const capacity = desired.revisions.flatMap((want) =>
    capacityWrites(want, observed.deployments, observed.nowMs),
  );
  const shrinking = (write: Write) =>
    write.kind === "Capacity" && write.replicas < (find(observed.deployments, write.name)?.replicas ?? 0);
  return [
    ...desired.takeOver.first,
    ...desired.supporting.flatMap((child) => ensure(child.resource, child.object)),
    ...desired.secrets,
    ...capacity.filter((write) => !shrinking(write)),
    ...desired.takeOver.growth,
    ...desired.services.flatMap((object) => ensure("services", object)),
    ...desired.takeOver.traffic,
    ...desired.route,
    ...desired.podAnnotations.map((pod) => ({ kind: "AnnotatePod" as const, ...pod })),
    ...desired.evictions.map((pod) => ({ kind: "Evict" as const, ...pod })),
    ...capacity.filter(shrinking),
    ...desired.takeOver.last,
    ...desired.surplus.map((child) => ({ kind: "Delete" as const, ...child })),
  ];
}

/** The write that makes one child what it should be; none where it is. */
export function differenceOf(
  { resource, object }: ObservedChild,
  existing: ChildObject | undefined,
): Write[] {
  if (!existing) return [{ kind: "Create", resource, object }];
  // An immutable ConfigMap is never written again, whatever it says.
  if ("immutable" in existing && existing.immutable === true) return [];
  if (covers(existing, object)) return [];
  const { uid = "", resourceVersion = "" } = existing.metadata;
  return [{ kind: "Update", resource, object, uid, resourceVersion }];
}

function find(deployments: readonly ObservedDeployment[], name: string): ObservedDeployment | undefined {
  return deployments.find((one) => one.name === name);
}

function capacityWrites(
  want: DesiredRevision,
  deployments: readonly ObservedDeployment[],
  nowMs: number,
): Write[] {
  const have = find(deployments, want.name);
  if (have) {
    const track = want.track ?? have.track;
    if (have.replicas === want.replicas && have.track === track) return [];
    const { name, uid, resourceVersion } = have;
    return [
      {
        kind: "Capacity",
        name,
        uid,
        resourceVersion,
        replicas: want.replicas,
        track,
        ...end(want, have, nowMs),
      },
    ];
  }
  // A revision of the past that is gone is not brought back only to stand at zero.
  if (!want.rendered || want.replicas === 0) return [];
  return [{ kind: "Create", resource: "deployments", object: withCapacity(want.rendered, want) }];
}

/** When a revision retired and what became of it; what was noted then stays as it is, since what this write leaves out goes. */
function end(
  want: DesiredRevision,
  have: ObservedDeployment,
  nowMs: number,
): Pick<Extract<Write, { kind: "Capacity" }>, "retiredAt" | "ending"> {
  if ((want.track ?? have.track) !== "retired") return { retiredAt: undefined, ending: undefined };
  if (have.track === "retired") return { retiredAt: have.retiredAt, ending: have.ending };
  return { retiredAt: new Date(nowMs).toISOString(), ending: want.ending };
}

function withCapacity(rendered: ChildObject, want: DesiredRevision): ChildObject {
  const { metadata } = rendered;
  const spec = "spec" in rendered ? (rendered.spec as object) : {};
  const labels = { ...metadata.labels, ...(want.track ? { [LABELS.track]: want.track } : {}) };
  return {
    ...rendered,
    metadata: { ...metadata, labels },
    spec: { ...spec, replicas: want.replicas },
  } as ChildObject;
}

/** Summary of a Deployment of ours; undefined where it lacks the revision label. */
export function observeDeployment(object: {
  readonly metadata: ChildObject["metadata"] & { readonly creationTimestamp?: string };
  readonly spec?: { readonly replicas?: number };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly message?: string;
    }[];
  };
}): ObservedDeployment | undefined {
  const { metadata } = object;
  const revision = metadata.labels?.[LABELS.revision];
  if (revision === undefined) return undefined;
  const failure = object.status?.conditions?.find(
    ({ type, status }) => type === REPLICA_FAILURE && status === "True",
  );
  return {
    name: metadata.name,
    uid: metadata.uid ?? "",
    resourceVersion: metadata.resourceVersion ?? "",
    revision,
    replicas: object.spec?.replicas ?? 1,
    track: metadata.labels?.[LABELS.track],
    image: metadata.annotations?.[ANNOTATIONS.image] ?? "",
    createdMs: Date.parse(metadata.creationTimestamp ?? "") || 0,
    retiredAt: metadata.annotations?.[ANNOTATIONS.retiredAt],
    ending: readEnding(metadata.annotations),
    ...(failure?.message ? { refusal: failure.message } : {}),
  };
}
