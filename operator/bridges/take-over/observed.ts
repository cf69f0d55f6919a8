import { LABELS } from "../../../contract/kubernetes.ts";
import { ANNOTATIONS, type BridgeRef } from "../names.ts";
import type { ObservedPod } from "../observe/pod.ts";

/** What stands for the old Deployment where a revision of ours would be named: in status, in labels of its pods and in selectors. */
export const TAKEN_OVER = "taken-over";

/** Held while what was taken over would have to be given back, should the bridge be deleted. */
export const TAKE_OVER_FINALIZER = "llmbridge.dev/take-over";

/** Named port of a container. */
export interface ContainerPort {
  readonly name?: string | undefined;
  readonly containerPort: number;
}

/** The Deployment that is taken over from, as it is. */
export interface OldDeployment {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly image: string;
  readonly replicas: number;
  /** Its pods are all of its present template, and its controller has seen its present spec. */
  readonly isSettled: boolean;
  readonly createdMs: number;
  /** "Rollout web", where another controller makes it. */
  readonly owner: string | undefined;
  readonly isEnding: boolean;
  readonly templateLabels: Readonly<Record<string, string>>;
  readonly ports: readonly ContainerPort[];
  /** Who writes it again from elsewhere, such as a Helm release; undefined where nobody says so. */
  readonly deployedBy: string | undefined;
  readonly note: Note | undefined;
}

export interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly targetPort?: number | string;
}

/** The Service that its clients use, as it is. */
export interface OldService {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly type: string;
  readonly owner: string | undefined;
  readonly selector: Readonly<Record<string, string>>;
  /** Whole, since a list is written whole. */
  readonly ports: readonly ServicePort[];
  readonly note: Note | undefined;
  /** What it said before it was taken over; undefined where it was not. */
  readonly before: Pick<OldService, "selector" | "ports"> | undefined;
}

/** Left on what is taken over, so that two bridges cannot take the same and so that it can be given back whatever is lost. */
export interface Note {
  readonly bridge: string;
  readonly uid: string;
  readonly replicas: number;
}

export interface OldPod extends ObservedPod {
  /** Carries the labels by which Services of the bridge select it; only then it counts as ready for the bridge. */
  readonly isLabelled: boolean;
  /** Ready for the old Service, whatever labels it carries. */
  readonly isServing: boolean;
}

export interface TakenObjects {
  readonly kind: "Read";
  readonly deployment: OldDeployment | undefined;
  /** Those that are named and there. */
  readonly services: readonly OldService[];
  /** Pods of the Deployment, by its own selector and the ReplicaSets that it made. */
  readonly pods: readonly OldPod[];
  /** Names of the HorizontalPodAutoscalers that scale it. */
  readonly autoscalers: readonly string[];
  readonly hasFinalizer: boolean;
}

/** What is known of it. None: nothing is taken over. */
export type ObservedTakeOver =
  | { readonly kind: "None" }
  /** It may not be read; the message says what to do. */
  | { readonly kind: "Forbidden"; readonly message: string }
  /** Complete and at rest: not looked at in this pass. */
  | { readonly kind: "Resting" }
  | TakenObjects;

/** Names of what is taken over: of the spec, or of the status where the spec does not say so any more. */
export interface TakenNames {
  readonly deployment: string;
  readonly services: readonly string[];
}

export const isOurs = (note: Note | undefined, bridge: BridgeRef): boolean => note?.uid === bridge.uid;

export function readNote(annotations: Readonly<Record<string, string>> | undefined): Note | undefined {
  const text = annotations?.[ANNOTATIONS.takenOverBy];
  if (text === undefined) return undefined;
  const [bridge = "", uid = ""] = text.split("/");
  return { bridge, uid, replicas: Number(annotations?.[ANNOTATIONS.replicasBefore] ?? 0) || 0 };
}

/** Labels that lead Services of the bridge to a pod of the old Deployment. */
export const takenLabels = (bridge: BridgeRef): Readonly<Record<string, string>> => ({
  [LABELS.bridge]: bridge.name,
  [LABELS.revision]: TAKEN_OVER,
});
