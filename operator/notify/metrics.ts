import { Counter, Gauge, Registry } from "prom-client";

export interface NotifyMetrics {
  /** sent; refused by the receiver for good; given up after the last try; dropped because too many waited. */
  readonly notifications: Counter<"receiver" | "result">;
  readonly retries: Counter<"receiver">;
  readonly waiting: Gauge<"receiver">;
}

export function createNotifyMetrics(registry: Registry = new Registry()): NotifyMetrics {
  const registers = [registry];
  return {
    notifications: new Counter({
      name: "llmbridge_operator_notifications_total",
      help: "Decisions by what became of telling a receiver: sent, refused, given_up, dropped",
      labelNames: ["receiver", "result"],
      registers,
    }),
    retries: new Counter({
      name: "llmbridge_operator_notification_retries_total",
      help: "Attempts that failed and are tried again",
      labelNames: ["receiver"],
      registers,
    }),
    waiting: new Gauge({
      name: "llmbridge_operator_notifications_waiting",
      help: "Decisions that a receiver has not been told of yet",
      labelNames: ["receiver"],
      registers,
    }),
  };
}

const RESULTS = ["sent", "refused", "given_up", "dropped"] as const;
export type Result = (typeof RESULTS)[number];

/** Series exist before the first loss, or an alert on it could not fire. */
export function beginSeries(metrics: NotifyMetrics, receiver: string): void {
  for (const result of RESULTS) metrics.notifications.inc({ receiver, result }, 0);
  metrics.retries.inc({ receiver }, 0);
  metrics.waiting.set({ receiver }, 0);
}

export function endSeries(metrics: NotifyMetrics, receiver: string): void {
  for (const result of RESULTS) metrics.notifications.remove({ receiver, result });
  metrics.retries.remove({ receiver });
  metrics.waiting.remove({ receiver });
}
