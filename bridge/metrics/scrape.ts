import type { Connections } from "../lifecycle/connections.ts";
import type { Catalog } from "../upstreams/catalog.ts";
import type { Ledger } from "./account.ts";
import { flushTallies, type Metrics } from "./registry.ts";

export interface LiveNumbers {
  readonly metrics: Metrics;
  readonly ledger: Ledger;
  readonly catalog: Catalog;
  readonly connections: Connections;
  /** Open WebSocket connections. */
  readonly webSockets: () => number;
}

/** Copies what is counted in plain numbers on the hot path into its gauges: once per scrape, not once per request. */
export function refreshGauges(live: LiveNumbers): void {
  const { metrics, ledger, catalog } = live;
  flushTallies(metrics);
  metrics.inFlight.set(ledger.inFlight);
  metrics.openStreams.set({ kind: "sse" }, ledger.streams);
  metrics.openStreams.set({ kind: "websocket" }, live.webSockets());
  metrics.capacity.set(catalog.capacity);
  for (const upstream of catalog.upstreams) {
    const { pool, limit, size, idle, waiting } = upstream.pool.stats();
    metrics.poolLimit.set({ pool }, limit);
    metrics.poolSize.set({ pool }, size);
    metrics.poolIdle.set({ pool }, idle);
    metrics.poolWaiting.set({ pool }, waiting);
  }
}
