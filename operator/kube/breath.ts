/** Work that goes on for longer than this in one turn of the event loop delays everything else: renewals of the lease, probes, other watches. */
const TURN_MS = 10;

let turnedMs = performance.now();

/**
 * What to await before more of a long row of work: another turn of the event loop where this one has lasted long enough, else nothing. Shared by
 * all who work through rows at once, since together they hold up the same loop.
 */
export function breath(): Promise<void> | undefined {
  if (performance.now() - turnedMs < TURN_MS) return undefined;
  return new Promise((resolve) => {
    setImmediate(() => {
      turnedMs = performance.now();
      resolve();
    });
  });
}
