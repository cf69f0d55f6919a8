import { type Clock, sleep } from "./clock.ts";
import { linkSignals } from "./signals.ts";

export interface HedgeOptions {
  readonly clock: Clock;
  /** How long the first try is waited for alone. */
  readonly patienceMs: number;
  /** Ends both tries. */
  readonly signal: AbortSignal;
}

/**
 * Sends what must be answered in time. A try that is not answered within `patienceMs` is joined by a second one, and is not given up for it: it may hang
 * on a connection that is dead, where only another one helps, or at a server that is slow, where only waiting does. What comes first counts,
 * answer or failure, and ends the other. For what may be carried out twice.
 * @param send begins one try; must end when its signal aborts
 * @returns the answer, and the monotonic time at which the try that it belongs to was sent
 * @throws what the try threw that ended first
 */
export async function hedged<T>(
  send: (signal: AbortSignal) => Promise<T>,
  { clock, patienceMs, signal }: HedgeOptions,
): Promise<{ readonly answer: T; readonly sentAtMs: number }> {
  const over = new AbortController();
  const linked = linkSignals([signal, over.signal]);
  const attempt = async () => {
    const sentAtMs = clock.monotonic();
    return { answer: await send(linked.signal), sentAtMs };
  };
  const first = attempt();
  const second = sleep(clock, patienceMs, linked.signal).then(() =>
    linked.signal.aborted ? first : attempt(),
  );
  try {
    return await Promise.race([first, second]);
  } finally {
    over.abort();
    linked.release();
  }
}
