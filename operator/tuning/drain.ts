/** What a pod may still be busy with when it is told to stop. Times in milliseconds. */
export interface DrainInput {
  upstreams: readonly { connectMs: number; firstByteMs: number }[];
  /** The bridge ends any request after this long. */
  requestMs: number;
  /** Longest stream worth waiting for, such as the p99.9 of past streams; default 120 s. */
  longestStreamMs?: number;
}

/** Times of the drain protocol. */
export interface DrainTimes {
  /** After SIGTERM the pod still accepts for this long, while endpoints and proxies learn that it goes. */
  settleMs: number;
  /** Then requests and streams get this long before they are cut. */
  deadlineMs: number;
  /** For the pod's template: settle and deadline, and time to close pools and exit. */
  terminationGracePeriodSeconds: number;
}

/** Endpoint changes reach every proxy within a second or two; the rest is for load balancers in front. */
const SETTLE_MS = 5_000;
/** At 50 tokens a second the p99 answer takes 12-22 s (Azure and Mooncake traces); reasoning models need minutes. */
const LONGEST_STREAM_MS = 120_000;
const EXIT_MS = 15_000;

/** The time that the slowest request can need: to connect, to wait for the first byte, and to stream. */
export const longestMs = (upstreams: DrainInput["upstreams"], streamMs = LONGEST_STREAM_MS): number =>
  Math.max(0, ...upstreams.map(({ connectMs, firstByteMs }) => connectMs + firstByteMs)) + streamMs;

/**
 * F11: a pod gets the time that its slowest request can need: to connect, to wait for the first byte, and to stream; never
 * more than the bridge allows a request at all. A pod without streams exits at once, so that a long deadline costs only
 * pods that are in use. Rounded up to whole seconds, so that equal specs give equal pod templates.
 */
export function drainTimes({
  upstreams,
  requestMs,
  longestStreamMs = LONGEST_STREAM_MS,
}: DrainInput): DrainTimes {
  const deadlineMs = Math.ceil(Math.min(requestMs, longestMs(upstreams, longestStreamMs)) / 1000) * 1000;
  return {
    settleMs: SETTLE_MS,
    deadlineMs,
    terminationGracePeriodSeconds: (SETTLE_MS + deadlineMs + EXIT_MS) / 1000,
  };
}
