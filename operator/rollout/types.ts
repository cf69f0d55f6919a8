import type { Command } from "../api/v1alpha1/commands.ts";
import type { Rollout } from "../api/v1alpha1/rollout.ts";
import type { DecisionStatus, RolloutStatus, VerdictStatus } from "../api/v1alpha1/status.ts";
import type { FleetFacts } from "./fleet/facts.ts";
import type { GateAnswer } from "./gates/answer.ts";

/**
 * What the rollout engine reads and what it answers. Both are plain values: the engine has no clock, no I/O and no memory of its own, so a
 * restarted operator goes on from the stored state and the facts alone.
 */

/** Why a container does not run, as far as its own facts tell. */
export type FaultReason =
  | "ImagePull"
  | "CrashLoop"
  | "OOMKilled"
  | "HeapExhausted"
  | "BadNodeOptions"
  | "ConfigError"
  | "Unschedulable"
  | "NotCreated"
  | "PodsRefused";

export interface ContainerFault {
  reason: FaultReason;
  /** The pod it was seen at; undefined where there is no pod yet. */
  pod: string | undefined;
  /** One sentence: which container, what happened, what the kubelet or Node said. */
  message: string;
  /** From when on the fault counts against the version; Infinity for one that only explains why pods are not ready. */
  decisiveAtMs: number;
}

/** What is known of one revision's Deployment and pods. */
export interface RevisionFacts {
  /** The Deployment exists. */
  exists: boolean;
  /** `spec.replicas` of the Deployment; 0 where it does not exist. */
  wantedReplicas: number;
  /** Pods that are neither finished nor terminating. */
  pods: number;
  /** Of `pods`, those that are ready. */
  ready: number;
  terminating: number;
  image: string;
  faults: readonly ContainerFault[];
  /** Whether the metrics show requests served by this revision since the present step began; undefined where no metrics tell. */
  servedRequests?: boolean | undefined;
  /** Percent of the bridge's requests that this revision served in the last window; undefined where none was served or no metrics tell. */
  requestShare?: number | undefined;
  createdMs: number;
  /** When each of `pods` was made. */
  podsMadeMs?: readonly number[] | undefined;
  /** Label `llmbridge.dev/track` of the Deployment; only read when the stored state is lost. */
  track?: Track | undefined;
}

/** `previous`: the version before the production one, while that is watched. */
export type Track = "canary" | "production" | "previous";

/** What is known of the route that carries the traffic, under router Gateway. */
export type RouteFacts =
  | {
      kind: "Known";
      /** Percent of the traffic for the canary's Service; undefined where the rules of the route do not agree. */
      canaryWeight: number | undefined;
      /** Percent for the baseline's Service, 0 where the route does not name it; undefined where its rules do not agree. */
      baselineWeight: number | undefined;
      /** What to write into the route before a baseline can get requests by it, where that is missing. */
      noBaseline?: string | undefined;
      /** Whether every parent of the route takes it as it is now; if not, their words. */
      acceptance: { kind: "Accepted" } | { kind: "Waiting" | "Refused"; message: string };
      /** Percent of the requests that it copies to the canary's Service; 0: none. */
      mirror: number;
      /** The administrator lets requests be copied to a canary. */
      mayMirror: boolean;
    }
  /** There is no route to write to: its API, the route itself or our Services in it are missing. */
  | { kind: "Unusable"; message: string }
  /** Not looked at yet. */
  | { kind: "Unknown" };

export interface SignalVerdict {
  category: Extract<VerdictStatus["category"], "ProvedWorse" | "ProvedBelow" | "Undecided" | "NoData">;
  /** Numbers and meaning in one sentence, such as "errors +5.1pp [+3.2, +7.0], n=610". */
  message: string;
}

export interface GateVerdict {
  name: string;
  category: Extract<VerdictStatus["category"], "Passed" | "Violated" | "Undecided" | "NoData">;
  message: string;
}

export type Verdicts =
  | {
      kind: "Judged";
      errors: SignalVerdict;
      /** Present if the spec asks for it. */
      latency?: SignalVerdict | undefined;
      gates: readonly GateVerdict[];
      /** End of the last counting interval that is in the verdict; a step is left only on one that lay wholly at its weight. */
      decidedAtMs: number;
      /** Length of that interval. Default: `interval` of the analysis. */
      intervalMs?: number;
    }
  /** Of a version after its promotion: signals that the change detector found worse. */
  | {
      kind: "Watched";
      alarms: readonly { signal: "errors" | "latency"; message: string }[];
      message: string;
    }
  | { kind: "NotStarted" | "NoData"; message: string };

/** A stored state that this version of the operator cannot read, for example because a newer one wrote a phase it does not know. */
export interface UnreadableState {
  unreadable: string;
}

export interface RolloutInput {
  nowMs: number;
  spec: Rollout;
  /** Revision and image of the present spec. */
  desired: {
    revision: string;
    image: string;
    /** What made it another one, as a sentence, where that does not stand in the spec. */
    because?: string | undefined;
  };
  /** `status.rollout`; undefined where there is none. */
  state: RolloutStatus | UnreadableState | undefined;
  capacity: {
    /** Stable pods needed now, already within the bounds of the spec. */
    needed: number;
    /** Most pods of all revisions together, by the spec's budget and bounds. */
    maxPods: number;
    /** What of the spec sets `maxPods`, and has to be raised for more: "spec.budget.cpu and spec.budget.memory". */
    maxPodsBy: string;
  };
  /** Every revision of the bridge that is known, keyed by revision; the desired one may be absent before it exists. */
  revisions: Readonly<Record<string, RevisionFacts>>;
  /** Only read under router Gateway. */
  route?: RouteFacts | undefined;
  verdicts: Verdicts;
  metrics: { available: boolean; message: string };
  /** What was heard of gates that were asked; absent where none was. */
  gates?: readonly GateAnswer[] | undefined;
  alerts: {
    /** A firing alert asks to hold; its sentence. */
    hold: { name: string; message: string } | undefined;
    /** A firing alert asks for a rollback; ignored where it fired (`sinceMs`) before the canary served. */
    rollback: { name: string; message: string; sinceMs?: number | undefined } | undefined;
  };
  command: Command | undefined;
  acknowledgedCommandId: string | undefined;
  /** What the fleet's rules say; absent where nothing but this bridge is known. */
  fleet?: FleetFacts | undefined;
  /** The spec is valid. If not, the running version stays, a canary holds and nothing new starts. */
  accepted: boolean;
}

