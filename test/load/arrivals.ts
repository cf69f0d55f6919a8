/** Calls that happen at random times at a given rate, whatever becomes of them: an open loop. */
export interface Arrivals {
  /** From now on this many a second; 0 pauses. */
  setRate(rps: number): void;
  stop(): void;
}

/** Timers fire to the millisecond, so arrivals that are nearer than this are made in one go. */
const SOON_MS = 1;

/**
 * A Poisson process. When the process falls behind (no CPU), what is due is made at once and told when it was due, so that
 * waiting for the generator counts as latency instead of vanishing (coordinated omission).
 * @param onArrival Given the monotonic time at which it was due, in milliseconds.
 */
export function startArrivals(
  rps: number,
  random: () => number,
  onArrival: (dueMs: number) => void,
): Arrivals {
  let rate = rps;
  let dueMs = performance.now();
  let timer: NodeJS.Timeout | undefined;

  const advance = () => {
    dueMs += (-Math.log(1 - random()) / rate) * 1000;
  };
  const run = () => {
    const nowMs = performance.now();
    while (dueMs <= nowMs) {
      onArrival(dueMs);
      advance();
    }
    timer = setTimeout(run, Math.max(SOON_MS, dueMs - performance.now()));
  };
  const start = () => {
    clearTimeout(timer);
    if (rate <= 0) return;
    dueMs = performance.now();
    advance();
    timer = setTimeout(run, Math.max(SOON_MS, dueMs - performance.now()));
  };
  start();
  return {
    setRate(next) {
      rate = next;
      start();
    },
    stop() {
      rate = 0;
      clearTimeout(timer);
    },
  };
}
