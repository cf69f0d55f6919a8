import type { DecisionStatus, LLMBridgeStatus } from "../api/v1alpha1/status.ts";
import type { RolloutEnd } from "../rollout/types.ts";
import type { Ending } from "./ending.ts";

/** Kinds of children that every bridge has, by the plural names of their resources. */
export const CHILD_KINDS = [
  "serviceaccounts",
  "poddisruptionbudgets",
  "networkpolicies",
  "configmaps",
  "services",
  "deployments",
] as const;
export type RequiredKind = (typeof CHILD_KINDS)[number];
/** Kinds that a bridge has where their API is served and the administrator asks for them. */
type OptionalKind = "podmonitors" | "httproutes" | "jobs";
export type ChildKind = RequiredKind | OptionalKind;

export interface ChildObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly object[];
  };
}

/**
 * One write to the API server. Executed in the order of the plan; the first that fails ends the pass, so the order is
 * part of the safety: capacity grows before traffic moves, traffic moves before capacity shrinks.
 */
export type Write =
  /** A child that is not there. Refused if something of that name belongs to somebody else. */
  | { readonly kind: "Create"; readonly resource: ChildKind; readonly object: ChildObject }
  /** A child of ours that says something else than it should; bound to the version it was decided on. */
  | {
      readonly kind: "Update";
      readonly resource: ChildKind;
      readonly object: ChildObject;
      readonly uid: string;
      readonly resourceVersion: string;
    }
  /** Replicas and track of a Deployment; bound to the version it was decided on. */
  | {
      readonly kind: "Capacity";
      readonly name: string;
      readonly uid: string;
      readonly resourceVersion: string;
      readonly replicas: number;
      readonly track: string | undefined;
      /** When its track became `retired` (RFC 3339); undefined for any other, and where nobody knows. */
      readonly retiredAt: string | undefined;
      /** What became of it, noted with that. */
      readonly ending: Ending | undefined;
    }
  /** Weights of our Services in a route of the user's; bound to the version it was decided on. Nothing else of it is touched. */
  | {
      readonly kind: "RouteWeights";
      readonly name: string;
      readonly uid: string;
      readonly resourceVersion: string;
      readonly changes: readonly WeightChange[];
    }
  /** A child that is no longer wanted; bound to the version it was decided on. */
  | {
      readonly kind: "Delete";
      readonly resource: ChildKind;
      readonly name: string;
      readonly uid: string;
      readonly resourceVersion: string;
    }
  /** What was there before the bridge and is taken over: only ever patched; objects that are not pods bound to the version it was decided on. */
  | {
      readonly kind: "Foreign";
      readonly resource: "deployments" | "services" | "pods";
      readonly name: string;
      readonly uid: string;
      readonly resourceVersion?: string;
      /** JSON merge patch. */
      readonly patch: Readonly<Record<string, unknown>>;
    }
  /**
   * A copy of a Secret of the user's, for a revision. Its content is put in when it is written, if it is what the fingerprint stands for; plans hold no
   * secrets. One that is there already was made by this very write before.
   */
  | {
      readonly kind: "KeepSecret";
      readonly revision: string;
      /** Of the copy. */
      readonly name: string;
      readonly from: string;
      /** Undefined: all of it. */
      readonly keys: readonly string[] | undefined;
      readonly fingerprint: string;
    }
  /** Whether a deletion of the bridge waits until what it took over is given back. */
  | { readonly kind: "Finalizer"; readonly change: "Add" | "Remove" }
  /** A pod to be replaced, as far as disruption budgets allow it. */
  | { readonly kind: "Evict"; readonly name: string; readonly uid: string }
  | {
      readonly kind: "AnnotatePod";
      readonly name: string;
      readonly uid: string;
      readonly annotations: Readonly<Record<string, string>>;
    };

/** One backend of one rule, by their places in their lists. */
interface WeightChange {
  readonly rule: number;
  readonly backend: number;
  readonly weight: number;
}

export interface PlannedEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

/** What one pass wants: writes in order, the status to report, events, decisions, and when to look again. */
export interface Plan {
  readonly writes: readonly Write[];
  readonly status: LLMBridgeStatus;
  /** Conditions: the rest of the stored status cannot be read, so it stays as it is. */
  readonly statusScope: "Whole" | "Conditions";
  readonly events: readonly PlannedEvent[];
  readonly decisions: readonly DecisionStatus[];
  /** The rollout that ends with this status, if one does. */
  readonly ended?: RolloutEnd | undefined;
  /** Milliseconds until the next look even if nothing changes; undefined: only when something does. */
  readonly wakeAfterMs?: number;
}
