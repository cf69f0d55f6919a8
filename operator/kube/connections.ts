import type { KubeConfig } from "@kubernetes/client-node";
import { type Clock, sleep } from "./clock.ts";
import { type Credentials, readCredentials } from "./credentials.ts";
import type { Log } from "./log.ts";
import { Agent, type Dispatcher, Pool, ProxyAgent } from "./undici.ts";

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
  /**
   * The lane's connections, with credentials that were read a minute ago at most. Where reading them takes long (a slow disk, a credential
   * plugin that hangs) the last ones are used meanwhile: a lease that waits for a file is lost.
   */
  current(lane: Lane): Promise<Connection>;
  /** Reads the credentials again before the next request, and lets it wait a little for them: after an answer 401 or a failed connection. */
  expire(): void;
  /** Ends every connection at once. */
  destroy(): Promise<void>;
}

/** Service account tokens are rotated in place; client-go re-reads them as often. */
const RELOAD_AFTER_MS = 60_000;
/** Longest wait for credentials that are read again because the last ones did not serve. */
const PATIENCE_MS = 2_000;
/** Below the 90 s after which the API server closes idle connections, above the lease's renewal period. */
const KEEP_ALIVE_MS = 60_000;
/**
 * A connection that is not made in this time is given up, and makes room for another. Two hold the lane of the lease, which has but 5 s from the
 * first try of a renewal to the end of its term.
 */
const CONNECT_TIMEOUT_MS: Record<Lane, number> = { requests: 10_000, watches: 10_000, lease: 3_000 };

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
  /** The last ones did not serve. */
  let isExpired = false;
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
    isExpired = false;
    return fresh;
  };

  /** Resolves to what is best known, after at most `PATIENCE_MS` where anything is known. */
  const latest = async (): Promise<Credentials> => {
    if (credentials && !isExpired && clock.monotonic() - readAt < RELOAD_AFTER_MS) return credentials;
    reading ??= read().finally(() => {
      reading = undefined;
    });
    if (!credentials) return reading;
    if (isExpired) {
      const patience = new AbortController();
      await Promise.race([reading, sleep(clock, PATIENCE_MS, patience.signal)]);
      patience.abort();
    }
    return credentials;
  };

  return {
    async current(lane) {
      const known = await latest();
      // Reading may have ended since, and connections of the last credentials are not to be made again.
      const now = credentials ?? known;
      let dispatcher = dispatchers.get(lane);
      if (!dispatcher) {
        dispatcher = createDispatcher(now, {
          connections: LANE_CONNECTIONS[lane](options.maxInFlight),
          connectMs: CONNECT_TIMEOUT_MS[lane],
        });
        dispatchers.set(lane, dispatcher);
      }
      return { credentials: now, dispatcher };
    },
    expire() {
      isExpired = true;
    },
    async destroy() {
      await Promise.all([...dispatchers.values()].map((dispatcher) => dispatcher.destroy()));
      dispatchers = new Map();
    },
  };
}

function createDispatcher(
  credentials: Credentials,
  { connections, connectMs }: { readonly connections: number | null; readonly connectMs: number },
): Dispatcher {
  const connect = {
    ...credentials.tls,
    timeout: connectMs,
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
    return new ProxyAgent({
      ...common,
      uri: credentials.proxyUrl,
      requestTls: connect,
      proxyTls: { timeout: connectMs },
      // Undici would wait 300 s for the proxy's answer to CONNECT.
      clientFactory: (origin, proxying) => new Pool(origin, { ...proxying, headersTimeout: connectMs }),
    });
  }
  return new Agent({ ...common, connect });
}
