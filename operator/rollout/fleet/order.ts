import type { FleetView, Peer } from "./view.ts";

/** A rollout that is through: what the spec asked for serves. */
const SETTLED: readonly Peer["phase"][] = ["Stable", "Draining"];

/**
 * Why a bridge does not start before those that its `spec.rollout.after` names; the first that is not through says so. Names that lead back to the
 * bridge itself order nothing, or all of the circle would wait for ever.
 */
export function whyNotYet(view: FleetView, name: string, after: readonly string[]): string | undefined {
  for (const other of after) {
    if (leadsTo(view, other, name)) continue;
    const peer = view.peers[other];
    if (!peer)
      return `spec.rollout.after: there is no LLMBridge "${other}" in this namespace that this operator runs; create it, or remove the name.`;
    const why = unsettled(other, peer);
    if (why) return why;
  }
  return undefined;
}

function unsettled(name: string, peer: Peer): string | undefined {
  const so = `It starts after LLMBridge "${name}" (spec.rollout.after)`;
  if (peer.stalled !== undefined) return `${so}, which does not go on: ${peer.stalled.slice(0, 120)}`;
  if (!peer.current || peer.phase === undefined) return `${so}, whose spec has just changed.`;
  if (!SETTLED.includes(peer.phase)) return `${so}, whose own change is under way.`;
  return peer.heldFor === undefined ? undefined : `${so}, whose own change waits (${peer.heldFor}).`;
}

/** The circle that `after` makes, from the bridge back to itself, for people to read; undefined where there is none. */
export function circle(
  view: FleetView,
  name: string,
  after: readonly string[],
): readonly string[] | undefined {
  for (const other of after) {
    const path = pathTo(view, other, name);
    if (path) return [name, ...path];
  }
  return undefined;
}

const leadsTo = (view: FleetView, from: string, to: string): boolean => pathTo(view, from, to) !== undefined;

/** Shortest way along `after`, breadth first; each bridge is looked at once. */
function pathTo(view: FleetView, from: string, to: string): readonly string[] | undefined {
  const seen = new Set([from]);
  let paths: string[][] = [[from]];
  while (paths.length > 0) {
    const found = paths.find((path) => path.at(-1) === to);
    if (found) return found;
    paths = paths.flatMap((path) =>
      (view.peers[path.at(-1) ?? ""]?.after ?? [])
        .filter((next) => !seen.has(next) && seen.add(next))
        .map((next) => [...path, next]),
    );
  }
  return undefined;
}
