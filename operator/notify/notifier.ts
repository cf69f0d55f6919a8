import type { DecisionStatus, LLMBridgeStatus } from "../api/v1alpha1/status.ts";
import { type Clock, type Random, sleep, systemClock } from "../kube/clock.ts";
import type { Log } from "../kube/log.ts";
import { type DecisionEvent, decisionEvent, type NotifiedBridge } from "./decision-event.ts";
import { createDelivery, type DeliveryOptions } from "./delivery.ts";
import { createLedger } from "./ledger.ts";
import { beginSeries, endSeries, type NotifyMetrics } from "./metrics.ts";
import { createReceiver, type Receiver } from "./receiver.ts";

/** One receiver as the administrator describes it. */
export interface NotificationSettings extends DeliveryOptions {
  readonly name: string;
  /** Absent: all. */
  readonly namespaces?: readonly string[] | undefined;
  readonly actions?: readonly string[] | undefined;
  readonly reasons?: readonly string[] | undefined;
}

/**
 * Tells receivers of decisions. Nothing waits for them: whoever decides hands a decision over and goes on, and what becomes of it are metrics and
 * log lines. Each receiver has a queue of its own, so that one that hangs delays no other.
 */
export interface Notifier {
  /** What this process has not yet seen of a bridge: tells the decisions that the status holds and that nobody is known to have been told of. */
  resume(bridge: NotifiedBridge, status: LLMBridgeStatus): void;
  tell(bridge: NotifiedBridge, decisions: readonly DecisionStatus[], status: LLMBridgeStatus): void;
  /** Up to when every decision of the bridge is settled, for its status; undefined where there are no receivers. */
  settledThroughMs(uid: string): number | undefined;
  forget(uid: string): void;
  /** Other receivers from now on; what waits for one that stays, by its name, goes on waiting for it. */
  configure(receivers: readonly NotificationSettings[]): void;
  /** Gives what waits at most so long to leave. */
  flush(withinMs: number): Promise<void>;
  close(): Promise<void>;
}

export interface NotifierOptions {
  readonly log: Log;
  readonly metrics: NotifyMetrics;
  readonly clock?: Clock;
  readonly random?: Random;
}

interface Known {
  readonly settings: NotificationSettings;
  readonly text: string;
  readonly receiver: Receiver;
}

export function createNotifier({
  log,
  metrics,
  clock = systemClock,
  random = Math.random,
}: NotifierOptions): Notifier {
  const ledger = createLedger();
  let receivers = new Map<string, Known>();

  const open = (settings: NotificationSettings): Known => {
    beginSeries(metrics, settings.name);
    const receiver = createReceiver({
      name: settings.name,
      delivery: createDelivery(settings, clock.now),
      ...{ clock, random, log, metrics },
      onSettled: (event) => ledger.settled(event),
    });
    return { settings, text: JSON.stringify(settings), receiver };
  };

  const send = (event: DecisionEvent): void => {
    const asking = [...receivers.values()].filter(({ settings }) => wants(settings, event));
    ledger.opened(event, asking.length);
    for (const { receiver } of asking) receiver.tell(event);
  };

  /** What waited for one that is gone is settled: nobody asks for it any more. */
  const replace = async (old: Known, successor: Receiver | undefined): Promise<void> => {
    for (const event of await old.receiver.stop()) {
      if (successor) successor.tell(event);
      else ledger.settled(event);
    }
  };

  return {
    resume(bridge, status) {
      if (receivers.size === 0) return;
      const through = status.notifiedThrough === undefined ? clock.now() : Date.parse(status.notifiedThrough);
      ledger.begin(bridge.uid, through);
      // Newest first in the status; told in the order in which they were made.
      for (const decision of status.decisions.toReversed())
        if (Date.parse(decision.time) > through) send(decisionEvent(bridge, decision, status));
    },
    tell(bridge, decisions, status) {
      if (receivers.size === 0) return;
      for (const decision of decisions) send(decisionEvent(bridge, decision, status));
    },
    settledThroughMs: (uid) => (receivers.size === 0 ? undefined : ledger.throughMs(uid)),
    forget: (uid) => ledger.forget(uid),
    configure(wanted) {
      const before = receivers;
      receivers = new Map(
        wanted.map((settings) => {
          const old = before.get(settings.name);
          return [settings.name, old?.text === JSON.stringify(settings) ? old : open(settings)];
        }),
      );
      for (const [name, old] of before) {
        const now = receivers.get(name);
        if (now === old) continue;
        void replace(old, now?.receiver);
        if (now === undefined) endSeries(metrics, name);
      }
    },
    async flush(withinMs) {
      const over = new AbortController();
      const all = Promise.all([...receivers.values()].map(({ receiver }) => receiver.idle()));
      await Promise.race([all, sleep(clock, withinMs, over.signal)]);
      over.abort();
    },
    async close() {
      await Promise.all([...receivers.values()].map(({ receiver }) => receiver.stop()));
    },
  };
}

function wants(
  { namespaces, actions, reasons }: NotificationSettings,
  { bridge, decision }: DecisionEvent,
): boolean {
  return (
    (namespaces?.includes(bridge.namespace) ?? true) &&
    (actions?.includes(decision.action) ?? true) &&
    (reasons?.includes(decision.reason) ?? true)
  );
}
