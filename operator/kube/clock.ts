/** A timer that has been set; cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
  /** The process need not live for it: what it would do has no use once all else has ended. */
  unref(): Timer;
}

/** Where the runtime takes its time from, so that tests and the simulator run in virtual time. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. Jumps when the host's time is set: never use it to measure. */
  now(): number;
  /** Milliseconds since an arbitrary start; never goes back. Use it for every duration and deadline. */
  monotonic(): number;
  /** Calls `fire` once, after at least `ms` milliseconds. */
  setTimer(ms: number, fire: () => void): Timer;
}

/** Node refuses longer timers and fires them at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(ms, fire) {
    const timeout = setTimeout(fire, Math.min(Math.max(0, ms), LONGEST_TIMER_MS));
    const timer: Timer = {
      cancel: () => clearTimeout(timeout),
      unref() {
        timeout.unref();
        return timer;
      },
    };
    return timer;
  },
};

/** Resolves after `ms`, or at once when `signal` is or becomes aborted. Never rejects. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const finish = (): void => {
      timer.cancel();
      signal?.removeEventListener("abort", finish);
      resolve();
    };
    const timer = clock.setTimer(ms, finish);
    signal?.addEventListener("abort", finish);
  });
}

/** A uniform number in [0, 1); Math.random in production, a seeded generator in tests. */
export type Random = () => number;

/**
 * `baseMs` doubled per failure up to `capMs`, then a uniform share of 50-100 % of it, so that clients that failed together do
 * not return together.
 * @param failures failures so far, 1 for the first
 */
export function backoffMs(failures: number, baseMs: number, capMs: number, random: Random): number {
  const exponential = Math.min(capMs, baseMs * 2 ** Math.min(30, Math.max(0, failures - 1)));
  return exponential * (0.5 + random() / 2);
}