/** Revisions that each Service selects. The canary's is empty while there is no canary; a baseline's is there under router Gateway alone. */
export interface ServiceTargets {
  main: readonly string[];
  stable: readonly string[];
  canary: readonly string[];
  baseline?: readonly string[];
}

/** A place in the spec, and what is wrong with it. */
export interface Refusal {
  path: string;
  message: string;
}

/** Why the rollout does not go on, in the order in which it is asked. */
export type HoldReason =
  | "UnreadableState"
  | "NotAccepted"
  | "Paused"
  | "Failed"
  | "AlertHold"
  | "NoPodsNeeded"
  | "TooFewPods"
  | "NoRoom"
  | "FleetFreeze"
  | "FleetOrder"
  | "FleetLimit"
  | "PodsNotReady"
  | "StableNotReady"
  | "BaselineNotReady"
  | "WeightNotApplied"
  | "RouteNotReady"
  | "NoRequests"
  | "HoldTime"
  | "ProvedWorse"
  | "MetricsUnavailable"
  | "NoData"
  | "NoDataTooLong"
  | "Undecided"
  | "GateViolated"
  | "GateUndecided"
  | "GatePending"
  | "GateFailed"
  | "GateNoData"
  | "Inconclusive"
  | "Approval"
  | "Draining";

export interface Hold {
  reason: HoldReason;
  /** "Why is it not promoted yet?" in one sentence. */
  message: string;
}

/** Why a canary leaves the traffic. The last two leave no mark on the revision. */
export type AbortReason =
  | FaultReason
  | "NeverReady"
  | "LostReadiness"
  | "ErrorsProvedWorse"
  | "LatencyProvedWorse"
  | "GateViolated"
  | "GateFailed"
  | "GateNoData"
  | "Alert"
  | "Command"
  | "Inconclusive"
  | "NoData"
  | "Superseded"
  | "Reverted";

export interface CommandResult {
  id: string;
  action: Command["action"];
  result: "Done" | "Refused";
  message: string;
}

/** A rollout that is over: the canary became stable, or it has left. */
export interface RolloutEnd {
  revision: string;
  outcome: "Promoted" | "RolledBack" | "Withdrawn";
  startedMs: number;
  endedMs: number;
  progressMs: number;
  waitingMs: number;
}

export interface RolloutOutcome {
  /** What to store as `status.rollout`; undefined: leave what is there (it could not be read). */
  state: RolloutStatus | undefined;
  /** Pods wanted of every known revision, the desired one included where it is to exist. */
  replicas: Readonly<Record<string, number>>;
  /** Undefined: leave every Service as it is. Written before any Deployment is made smaller. */
  services: ServiceTargets | undefined;
  /** Percent for the canary's Service in the route, the rest for the stable one's; undefined where there is no route. Written after the Services. */
  routeWeight: number | undefined;
  /** Percent for the baseline's Service in the route, out of what is not the canary's. */
  routeBaseline: number;
  /** Percent of the requests that the route copies to the canary's Service, whose answers nobody gets. */
  routeMirror: number;
  /** Label of each revision's Deployment; absent for history. Undefined as a whole: leave them. */
  tracks: Readonly<Record<string, Track>> | undefined;
  /** Pods of the stable version to evict now: so many of those made before then, those first that are not ready. */
  evictions: { before: string; count: number } | undefined;
  /** Percent of the traffic that each serving revision should have now. */
  desiredWeights: Readonly<Record<string, number>>;
  /** The present step of the plan, while there is a canary. */
  step:
    | {
        name: string;
        index: number;
        count: number;
        weight: number;
        /** End of the hold; undefined until the canary has served requests. */
        holdUntilMs: number | undefined;
        needsApproval: boolean;
      }
    | undefined;
  /** What was done or newly held in this pass, oldest first; empty when nothing changed. */
  decisions: readonly DecisionStatus[];
  commandResult: CommandResult | undefined;
  /** The spec asks for something that only the operator can see to be impossible: Accepted=False with this sentence. */
  refusal: Refusal | undefined;
  /** One sentence: what it does now and until when. */
  summary: string;
  /** When to look again even if nothing happens; nowMs when a further move may follow at once. */
  wakeAtMs: number | undefined;
  /**
   * Evidence is gathered from `sinceMs` on for `revision`; `start` drops what was gathered before. `watch`: after the promotion, for changes to the
   * worse.
   */
  evidence:
    | { action: "start" | "continue" | "watch"; revision: string; sinceMs: number }
    | { action: "stop"; revision?: undefined; sinceMs?: undefined };
  canaryHealth: { ready: number; wanted: number; healthy: boolean; message: string } | undefined;
  /** Undefined when nothing is waiting to be promoted. */
  hold: Hold | undefined;
  /** The rollout that ended in this pass. */
  ended: RolloutEnd | undefined;
}
