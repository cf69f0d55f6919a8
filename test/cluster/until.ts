import { setTimeout as delay } from "node:timers/promises";

/**
 * Asks `problem` until it answers undefined, at most `timeoutMs`; an error it throws counts as its answer.
 * Throws with the last answer when the time is over, and at once when `problem` throws a {@link Hopeless}.
 */
export async function until(
  what: string,
  timeoutMs: number,
  problem: () => Promise<string | undefined>,
  intervalMs = 50,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let last: string | undefined;
    try {
      last = await problem();
    } catch (error) {
      if (error instanceof Hopeless) throw error;
      last = error instanceof Error ? error.message : String(error);
    }
    if (last === undefined) return;
    if (performance.now() > deadline) throw new Error(`Waited ${timeoutMs / 1000} s for ${what}: ${last}`);
    await delay(intervalMs);
  }
}

/** Thrown by a condition that can no longer come true, for example because the process it asks has ended. */
export class Hopeless extends Error {
  override readonly name = "Hopeless";
}
