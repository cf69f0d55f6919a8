import { freezeInForce } from "./freeze.ts";
import type { FleetRules } from "./rules.ts";
import type { FleetView, Place, Waiting } from "./view.ts";

/** Order of turns: who waits for longest is first. */
export function byTurn(one: Waiting, other: Waiting): number {
  return compare(one.since, other.since) || compare(nameOf(one), nameOf(other));
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
const nameOf = ({ namespace, name }: Place): string => `${namespace}/${name}`;
const isSame = (one: Place, other: Place): boolean =>
  one.name === other.name && one.namespace === other.namespace;

const hasLimits = ({ maxRollouts, maxRolloutsPerNamespace }: FleetRules): boolean =>
  maxRollouts !== undefined || maxRolloutsPerNamespace !== undefined;

/** Places that are free, in all and in a namespace. */
function placesOf({ maxRollouts, maxRolloutsPerNamespace }: FleetRules, rolling: readonly Place[]) {
  const taken = new Map<string, number>();
  for (const { namespace } of rolling) taken.set(namespace, (taken.get(namespace) ?? 0) + 1);
  let left = (maxRollouts ?? Number.POSITIVE_INFINITY) - rolling.length;
  const leftIn = (namespace: string) =>
    (maxRolloutsPerNamespace ?? Number.POSITIVE_INFINITY) - (taken.get(namespace) ?? 0);
  return {
    left: () => left,
    leftIn,
    take(namespace: string): boolean {
      if (left <= 0 || leftIn(namespace) <= 0) return false;
      left -= 1;
      taken.set(namespace, (taken.get(namespace) ?? 0) + 1);
      return true;
    },
  };
}

/**
 * Those who can start as soon as there is a place. One that is held by a freeze, by another bridge or by its own spec keeps its turn and stands in
 * nobody's way; when its freeze has ended it counts at once, looked at again or not.
 */
function candidates(view: FleetView, nowMs: number): (waiting: Waiting) => boolean {
  const frozen = new Map<string, boolean>();
  const isFrozen = (namespace: string): boolean => {
    const known = frozen.get(namespace);
    if (known !== undefined) return known;
    const found = freezeInForce(view.rules, namespace, nowMs) !== undefined;
    frozen.set(namespace, found);
    return found;
  };
  return ({ heldFor, namespace }) =>
    heldFor === "FleetLimit" || (heldFor === "FleetFreeze" && !isFrozen(namespace));
}

/** Bridges that have a place now, first in turn first. */
export function nextInTurn(view: FleetView, nowMs: number): Waiting[] {
  if (!view.complete) return [];
  const places = placesOf(view.rules, view.rolling);
  const canStart = candidates(view, nowMs);
  const next: Waiting[] = [];
  for (const one of view.waiting) {
    if (places.left() <= 0) break;
    if (canStart(one) && places.take(one.namespace)) next.push(one);
  }
  return next;
}

/** Why a bridge that could start has no place yet, as one sentence that changes only when who is before it does; undefined where it has one. */
export function whyNoPlace(view: FleetView, self: Waiting, nowMs: number): string | undefined {
  const { rules } = view;
  if (!hasLimits(rules)) return undefined;
  if (!view.complete)
    return "The operator has just started and looks at every bridge before it starts a rollout.";
  const rolling = view.rolling.filter((one) => !isSame(one, self));
  const places = placesOf(rules, rolling);
  const cluster = places.left() <= 0;
  const own = places.leftIn(self.namespace) <= 0;
  const canStart = candidates(view, nowMs);
  const before = view.waiting.filter((one) => !isSame(one, self) && byTurn(one, self) < 0 && canStart(one));
  if (!cluster && !own) {
    for (const one of before) places.take(one.namespace);
    if (places.take(self.namespace)) return undefined;
  }
  const narrow = own || (!cluster && places.left() > 0);
  const rivals = narrow ? before.filter(({ namespace }) => namespace === self.namespace) : before;
  return limitSentence(rules, narrow, rivals.at(-1));
}

function limitSentence(rules: FleetRules, narrow: boolean, before: Waiting | undefined): string {
  const [count, setting, where] = narrow
    ? [rules.maxRolloutsPerNamespace, "fleet.maxRolloutsPerNamespace", " in this namespace"]
    : [rules.maxRollouts, "fleet.maxRollouts", ""];
  const rollouts = count === 1 ? "1 rollout" : `${count} rollouts`;
  const turn = before ? `its turn is after ${nameOf(before)}` : "it is the next to start";
  return `The administrator allows ${rollouts} at once${where} (${setting}); ${turn}.`;
}
