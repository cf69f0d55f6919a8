/** What a circuit needs to know; all times in milliseconds. */
export interface CircuitOptions {
  /** Failures in a row that open the circuit. Default 5. */
  readonly threshold?: number;
  /** First rest after opening; doubles with every failed probe. Default 500. */
  readonly restMs?: number;
  /** Longest rest. Default 15,000. */
  readonly maxRestMs?: number;
  /** Monotonic clock. */
  readonly now: () => number;
  /** Uniform in [0, 1); spreads the probes of many pods. */
  readonly random: () => number;
}

/**
 * Keeps a failing dependency off the hot path: after a run of failures nothing is tried until a rest has passed, then one
 * caller probes it while the others are still refused.
 */
export interface Circuit {
  /** Whether to try now. Every `true` must be answered by `success` or `failure`. */
  allows(): boolean;
  success(): void;
  failure(): void;
  readonly open: boolean;
}

/** A closed circuit. */
export function createCircuit(options: CircuitOptions): Circuit {
  const threshold = options.threshold ?? 5;
  const firstRestMs = options.restMs ?? 500;
  const maxRestMs = options.maxRestMs ?? 15_000;
  let failures = 0;
  let restMs = firstRestMs;
  let openUntilMs: number | undefined;
  let probing = false;

  return {
    get open() {
      return openUntilMs !== undefined;
    },
    allows() {
      if (openUntilMs === undefined) return true;
      if (probing || options.now() < openUntilMs) return false;
      probing = true;
      return true;
    },
    success() {
      failures = 0;
      restMs = firstRestMs;
      openUntilMs = undefined;
      probing = false;
    },
    failure() {
      failures += 1;
      // Answers to calls made before the circuit opened must not lengthen the rest; only the probe's does.
      if (openUntilMs !== undefined && !probing) return;
      if (!probing && failures < threshold) return;
      if (probing) restMs = Math.min(maxRestMs, restMs * 2);
      probing = false;
      openUntilMs = options.now() + restMs * (0.8 + 0.4 * options.random());
    },
  };
}
