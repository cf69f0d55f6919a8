import type { Command } from "../api/v1alpha1/commands.ts";
import type { LLMBridgeSpec } from "../api/v1alpha1/spec.ts";
import type { LLMBridgeStatus } from "../api/v1alpha1/status.ts";
import type { FleetView } from "../rollout/fleet/view.ts";
import type { GateAnswer } from "../rollout/gates/answer.ts";
import type { Memory } from "./memory.ts";
import type { BridgeRef } from "./names.ts";
import type { KubeletReason } from "./observe/kubelet.ts";
import type { Measurements } from "./observe/measurements.ts";
import type { ObservedPod } from "./observe/pod.ts";
import type { ObservedChild, ObservedDeployment } from "./observed-children.ts";
import type { ConfigMapReadings } from "./references.ts";
import type { ObservedRoute } from "./route/http-route.ts";
import type { SecretFindings } from "./secret-references.ts";
import type { ObservedTakeOver } from "./take-over/observed.ts";

export interface SpecIssue {
  readonly path: string;
  readonly message: string;
}

/**
 * NameConflict: a child's name is taken by somebody else. WriteRefused: the API server does not take a child of ours. NotCleanedUp:
 * children of a deleted bridge of the same name are still being removed; this one passes by itself. Contested: somebody else changes a
 * child as often as it is restored.
 */
export interface WriteProblem {
  readonly kind: "NameConflict" | "WriteRefused" | "NotCleanedUp" | "Contested";
  readonly message: string;
}

/** What there is to say of a bridge's PodMonitor; Unknown: nothing new. */
export interface PodMonitorState {
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

/** A snapshot but for the other bridges, which are looked at in the very moment of the decision. */
export type Observed = Omit<Snapshot, "rollouts">;

/** Everything one decision rests on, read once and frozen. */
export interface Snapshot extends Measurements {
  readonly nowMs: number;
  readonly bridge: BridgeRef;
  readonly generation: number;
  /** The spec with defaults and the fields that only a newer CRD knows, or what is wrong with it. */
  readonly spec:
    | { readonly ok: true; readonly value: LLMBridgeSpec; readonly newer: readonly string[] }
    | { readonly ok: false; readonly issues: readonly SpecIssue[] };
  /** Why the analysis that the spec names is not known, if so; the spec then has its own, and is not accepted. */
  readonly analysisProblem: string | undefined;
  /** What was heard of gates that the stored status asks for; and why the spec's gates are not permitted, if so. */
  readonly gates: { readonly answers: readonly GateAnswer[]; readonly problem: string | undefined };
  /** Status as it was last written; empty on the first visit. */
  readonly status: LLMBridgeStatus;
  /** Status that this version cannot read, as one sentence; decisions that need it are held. */
  readonly unreadableStatus: string | undefined;
  readonly command: Command | undefined;
  /** Services, ConfigMaps, ServiceAccount, PodDisruptionBudget and NetworkPolicy of this bridge. */
  readonly children: readonly ObservedChild[];
  /** ConfigMaps of the user's that the spec refers to, by name. */
  readonly configMaps: ConfigMapReadings;
  /** Secrets of the user's of which a change is to start a canary, by name. */
  readonly secrets: SecretFindings;
  readonly deployments: readonly ObservedDeployment[];
  readonly pods: readonly ObservedPod[];
  /** What kubelet says of pods that wait for their volumes, by pod name; empty text where it says nothing. */
  readonly kubelet: Readonly<Record<string, KubeletReason>>;
  /** What the last pass could not write, and why. */
  readonly problem: WriteProblem | undefined;
  /** Undefined where the administrator asks for none. Nothing is decided on it. */
  readonly podMonitor: PodMonitorState | undefined;
  /** Other bridges, for the places, turns and order of rollouts. */
  readonly rollouts: FleetView;
  /** Only read under router Gateway. */
  readonly route: ObservedRoute;
  /** What the spec, or the status, takes over. */
  readonly takeOver: ObservedTakeOver;
  /** What this process remembers of the bridge; lost at a restart, and decisions are made so that this is safe. */
  readonly memory: Memory;
  readonly rendererVersion: string;
}
