import type { Clock } from "./clock.ts";

export interface VirtualClock extends Clock {
  /**
   * Moves time forward, firing timers in the order they are due. Between two timers, promise callbacks run, so that work
   * started by one timer can set the next.
   */
  advance(ms: number): Promise<void>;
  /** Timers that are set and have not fired. */
  readonly pending: number;
}

/** Lets promise callbacks that are ready now, and those they make ready, run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
}

/** Time that moves only when told to. For tests and simulation. */
export function createVirtualClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  let elapsed = 0;
  let sequence = 0;
  const timers = new Map<number, { dueAt: number; fire: () => void }>();

  const nextDue = (until: number): number | undefined => {
    let found: number | undefined;
    for (const [id, timer] of timers) {
      if (timer.dueAt > until) continue;
      const best = found === undefined ? undefined : timers.get(found);
      if (!best || timer.dueAt < best.dueAt) found = id;
    }
    return found;
  };

  return {
    now: () => startMs + elapsed,
    monotonic: () => elapsed,
    setTimer(ms, fire) {
      const id = sequence++;
      timers.set(id, { dueAt: elapsed + Math.max(0, ms), fire });
      const timer = { cancel: () => void timers.delete(id), unref: () => timer };
      return timer;
    },
    async advance(ms) {
      const until = elapsed + ms;
      await settle();
      for (let id = nextDue(until); id !== undefined; id = nextDue(until)) {
        const timer = timers.get(id);
        timers.delete(id);
        if (timer) {
          elapsed = Math.max(elapsed, timer.dueAt);
          timer.fire();
        }
        await settle();
      }
      elapsed = until;
    },
    get pending() {
      return timers.size;
    },
  };
}
