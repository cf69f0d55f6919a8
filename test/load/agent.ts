import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import { HEADERS, RECONNECT_CLOSE, ROUTES } from "../../contract/endpoints.ts";
import { type Context, epochMs } from "./context.ts";
import type { Failure, Kind } from "./outcome.ts";

/** A chat that was sent and has not been answered completely. */
interface Pending {
  readonly dueMs: number;
  readonly startMs: number;
  readonly prompt: string;
  readonly timer: NodeJS.Timeout;
  /** The connection it was sent on: what becomes of it is that version's doing, whoever answers after a resume. */
  readonly origin: Connection;
  firstByteAtMs?: number;
  echoed: boolean;
}

interface Connection {
  readonly socket: WebSocket;
  version: string;
  epoch?: string;
  /** Offset of the last message that arrived. */
  offset: number;
  /** The server has asked for another connection: nothing new is sent on this one. */
  noticed: boolean;
  openedMs: number;
  pending: Map<string, Pending>;
}

interface Message {
  readonly revision?: string;
  readonly type?: string;
  readonly id?: string;
  readonly epoch?: string;
  readonly offset?: number;
  readonly resumed?: boolean;
  readonly data?: { readonly choices?: readonly { readonly delta?: { readonly content?: string } }[] };
  readonly error?: { readonly message?: string };
  readonly status?: number;
}

export interface AgentClient {
  /** Sends a chat; on the newest connection that takes one. */
  chat(dueMs: number): void;
  /** Resolves when nothing is pending any more, or at the load's giving up; closes. */
  close(): Promise<void>;
}

/** After a connection could not be made or was lost, the next one is tried after this. */
const RECONNECT_MS = 500;

/**
 * One agent of `/v1/agents`. When the server asks it to reconnect it opens a new connection for new chats and leaves the old
 * one to finish. A connection that breaks without notice is a cut; it is resumed once, and what is lost then is cut as well.
 */
