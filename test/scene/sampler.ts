/** Something looked at again and again until it is stopped. */
export interface Sampler {
  /** Looks no more; resolves when the last look is over. Throws if a look failed. */
  stop(): Promise<void>;
}

/** Looks every `intervalMs`, one look at a time. */
export function sample(intervalMs: number, look: () => Promise<void>): Sampler {
  let isOver = false;
  let wake: (() => void) | undefined;
  const looking = (async () => {
    while (!isOver) {
      await look();
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, intervalMs);
      });
    }
  })();
  // Told by stop(); until then a failure must not end the process.
  looking.catch(() => undefined);
  return {
    async stop() {
      isOver = true;
      wake?.();
      await looking;
    },
  };
}
