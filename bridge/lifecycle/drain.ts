import type { Server } from "node:http";
import { Server as NetServer } from "node:net";
import { performance } from "node:perf_hooks";
import type { Logger } from "pino";
import type { RuntimeConfig } from "../../contract/config.ts";
import type { Metrics } from "../metrics/registry.ts";
import type { Connections } from "./connections.ts";

export interface DrainOptions {
  readonly front: Server;
  readonly connections: Connections;
  readonly agents: DrainingAgents;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Requests and streams in progress. */
  readonly inFlight: () => number;
  /** The times in force when the drain begins. */
  readonly times: () => RuntimeConfig["drain"];
}

/** The WebSocket side of a drain. */
export interface DrainingAgents {
  /** Asks every connection to reconnect, spread over `windowMs`; closes each between its messages. */
  drain(windowMs: number): void;
  readonly size: number;
  /** Ends all connections at once; returns how many had an answer in progress. */
  cutAll(): number;
}

export interface Drain {
  readonly draining: boolean;
  /** Runs the protocol once; resolves when nothing is left. A second call returns the first one's promise. */
  begin(): Promise<void>;
}

/**
 * A connection used within this time may be about to carry its next request: clients reuse a connection for a few seconds
 * after an answer, and a request that meets our closing is lost. One that has been quiet for longer is closed.
 */
const QUIET_MS = 5_000;

/**
 * How long beyond its time a pod goes on accepting while requests still come on new connections: a proxy that has lost the API server
 * learns of the change up to a minute after it is back (client-go's reflectors wait up to 30 s, doubled by jitter).
 */
const LATE_PROXIES_MS = 75_000;

/** A request on a new connection in the second half of the time to settle shows a late proxy; the door then closes after so many such times without one. */
const LATE_QUIET = 4;

/** How often the end of the last request is looked for; only while draining. */
const CHECK_MS = 50;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * The drain protocol (RFC 9110 §7.6.1 for HTTP, RFC 6455 §7.4.1 code 1012 for WebSockets):
 * 1. not ready at once, still accepting for `settleMs` while endpoints and proxies learn of it, and longer while requests still come
 *    on new connections, but no more than 75 s, nor half of `deadlineMs`, beyond it; every response says `Connection: close`, and
 *    agents are asked to reconnect one by one;
 * 2. no new connections; requests on the existing ones are answered, also with `Connection: close`;
 * 3. when no request is left and no client is likely to send one, or `settleMs` and `deadlineMs` after the start, what is left is cut and counted.
 */
export function createDrain(options: DrainOptions): Drain {
  const { front, connections, agents, metrics, log } = options;
  let running: Promise<void> | undefined;

  const settled = async (begun: number, settleMs: number, moreMs: number): Promise<void> => {
    for (;;) {
      const last = connections.lastNewcomer;
      const isLate = last > begun + settleMs / 2;
      const quietAt = isLate ? last + LATE_QUIET * settleMs : begun + settleMs;
      const waitMs = Math.min(quietAt, begun + settleMs + moreMs) - performance.now();
      if (waitMs <= 0) return;
      await pause(waitMs);
    }
  };

  const run = async (): Promise<void> => {
    const { settleMs, deadlineMs } = options.times();
    metrics.draining.set(1);
    connections.drain();
    agents.drain(settleMs);
    log.info({ settleMs, deadlineMs, inFlight: options.inFlight() }, "draining");
    const begun = performance.now();
    await settled(begun, settleMs, Math.min(LATE_PROXIES_MS, deadlineMs / 2));
    // http.Server.close() would end idle keep-alive connections at once, also those a request is on its way on
    // (nodejs/node#60617): only the listening socket is closed here.
    NetServer.prototype.close.call(front);
    const deadline = begun + settleMs + deadlineMs;
    const quietMs = Math.min(QUIET_MS, deadlineMs);
    while (options.inFlight() > 0 || agents.size > 0 || connections.lively(quietMs) > 0) {
      if (performance.now() >= deadline) break;
      connections.closeQuiet(quietMs);
      await pause(Math.min(CHECK_MS, Math.max(1, deadline - performance.now())));
    }
    const cut = agents.cutAll() + connections.cutAll();
    if (cut > 0) {
      metrics.cutConnections.inc({ reason: "drain-deadline" }, cut);
      log.warn({ cut }, "connections were cut at the drain deadline");
    }
  };

  return {
    get draining() {
      return running !== undefined;
    },
    begin() {
      running ??= run();
      return running;
    },
  };
}