export function startAgent(context: Context): AgentClient {
  const { options, tally } = context;
  const url = options.url.replace(/^http/, "ws") + ROUTES.agents;
  const connections = new Set<Connection>();
  let current: Connection | undefined;
  let retry: NodeJS.Timeout | undefined;
  let stopping = false;
  let whenIdle: (() => void) | undefined;

  const report = (
    kind: Kind,
    version: string,
    dueMs: number,
    startMs: number,
    pending?: Pending,
    failure?: Failure,
  ) => {
    const outcome = {
      kind,
      version,
      intendedMs: epochMs(dueMs),
      startMs: epochMs(startMs),
      latencyMs: performance.now() - dueMs,
      ...(pending?.firstByteAtMs === undefined ? {} : { firstByteMs: pending.firstByteAtMs - dueMs }),
      ...(failure === undefined ? {} : { failure }),
    };
    tally.finish(outcome);
    options.onOutcome?.(outcome);
  };

  const settle = (connection: Connection, id: string, failure?: Failure) => {
    const pending = connection.pending.get(id);
    if (pending === undefined) return;
    clearTimeout(pending.timer);
    connection.pending.delete(id);
    report("agent", pending.origin.version, pending.dueMs, pending.startMs, pending, failure);
    if (stopping && connection.pending.size === 0) connection.socket.close(1000);
  };
  const settleAll = (connection: Connection, failure: Failure) => {
    for (const id of [...connection.pending.keys()]) settle(connection, id, failure);
  };

  const connect = (resume?: Connection) => {
    clearTimeout(retry);
    retry = undefined;
    const startMs = performance.now();
    const query = resume?.epoch === undefined ? "" : `?epoch=${resume.epoch}&offset=${resume.offset}`;
    const socket = new WebSocket(url + query, {
      perMessageDeflate: false,
      headers: { ...options.headers },
      handshakeTimeout: options.timeoutMs,
    });
    const connection: Connection = {
      socket,
      version: "unknown",
      offset: resume?.offset ?? 0,
      noticed: false,
      openedMs: 0,
      pending: resume?.pending ?? new Map(),
    };
    let isOpen = false;
    connections.add(connection);
    socket.on("upgrade", (response: IncomingMessage) => {
      const version = response.headers[HEADERS.revision];
      if (typeof version === "string") connection.version = version;
    });
    socket.on("open", () => {
      isOpen = true;
      connection.openedMs = performance.now();
      current = connection;
    });
    socket.on("message", (data) =>
      receive(connection, resume !== undefined, JSON.parse(data.toString()) as Message),
    );
    socket.on("error", () => undefined); // followed by close
    socket.on("close", (code) => {
      connections.delete(connection);
      if (current === connection) current = undefined;
      closed(connection, code, isOpen, startMs, resume !== undefined);
      if (connections.size === 0) whenIdle?.();
    });
  };

  const closed = (
    connection: Connection,
    code: number,
    wasOpen: boolean,
    startMs: number,
    wasResume: boolean,
  ) => {
    const lost: Failure = { reason: "socket message lost", cut: true };
    if (context.giveUp.aborted) return;
    if (!wasOpen) {
      tally.sent(0);
      report("socket", "unknown", startMs, startMs, undefined, { reason: "socket refused", cut: false });
      settleAll(connection, lost);
    } else if (connection.noticed && code === RECONNECT_CLOSE.code) {
      settleAll(connection, lost);
    } else if (!stopping) {
      tally.sent(0);
      report("socket", connection.version, startMs, startMs, undefined, {
        reason: `socket closed ${code}`,
        cut: true,
      });
      if (connection.epoch !== undefined && !wasResume && connection.pending.size > 0) {
        connect(connection);
        return;
      }
      settleAll(connection, lost);
    } else {
      settleAll(connection, lost);
    }
    if (!stopping && current === undefined && retry === undefined) {
      retry = setTimeout(connect, connection.noticed ? 0 : RECONNECT_MS);
    }
  };

  const receive = (connection: Connection, wasResume: boolean, message: Message) => {
    if (message.type === "welcome") {
      // A session that was not resumed numbers its messages anew, and what was pending in the old one is gone.
      if (wasResume && message.resumed !== true) {
        settleAll(connection, { reason: "socket message lost", cut: true });
        connection.offset = 0;
      }
      if (message.epoch !== undefined) connection.epoch = message.epoch;
      if (message.revision !== undefined) connection.version = message.revision;
      return;
    }
    if (message.type === "reconnect") {
      connection.noticed = true;
      tally.askedToReconnect(connection.version);
      if (current === connection && !stopping) {
        current = undefined;
        // Sent on right after it came: only a pod that drains is there, and it must not be asked again at once.
        const isYoung = performance.now() - connection.openedMs < RECONNECT_MS;
        retry = setTimeout(connect, isYoung ? RECONNECT_MS : 0);
      }
      return;
    }
    if (message.offset !== undefined) {
      if (message.offset !== connection.offset + 1)
        settleAll(connection, { reason: "socket message lost", cut: true });
      connection.offset = message.offset;
    }
    if (message.id !== undefined) progress(connection, message.id, message);
  };

  const progress = (connection: Connection, id: string, message: Message) => {
    const pending = connection.pending.get(id);
    if (pending === undefined) return;
    if (message.type === "delta") {
      if (pending.firstByteAtMs === undefined) {
        pending.firstByteAtMs = performance.now();
        tally.accepted(pending.origin.version, "agent", epochMs(pending.startMs));
      }
      if (!pending.echoed)
        pending.echoed = message.data?.choices?.[0]?.delta?.content?.includes(pending.prompt) ?? false;
    } else if (message.type === "done") {
      settle(
        connection,
        id,
        pending.echoed ? undefined : { reason: "answer to another question", cut: false },
      );
    } else if (message.type === "error") {
      settle(connection, id, { reason: `status ${message.status ?? 0}`, cut: false });
    }
  };

  connect();
  return {
    chat(dueMs) {
      const connection = current;
      // Not connected: the socket's own failure is counted, and a chat that was never sent is none.
      if (stopping || connection === undefined || connection.epoch === undefined) return;
      const startMs = performance.now();
      const prompt = context.nonce();
      const timer = setTimeout(
        () => settle(connection, prompt, { reason: "timeout", cut: true }),
        options.timeoutMs,
      );
      tally.sent(startMs - dueMs);
      connection.pending.set(prompt, {
        dueMs,
        startMs,
        prompt,
        timer,
        origin: connection,
        echoed: !options.verifyEcho,
      });
      const body = { model: options.model, messages: [{ role: "user", content: prompt }] };
      connection.socket.send(JSON.stringify({ type: "chat", id: prompt, body }));
    },
    close() {
      stopping = true;
      clearTimeout(retry);
      return new Promise((resolve) => {
        whenIdle = resolve;
        if (connections.size === 0) resolve();
        for (const { socket, pending } of connections) if (pending.size === 0) socket.close(1000);
        const terminate = () => {
          for (const { socket, pending } of connections) {
            for (const { timer } of pending.values()) clearTimeout(timer);
            socket.terminate();
          }
        };
        if (context.giveUp.aborted) terminate();
        else context.giveUp.addEventListener("abort", terminate);
      });
    },
  };
}
