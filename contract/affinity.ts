/**
 * Session affinity behind a Gateway: what the operator's route tells the pod that answers, and the cookie by which the route knows a client again.
 *
 * Each client draws a lot from 0 to 99, once a rollout. At weight *w* the lots below *w* belong to the canary: a client keeps its version for as long
 * as the weight lets it, moves at most once on the way forward, and the canary's share of the clients is the weight. The lot is drawn by the pod that
 * answers a client's first request, from the lots of its own version, so that the second request is answered by the same version as the first.
 */

/** Request header that the route sets, on requests of bridges with affinity alone. */
export const AFFINITY_HEADER = "x-llmbridge-affinity";

/** What the route asks of the pod that answers. */
export interface AffinityOrder {
  /** Name of the cookie. */
  readonly cookie: string;
  /** The rollout under way. Without one a cookie that a client still has is taken back. */
  readonly round?: AffinityRound | undefined;
}

export interface AffinityRound {
  /** Names the rollout, so that cookies of others mean nothing in it: lower-case letters, digits and '-'. */
  readonly id: string;
  /** Revision of the canary. */
  readonly canary: string;
  /** Percent of the clients for the canary, 1 to 100. */
  readonly weight: number;
  /** How long a client that does not come back is remembered. */
  readonly maxAgeSeconds: number;
}

/** Lots are so many. */
export const LOTS = 100;

/** "c", or "c; round=r; canary=a1; weight=25; max-age=86400". */
export function formatAffinity({ cookie, round }: AffinityOrder): string {
  if (!round) return cookie;
  const { id, canary, weight, maxAgeSeconds } = round;
  return `${cookie}; round=${id}; canary=${canary}; weight=${weight}; max-age=${maxAgeSeconds}`;
}

const ORDER =
  /^([A-Za-z0-9][-_A-Za-z0-9]{0,63})(?:; round=([-a-z0-9]{1,63}); canary=([-a-z0-9]{1,63}); weight=(\d{1,3}); max-age=(\d{1,7}))?$/;

/** What `formatAffinity` wrote; undefined for anything else, since the header of a request may be anybody's. */
export function parseAffinity(text: string): AffinityOrder | undefined {
  const [, cookie, id, canary, weight, maxAge] = ORDER.exec(text) ?? [];
  if (cookie === undefined) return undefined;
  if (id === undefined || canary === undefined) return { cookie };
  return { cookie, round: { id, canary, weight: Number(weight), maxAgeSeconds: Number(maxAge) } };
}

/** Value of a client's cookie: the round and its lot, in two digits. */
export const lotValue = (id: string, lot: number): string => `${id}.${String(lot).padStart(2, "0")}`;
