import type { KubeConfig } from "@kubernetes/client-node";
import type { Clock } from "./clock.ts";
import { type Credentials, readCredentials } from "./credentials.ts";
import type { Log } from "./log.ts";
import { Agent, type Dispatcher, ProxyAgent } from "./undici.ts";

/**
 * Connections that do not wait for each other: ordinary requests, watches (one each, for minutes), and the lease, which must get
 * through when the first two are stuck.
 */
export type Lane = "requests" | "watches" | "lease";

interface Connection {
  readonly credentials: Credentials;
  readonly dispatcher: Dispatcher;
}

export interface Connections {
  /** The lane's connections with credentials that are at most a minute old. */
  current(lane: Lane): Promise<Connection>;
  /** Reads the credentials again before the next request: after an answer 401 or a failed connection. */
  expire(): void;
  /** Ends every connection at once. */
  destroy(): Promise<void>;
}

/** Service account tokens are rotated in place; client-go re-reads them as often. */
const RELOAD_AFTER_MS = 60_000;
/** Below the 90 s after which the API server closes idle connections, above the lease's renewal period. */
const KEEP_ALIVE_MS = 60_000;
const CONNECT_TIMEOUT_MS = 10_000;

/** Connections per lane; a watch holds one for as long as it runs, so there is no limit to them here. */
const LANE_CONNECTIONS: Record<Lane, (maxInFlight: number) => number | null> = {
  requests: (maxInFlight) => maxInFlight,
  watches: () => null,
  lease: () => 2,
};

export function createConnections(options: {
  readonly kubeConfig: KubeConfig;
  readonly maxInFlight: number;
  readonly clock: Clock;
  readonly log: Log;
}): Connections {
  const { clock, log } = options;
  let credentials: Credentials | undefined;
  let readAt = 0;
  let reading: Promise<Credentials> | undefined;
  let dispatchers = new Map<Lane, Dispatcher>();

  const retire = (old: Map<Lane, Dispatcher>): void => {
    // close() lets running requests and watches end by themselves.
    for (const dispatcher of old.values()) dispatcher.close().catch(() => {});
  };

  const read = async (): Promise<Credentials> => {
    let fresh: Credentials;
    try {
      fresh = await readCredentials(options.kubeConfig);
    } catch (error) {
      // A file that is being replaced may be missing for an instant; what worked a minute ago may still work.
      if (!credentials) throw error;
      log.warn({ err: error }, "credentials could not be read again; the last ones stay in use");
      fresh = credentials;
    }
    if (credentials && fresh.fingerprint !== credentials.fingerprint) {
      log.info({}, "server address or TLS material changed; opening new connections");
      retire(dispatchers);
      dispatchers = new Map();
    }
    credentials = fresh;
    readAt = clock.monotonic();
    return fresh;
  };

  const latest = (): Credentials | Promise<Credentials> => {
    if (credentials && clock.monotonic() - readAt < RELOAD_AFTER_MS) return credentials;
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };

  return {
    async current(lane) {
      const now = await latest();
      let dispatcher = dispatchers.get(lane);
      if (!dispatcher) {
        dispatcher = createDispatcher(now, LANE_CONNECTIONS[lane](options.maxInFlight));
        dispatchers.set(lane, dispatcher);
      }
      return { credentials: now, dispatcher };
    },
    expire() {
      readAt = Number.NEGATIVE_INFINITY;
    },
    async destroy() {
      await Promise.all([...dispatchers.values()].map((dispatcher) => dispatcher.destroy()));
      dispatchers = new Map();
    },
  };
}

function createDispatcher(credentials: Credentials, connections: number | null): Dispatcher {
  const connect = {
    ...credentials.tls,
    timeout: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
  };
  const common = {
    connections,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    // HTTP/2 would put a watch and a write on one socket; others measured growing memory with it on watches.
    allowH2: false,
    pipelining: 1,
  };
  if (credentials.proxyUrl !== undefined) {
    return new ProxyAgent({ ...common, uri: credentials.proxyUrl, requestTls: connect });
  }
  return new Agent({ ...common, connect });
}
