import type { FullOptions } from "./options.ts";
import type { Tally } from "./tally.ts";

/** What all parts of a load share. */
export interface Context {
  readonly options: FullOptions;
  readonly tally: Tally;
  readonly random: () => number;
  /** Aborts when the load stops waiting for what is not finished. */
  readonly giveUp: AbortSignal;
  /** A text that no other request has. */
  readonly nonce: () => string;
}

/** Milliseconds since the epoch of a monotonic time; wall clock steps during a run do not bend it. */
export function epochMs(monotonicMs: number): number {
  return performance.timeOrigin + monotonicMs;
}
