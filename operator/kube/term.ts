import type { Clock, Timer } from "./clock.ts";
import { FencedError } from "./errors.ts";

/** One span of leadership, from the first confirmed write of the lease to the moment this process may no longer trust it. */
export interface Term {
  /** Aborts when the term ends, for whatever reason. */
  readonly signal: AbortSignal;
  /**
   * Permission for one write.
   * @returns a signal that aborts when the permission ends while the write is on the wire
   * @throws FencedError when the term has ended, is about to, or is in doubt after a stall
   */
  fence(): AbortSignal;
  /** The lease was written; counted from when the write was sent. */
  renewed(sentAtMs: number): void;
  end(reason: string): void;
}

/** How often the event loop is looked at. */
const TICK_MS = 500;

/**
 * Starts a term.
 * @param options.sentAtMs monotonic time at which the write that won the lease was sent
 * @param options.renewDeadlineMs the term ends by itself so long after the last renewal was sent; less than the lease's duration by
 * the time that a write may spend on the wire
 * @param options.stallMs after the event loop stood still for so long, nothing may be written before the lease is renewed: others may
 * have waited through the same time
 * @param options.onStall called at most once for each stall
 */
export function startTerm(options: {
  readonly clock: Clock;
  readonly sentAtMs: number;
  readonly renewDeadlineMs: number;
  readonly stallMs: number;
  readonly onStall: () => void;
}): Term {
  const { clock, renewDeadlineMs, stallMs } = options;
  const ended = new AbortController();
  let renewedAt = options.sentAtMs;
  let tickedAt = clock.monotonic();
  let doubted = false;
  let deadline: Timer;
  let tick: Timer;

  const end = (reason: string): void => {
    deadline.cancel();
    tick.cancel();
    if (!ended.signal.aborted) ended.abort(new FencedError(reason));
  };
  const tooLate = "leadership ended: the lease could not be renewed in time";
  const armDeadline = (): Timer =>
    clock.setTimer(renewedAt + renewDeadlineMs - clock.monotonic(), () => end(tooLate));
  const noticeStall = (): void => {
    // Asked by the tick and by every write, whichever comes first after the stall.
    if (clock.monotonic() - tickedAt <= TICK_MS + stallMs || doubted) return;
    doubted = true;
    options.onStall();
  };
  const armTick = (): Timer =>
    clock.setTimer(TICK_MS, () => {
      noticeStall();
      tickedAt = clock.monotonic();
      tick = armTick();
    });
  deadline = armDeadline();
  tick = armTick();

  return {
    signal: ended.signal,
    fence() {
      ended.signal.throwIfAborted();
      if (clock.monotonic() >= renewedAt + renewDeadlineMs) {
        end(tooLate);
        ended.signal.throwIfAborted();
      }
      noticeStall();
      if (doubted)
        throw new FencedError(
          "leadership is in doubt: the event loop stood still and the lease is being renewed",
        );
      return ended.signal;
    },
    renewed(sentAtMs) {
      if (ended.signal.aborted) return;
      renewedAt = sentAtMs;
      doubted = false;
      tickedAt = clock.monotonic();
      deadline.cancel();
      deadline = armDeadline();
    },
    end,
  };
}
