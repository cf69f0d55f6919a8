/** Limits how many requests are on the wire; the rest wait in the order they came. */
export interface Limiter {
  /**
   * Waits for a free slot.
   * @returns a function that gives the slot back; calling it twice does nothing
   * @throws the signal's reason when it aborts first
   */
  acquire(signal?: AbortSignal): Promise<() => void>;
  readonly active: number;
}

export function createLimiter(limit: number): Limiter {
  let active = 0;
  const waiting: (() => void)[] = [];

  const slot = (): (() => void) => {
    let returned = false;
    return () => {
      if (returned) return;
      returned = true;
      const next = waiting.shift();
      if (next) next();
      else active--;
    };
  };

  return {
    get active() {
      return active;
    },
    acquire(signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        if (active < limit) {
          active++;
          return resolve(slot());
        }
        const take = (): void => {
          signal?.removeEventListener("abort", leave);
          resolve(slot());
        };
        const leave = (): void => {
          waiting.splice(waiting.indexOf(take), 1);
          reject(signal?.reason);
        };
        waiting.push(take);
        signal?.addEventListener("abort", leave, { once: true });
      });
    },
  };
}
