import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { HEADERS } from "../../contract/endpoints.ts";
import { affinityCookie } from "../http/affinity.ts";
import type { Service } from "../http/service.ts";
import type { DrainingAgents } from "../lifecycle/drain.ts";
import { AgentSession } from "./session.ts";

export interface AgentsOptions {
  readonly service: Service;
  readonly newId: () => string;
  /** Names a session; whoever knows it can resume it, so it cannot be guessed. */
  readonly newEpoch: () => string;
  /** Uniform in 0..1. */
  readonly random: () => number;
  /** Age after which a connection is asked to reconnect, in milliseconds; jittered by ±20 %. 0: never. */
  readonly maxAgeMs: number;
}

export interface Agents extends DrainingAgents {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Applies a new age to running connections too. */
  setMaxAge(maxAgeMs: number): void;
  close(): void;
}

/** Messages above this are compressed where the agent offers permessage-deflate (RFC 7692), in bytes. */
const COMPRESS_BYTES = 1024;

const TICK_MS = 1_000;

/** A ping per connection every so many ticks; one that is not answered until the next ends the connection. */
const PING_TICKS = 30;

/** Sessions, resumable ones included; above it the ones that are lost longest end. */
const MAX_SESSIONS = 20_000;

/**
 * The WebSocket endpoint for agents. `?epoch=...&offset=...` resumes a session: everything after the offset is sent
 * again. The first message says `welcome` with the session's epoch and whether it was resumed; where it was not, the agent
 * starts anew and repeats what was not answered.
 */
export function createAgents(options: AgentsOptions): Agents {
  const { service } = options;
  const sessions = new Map<string, AgentSession>();
  let drainTimers: NodeJS.Timeout[] = [];
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: service.limits.bodyBytes,
    // Keeping a compression window per connection would cost ten times a connection's own memory (research: 87 KB against 8 KB).
    perMessageDeflate: {
      threshold: COMPRESS_BYTES,
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      concurrencyLimit: 4,
    },
  });

  // The 101 answer tells who serves and what the route asks for, as every other answer does.
  server.on("headers", (headers, request) => {
    headers.push(`${HEADERS.revision}: ${service.revision}`);
    const cookie = affinityCookie(request.headers, service.revision, options.random);
    if (cookie !== undefined) headers.push(`Set-Cookie: ${cookie}`);
  });

  let maxAgeMs = options.maxAgeMs;
  let ticks = 0;
  const timer = setInterval(() => {
    ticks++;
    for (const session of sessions.values()) {
      session.tick(maxAgeMs);
      if (ticks % PING_TICKS === 0) session.ping();
    }
  }, TICK_MS).unref();

  const open = (tenant: string): AgentSession => {
    const session = new AgentSession({
      service,
      epoch: options.newEpoch(),
      tenant,
      jitter: service.connections.jitter(),
      newId: options.newId,
      onEnd: (ended) => sessions.delete(ended.outbox.epoch),
    });
    sessions.set(session.outbox.epoch, session);
    if (sessions.size > MAX_SESSIONS) {
      for (const old of sessions.values()) {
        if (old.connected) continue;
        old.end();
        break;
      }
    }
    return session;
  };

  /** The session to go on with; undefined where there is none, it is another tenant's, or messages are gone. */
  const resumable = (request: IncomingMessage, tenant: string): AgentSession | undefined => {
    const query = new URLSearchParams(request.url?.split("?")[1] ?? "");
    const session = sessions.get(query.get("epoch") ?? "");
    const offset = Number(query.get("offset") ?? Number.NaN);
    if (session === undefined || session.tenant !== tenant || !Number.isInteger(offset)) return undefined;
    return session.outbox.rewind(offset) ? session : undefined;
  };

  return {
    get size() {
      let connected = 0;
      for (const session of sessions.values()) if (session.connected) connected++;
      return connected;
    },
    upgrade(request, socket, head) {
      server.handleUpgrade(request, socket, head, (webSocket) => {
        const tenant = service.tenants.of(request.headers);
        const known = resumable(request, tenant);
        const session = known ?? open(tenant);
        session.attach(webSocket, known !== undefined);
        // A pod that drains takes the connection, since it was sent here, and sends it on at once.
        if (service.connections.draining) session.askToReconnect("drain");
      });
    },
    setMaxAge(wanted) {
      maxAgeMs = wanted;
    },
    drain(windowMs) {
      // Spread, so that the rest of the fleet does not meet all agents in one moment.
      for (const session of sessions.values()) {
        if (!session.connected) {
          session.end();
          continue;
        }
        drainTimers.push(setTimeout(() => session.askToReconnect("drain"), options.random() * windowMs));
      }
    },
    cutAll() {
      let cut = 0;
      for (const session of [...sessions.values()]) if (session.cut()) cut++;
      return cut;
    },
    close() {
      clearInterval(timer);
      for (const drainTimer of drainTimers) clearTimeout(drainTimer);
      drainTimers = [];
      for (const session of [...sessions.values()]) session.cut();
      server.close();
    },
  };
}
