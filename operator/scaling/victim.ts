/** A pod that could be taken away. */
export interface VictimCandidate {
  pod: string;
  ready: boolean;
  /** Open responses and WebSocket connections; undefined if unknown. */
  openStreams: number | undefined;
  /** When it was created. */
  createdAtMs: number;
}

/**
 * The pod whose loss costs least, to be given the deletion cost before a version shrinks by one: one that is not ready,
 * else the one with the fewest open streams, else the youngest, whose cache is coldest. A pod whose streams are unknown counts
 * as having the most. Undefined of nothing.
 */
export function victim(pods: readonly VictimCandidate[]): VictimCandidate | undefined {
  return pods.toSorted(
    (a, b) =>
      Number(a.ready) - Number(b.ready) ||
      compare(a.openStreams ?? Number.POSITIVE_INFINITY, b.openStreams ?? Number.POSITIVE_INFINITY) ||
      b.createdAtMs - a.createdAtMs ||
      (a.pod < b.pod ? -1 : 1),
  )[0];
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
