import { iso } from "../clock.ts";
import { type FreezeInForce, freezeInForce } from "./freeze.ts";
import { whyNotYet } from "./order.ts";
import { whyNoPlace } from "./turn.ts";
import type { FleetView } from "./view.ts";

/** What the fleet has to say to one bridge's rollout. */
export interface FleetFacts {
  readonly freeze: FreezeInForce | undefined;
  /** Why other bridges come first by `spec.rollout.after`. */
  readonly order: string | undefined;
  /** Why there is no place yet among the rollouts that the administrator allows. */
  readonly limit: string | undefined;
}

export interface FleetQuestion {
  readonly namespace: string;
  readonly name: string;
  readonly after: readonly string[];
  /** Since when the change waits; undefined where it has not waited yet. */
  readonly since: string | undefined;
  readonly nowMs: number;
}

/** The fleet coordinator: a function of the others' stored states alone, so that a restart changes neither turns nor places. */
export function fleetFacts(
  view: FleetView,
  { namespace, name, after, since, nowMs }: FleetQuestion,
): FleetFacts {
  const self = { namespace, name, since: turnSince(since, nowMs), heldFor: "FleetLimit" };
  return {
    freeze: freezeInForce(view.rules, namespace, nowMs),
    order: whyNotYet(view, name, after),
    limit: whyNoPlace(view, self, nowMs),
  };
}

/** A time that lies ahead was noted by a clock that has been put back since; it must not cost the turn. */
export function turnSince(since: string | undefined, nowMs: number): string {
  const now = iso(nowMs);
  return since === undefined || since > now ? now : since;
}
