import type { KubeObject } from "./object.ts";

/** The parts of a coordination.k8s.io/v1 Lease that election uses. */
export interface Lease extends KubeObject {
  readonly spec?: LeaseSpec | undefined;
}

export interface LeaseSpec {
  /** Empty or absent: nobody holds it. */
  readonly holderIdentity?: string | undefined;
  readonly leaseDurationSeconds?: number | undefined;
  readonly acquireTime?: string | undefined;
  readonly renewTime?: string | undefined;
  readonly leaseTransitions?: number | undefined;
}

/**
 * A MicroTime: RFC 3339 in UTC with exactly six digits of fraction; the API server refuses any other number of them.
 * @param ms wall clock
 */
export function microTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000Z`;
}

/** What a candidate knows about a lease: its content, and when, by the candidate's own monotonic clock, that content was new. */
export interface Observation {
  readonly holder: string;
  readonly resourceVersion: string;
  readonly durationMs: number;
  readonly observedAtMs: number;
}

/**
 * Takes in the lease as read just now. The clock of the holder is never believed: a lease counts as alive for its duration after the
 * moment its record was last seen to change, so clocks may differ by any amount.
 * @param nowMs monotonic
 */
export function observe(previous: Observation | undefined, lease: Lease, nowMs: number): Observation {
  const { resourceVersion } = lease.metadata;
  return {
    holder: lease.spec?.holderIdentity ?? "",
    resourceVersion,
    durationMs: (lease.spec?.leaseDurationSeconds ?? 0) * 1000,
    observedAtMs: previous?.resourceVersion === resourceVersion ? previous.observedAtMs : nowMs,
  };
}

/**
 * Milliseconds until a candidate may take the lease; 0 when it may now. A candidate that finds itself as the holder won before
 * without having got the answer.
 */
export function waitBeforeTakingMs(observation: Observation, identity: string, nowMs: number): number {
  if (observation.holder === "" || observation.holder === identity) return 0;
  return Math.max(0, observation.observedAtMs + observation.durationMs - nowMs);
}
