import { backoffMs, type Clock, type Random, sleep } from "../kube/clock.ts";
import type { Log } from "../kube/log.ts";
import type { DecisionEvent } from "./decision-event.ts";
import type { Attempt, Delivery } from "./delivery.ts";
import type { NotifyMetrics, Result } from "./metrics.ts";

export interface ReceiverOptions {
  /** Name in the administrator's settings. */
  readonly name: string;
  readonly delivery: Delivery;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: NotifyMetrics;
  /** Called once for each event: delivered, or given up for whatever reason. */
  readonly onSettled: (event: DecisionEvent) => void;
  /** Events that may wait. Default 500. */
  readonly capacity?: number;
}

/** Told of events one after the other, in the order of their decisions, at its own pace: `tell` returns at once and never throws. */
export interface Receiver {
  tell(event: DecisionEvent): void;
  /** Stops, and gives back what was not delivered, oldest first. */
  stop(): Promise<readonly DecisionEvent[]>;
  /** Resolves when nothing waits. */
  idle(): Promise<void>;
}

const CAPACITY = 500;
/** Pauses between tries, first and longest: the last of them lies some 20 minutes after the first. */
const BACKOFF_MS = [1_000, 5 * 60_000] as const;
const MOST_TRIES = 12;

export function createReceiver(options: ReceiverOptions): Receiver {
  const { name, delivery, clock, random, metrics, onSettled, capacity = CAPACITY } = options;
  const log = options.log.child({ receiver: name });
  const waiting: DecisionEvent[] = [];
  const stopped = new AbortController();
  let sending: Promise<void> | undefined;
  /** Said once, until there is room for all again. */
  let isFull = false;

  const gauge = (): void => metrics.waiting.set({ receiver: name }, waiting.length);
  const settle = (event: DecisionEvent, result: Result): void => {
    metrics.notifications.inc({ receiver: name, result });
    onSettled(event);
  };

  /** Tries until it is delivered or there is no use in it; undefined where it was stopped. */
  const deliver = async (event: DecisionEvent): Promise<Result | undefined> => {
    for (let tries = 1; ; tries++) {
      const attempt = await delivery.attempt(event);
      if (attempt.kind === "Delivered") return "sent";
      if (stopped.signal.aborted) return undefined;
      const result = attempt.kind === "Refused" ? "refused" : tries >= MOST_TRIES ? "given_up" : undefined;
      if (result !== undefined) {
        const fields = { why: attempt.why, tries, id: event.id, ...event.bridge };
        log.warn(fields, "a receiver could not be told of a decision; it is given up");
        return result;
      }
      if (tries === 1)
        log.info(
          { why: attempt.why, id: event.id },
          "a receiver does not take a decision; it is tried again",
        );
      metrics.retries.inc({ receiver: name });
      await sleep(clock, pauseMs(attempt, tries), stopped.signal);
      if (stopped.signal.aborted) return undefined;
    }
  };

  const pauseMs = (attempt: Attempt, tries: number): number => {
    const own = backoffMs(tries, ...BACKOFF_MS, random);
    return Math.max(own, attempt.kind === "Later" ? (attempt.afterMs ?? 0) : 0);
  };

  const run = async (): Promise<void> => {
    for (let next = waiting[0]; next && !stopped.signal.aborted; next = waiting[0]) {
      const result = await deliver(next);
      if (result === undefined) break;
      waiting.shift();
      settle(next, result);
      isFull &&= waiting.length > capacity / 2;
      gauge();
    }
    sending = undefined;
  };

  return {
    tell(event) {
      if (stopped.signal.aborted) return;
      waiting.push(event);
      // The newest says most: the oldest goes, but for the one that is under way.
      const [dropped] = waiting.length > capacity ? waiting.splice(1, 1) : [];
      if (dropped) {
        settle(dropped, "dropped");
        if (!isFull)
          log.warn(
            { capacity },
            "too many decisions wait for a receiver; the oldest are dropped, check the receiver",
          );
        isFull = true;
      }
      gauge();
      sending ??= run();
    },
    async stop() {
      stopped.abort();
      await delivery.close();
      await sending;
      return waiting.splice(0);
    },
    async idle() {
      while (sending !== undefined) await sending;
    },
  };
}
