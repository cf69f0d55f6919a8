import type { Phase } from "../../api/v1alpha1/status.ts";
import { type FleetRules, NO_RULES } from "./rules.ts";

/** What one bridge may know of the others: their stored states, frozen for one decision. */
export interface FleetView {
  readonly rules: FleetRules;
  /** Bridges whose rollout takes a place. */
  readonly rolling: readonly Place[];
  /** Bridges with a change that was not started, in the order of their turns. */
  readonly waiting: readonly Waiting[];
  /** Bridges of the same namespace that `spec.rollout.after` names, and those that these name in turn; absent where there is none. */
  readonly peers: Readonly<Record<string, Peer>>;
  /** Every bridge was looked at since this process leads; before, one that rolls may not be seen to. */
  readonly complete: boolean;
}

export interface Place {
  readonly namespace: string;
  readonly name: string;
}

export interface Waiting extends Place {
  /** Since when, RFC 3339. */
  readonly since: string;
  /** Why it was not started when it was last looked at. */
  readonly heldFor: string | undefined;
}

export interface Peer {
  readonly after: readonly string[];
  readonly phase: Phase | undefined;
  readonly heldFor: string | undefined;
  /** The operator has looked at its present spec. */
  readonly current: boolean;
  /** Why it does not go on by itself. */
  readonly stalled: string | undefined;
}

/** For one bridge that is alone. */
export const ALONE: FleetView = { rules: NO_RULES, rolling: [], waiting: [], peers: {}, complete: true };

/**
 * Phases in which a rollout takes a place of those that the administrator allows. A first version takes none, since nothing serves without it, nor
 * does a promoted one whose predecessor's pods finish their streams.
 */
const ROLLING: readonly (Phase | undefined)[] = ["Preparing", "Stepping", "Holding", "Promoting", "Aborting"];

export const isRolling = (phase: Phase | undefined): boolean => ROLLING.includes(phase);
