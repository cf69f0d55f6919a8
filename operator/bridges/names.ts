import { createHash } from "node:crypto";
import { LABELS } from "../../contract/kubernetes.ts";

/** Names and labels of everything that belongs to one bridge. Deterministic, so a stale cache meets AlreadyExists instead of making a second child. */

export const FIELD_MANAGER = "llmbridge-operator";
/** Replicas and the track label of a Deployment have an owner of their own, so that scaling never touches what was rendered. */
export const CAPACITY_MANAGER = "llmbridge-operator-capacity";
export const STATUS_MANAGER = "llmbridge-operator-status";
/** Writes conditions beside a status that cannot be read. */
export const CONDITIONS_MANAGER = "llmbridge-operator-conditions";

export const ANNOTATIONS = {
  /** Version of the operator that rendered a revision. Informative: a revision is never rendered again. */
  renderer: "llmbridge.dev/renderer",
  hashAlgorithm: "llmbridge.dev/hash-algorithm",
  /** Touched on pods so that kubelet refreshes the mounted runtime ConfigMap at once. */
  runtimeGeneration: "llmbridge.dev/runtime-generation",
  /** Touched on pods so that kubelet looks at once whether a Secret that they mount has changed: when it was first seen to have. */
  secretsChanged: "llmbridge.dev/secrets-changed",
  /** On the runtime ConfigMap: what a pod may hold of Postgres that has not confirmed the newest generation. */
  poolCeiling: "llmbridge.dev/pool-ceiling",
  /** On Deployments of old revisions: when they were retired, which says how long their history is kept. */
  retiredAt: "llmbridge.dev/retired-at",
  /** Beside it: what became of the revision, one word, and why. */
  outcome: "llmbridge.dev/outcome",
  outcomeReason: "llmbridge.dev/outcome-reason",
  deletionCost: "controller.kubernetes.io/pod-deletion-cost",
  /** Set on Deployments: pods of this revision at the time of writing carry these runtime settings. */
  image: "llmbridge.dev/image",
  /** On the copy of a ConfigMap or Secret that a revision keeps: the name of that which it was made from. */
  keptFrom: "llmbridge.dev/kept-from",
  /** On a PodMonitor: hash of what the settings make of it, so that what is taken out of them is taken off it. */
  settings: "llmbridge.dev/settings",
  /** On a Deployment and a Service that were there before: name and uid of the bridge that takes them over. */
  takenOverBy: "llmbridge.dev/taken-over-by",
  /** On such a Deployment: the pods that it had. */
  replicasBefore: "llmbridge.dev/replicas-before",
  /** On such a Service: its selector and ports as they were. */
  serviceBefore: "llmbridge.dev/service-before",
} as const;

export const MANAGED_BY = { "app.kubernetes.io/managed-by": "llmbridge-operator" } as const;

export interface BridgeRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Labels that selectors may use: immutable for the life of a pod. */
export function selectorLabels(bridge: string, revision?: string): Record<string, string> {
  return revision === undefined
    ? { [LABELS.bridge]: bridge }
    : { [LABELS.bridge]: bridge, [LABELS.revision]: revision };
}

/** Labels of children other than pods. */
export function childLabels(bridge: string, component: string): Record<string, string> {
  return {
    "app.kubernetes.io/name": "llmbridge",
    "app.kubernetes.io/instance": bridge,
    "app.kubernetes.io/component": component,
    "app.kubernetes.io/part-of": "llmbridge",
    ...MANAGED_BY,
    [LABELS.bridge]: bridge,
  };
}

export const revisionName = (bridge: string, revision: string) => `${bridge}-${revision}`;
export const runtimeName = (bridge: string, revision: string) => `${bridge}-${revision}-runtime`;
/** Copy of a ConfigMap of the user's; by number, because its own name may be as long as a name may be. */
export const keptName = (bridge: string, revision: string, index: number) =>
  `${bridge}-${revision}-config-${index}`;
/**
 * Copy of a Secret of the user's. The operator may make copies and neither read nor delete any, so each making has a name of its own: one that is left of
 * an earlier revision of the same hash, and is about to be removed with that, must not be taken for it.
 * @param making tells makings of one revision apart; lower-case letters and digits
 */
export const keptSecretName = (bridge: string, revision: string, index: number, making: string) =>
  `${bridge}-${revision}-secret-${index}-${making}`;
export const productionService = (bridge: string) => `${bridge}-production`;
export const canaryService = (bridge: string) => `${bridge}-canary`;
export const baselineService = (bridge: string) => `${bridge}-baseline`;

export function ownerReference(bridge: BridgeRef) {
  return {
    apiVersion: "llmbridge.dev/v1alpha1",
    kind: "LLMBridge",
    name: bridge.name,
    uid: bridge.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** First hex digits of SHA-256 over a text; 40 bits are plenty among the revisions of one bridge. */
export function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 10);
}
