import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** Everything the runtime reports about itself. Durations in seconds. */
export interface KubeMetrics {
  readonly requests: Counter<"verb" | "resource" | "code">;
  readonly requestSeconds: Histogram<"verb" | "resource" | "code">;
  readonly retries: Counter<"verb" | "resource" | "code">;
  readonly inFlight: Gauge<"lane">;
  readonly watchStarts: Counter<"resource">;
  readonly relists: Counter<"resource" | "reason">;
  readonly watchEvents: Counter<"resource" | "type">;
  readonly storeObjects: Gauge<"resource">;
  readonly namespacesRefused: Gauge<"resource" | "namespace">;
  readonly optionalApis: Gauge<"resource" | "state">;
  readonly handlerErrors: Counter<"resource">;
  readonly queueDepth: Gauge<"controller">;
  readonly queueAdds: Counter<"controller" | "priority">;
  readonly queueWaitSeconds: Histogram<"controller" | "priority">;
  readonly reconciles: Counter<"controller" | "result">;
  readonly reconcileSeconds: Histogram<"controller">;
  readonly reconcilesActive: Gauge<"controller">;
  readonly ownWritesFailedOpen: Counter<"resource">;
  readonly leader: Gauge<"lease">;
  readonly leaseRenewals: Counter<"lease" | "result">;
  readonly eventLoopStalls: Counter;
  readonly events: Counter<"result">;
}

const REQUEST_BOUNDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 30];

/**
 * Creates the runtime's metrics in a registry.
 * @param registry where they are registered; a private one when nobody looks (tests, one-off commands)
 * @param prefix first part of every name
 */
export function createKubeMetrics(registry: Registry = new Registry(), prefix = "operator_"): KubeMetrics {
  const named = (name: string, help: string) => ({ name: `${prefix}${name}`, help, registers: [registry] });
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
    new Counter({ ...named(name, help), labelNames });
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]): Gauge<L> =>
    new Gauge({ ...named(name, help), labelNames });
  const seconds = <L extends string>(name: string, help: string, ...labelNames: L[]): Histogram<L> =>
    new Histogram({ ...named(name, help), labelNames, buckets: REQUEST_BOUNDS });

  return {
    requests: counter(
      "api_requests_total",
      "Answers of the API server, or code `error` where none came",
      "verb",
      "resource",
      "code",
    ),
    requestSeconds: seconds(
      "api_request_seconds",
      "Seconds to the head of an answer, one try, or until it was known that none comes; watches are not counted",
      "verb",
      "resource",
      "code",
    ),
    retries: counter("api_retries_total", "Requests tried again, by why", "verb", "resource", "code"),
    inFlight: gauge("api_requests_in_flight", "Requests on the wire; watches are not counted", "lane"),
    watchStarts: counter("watch_starts_total", "Watches opened", "resource"),
    relists: counter("relists_total", "Full lists, by why", "resource", "reason"),
    watchEvents: counter("watch_events_total", "Watch events by type", "resource", "type"),
    storeObjects: gauge("store_objects", "Objects held in memory", "resource"),
    namespacesRefused: gauge(
      "namespaces_refused",
      "1 for a watched namespace (empty: the whole cluster) that may not be read; its bridges are left alone",
      "resource",
      "namespace",
    ),
    optionalApis: gauge(
      "optional_api",
      "What is known of an API that need not be there, Unknown, Served, Absent or Forbidden: 1, or in how many of the watched namespaces",
      "resource",
      "state",
    ),
    handlerErrors: counter("change_handler_errors_total", "Change handlers that threw", "resource"),
    queueDepth: gauge("queue_depth", "Keys ready to be reconciled", "controller"),
    queueAdds: counter("queue_adds_total", "Keys that became ready, by priority", "controller", "priority"),
    queueWaitSeconds: seconds(
      "queue_wait_seconds",
      "Seconds a ready key waited for a worker",
      "controller",
      "priority",
    ),
    reconciles: counter("reconciles_total", "Reconciles by result", "controller", "result"),
    reconcileSeconds: seconds("reconcile_seconds", "Seconds of one reconcile", "controller"),
    reconcilesActive: gauge("reconciles_active", "Reconciles running now", "controller"),
    ownWritesFailedOpen: counter(
      "own_writes_failed_open_total",
      "Own writes that the cache did not show in time",
      "resource",
    ),
    leader: gauge("leader", "1 while this process leads", "lease"),
    leaseRenewals: counter("lease_renewals_total", "Lease writes by result", "lease", "result"),
    eventLoopStalls: counter("event_loop_stalls_total", "Stalls long enough to doubt leadership"),
    events: counter("events_total", "Kubernetes Events by what became of them", "result"),
  };
}
