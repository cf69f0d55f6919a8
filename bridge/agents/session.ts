import { performance } from "node:perf_hooks";
import type { WebSocket } from "ws";
import { RECONNECT_CLOSE } from "../../contract/endpoints.ts";
import { bridgeFailure, clientFailure, errorObject, type Failure } from "../http/failure.ts";
import type { Service } from "../http/service.ts";
import { AgentChat, type ChatOutlet } from "./chat.ts";
import { type AgentMessageId, readMessage } from "./message.ts";
import { Outbox, QUEUE_LENGTH } from "./outbox.ts";

export interface SessionOptions {
  readonly service: Service;
  readonly epoch: string;
  readonly tenant: string;
  /** Factor of this connection's maximum age, 0.8 to 1.2. */
  readonly jitter: number;
  readonly newId: () => string;
  /** The session is over: closed by the agent, or not resumed in time. */
  readonly onEnd: (session: AgentSession) => void;
}

/** Chats of one session that run at once; further ones wait. */
const CHATS_AT_ONCE = 8;

/** Bytes handed to a socket that it has not sent yet, above which messages wait in the outbox. */
const SOCKET_BYTES = 64 * 1024;

/**
 * Messages that wait above which an agent is let go: it sends what is answered at once (what cannot be read, is one too many, or
 * is cancelled) and neither reads nor acknowledges the answers.
 */
const MOST_WAITING = 1_000;

/** Policy violation (RFC 6455, 7.4.1). */
const UNREAD_CLOSE = {
  code: 1008,
  reason: `${MOST_WAITING} messages wait for you; read and acknowledge before you send on`,
} as const;

/** How long a lost connection can be resumed, in milliseconds. Its answers go on until the outbox is full. */
export const RESUME_MS = 15_000;

/** Between the notice to reconnect and closing, so that a message sent meanwhile is still answered here, in milliseconds. */
const NOTICE_MS = 500;

interface WaitingChat {
  readonly id: AgentMessageId;
  readonly body: Record<string, unknown>;
  /** Of the message that it came in. */
  readonly bytes: number;
}

type CloseReason = "age" | "drain";

/**
 * One agent: its connection, its chats, and the messages to it. Lives longer than the connection, so that an agent whose
 * connection broke can come back with the epoch and the last offset it has and miss nothing.
 */
export class AgentSession implements ChatOutlet {
  readonly outbox: Outbox;
  readonly #options: SessionOptions;
  readonly #chats = new Map<AgentMessageId, AgentChat>();
  #waiting: WaitingChat[] = [];
  #socket: WebSocket | undefined;
  #bornAt = 0;
  /** Since when the connection is lost, or has taken nothing; undefined while all is well. */
  #lostAt: number | undefined;
  #stalledAt: number | undefined;
  #noticeAt: number | undefined;
  #alive = true;
  #pumping = false;
  /** A chat was told that there is no room, and waits to be resumed. */
  #holding = false;
  #ended = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.outbox = new Outbox(options.epoch);
  }

  get tenant(): string {
    return this.#options.tenant;
  }

  get connected(): boolean {
    return this.#socket !== undefined;
  }

  get busy(): boolean {
    return this.#chats.size > 0 || this.#waiting.length > 0 || (this.connected && this.outbox.waiting > 0);
  }

  get full(): boolean {
    if (this.outbox.full) this.#holding = true;
    return this.outbox.full;
  }

  /** Puts the session on a connection; an older one is given up. */
  attach(socket: WebSocket, resumed: boolean): void {
    this.#socket?.terminate();
    this.#socket = socket;
    this.#bornAt = performance.now();
    this.#lostAt = undefined;
    this.#stalledAt = undefined;
    this.#noticeAt = undefined;
    this.#alive = true;
    socket.on("message", (data, binary) => {
      // One Buffer, since the socket's binaryType is left as it is.
      if (this.#socket === socket && !this.#ended) this.#take(data as Buffer, binary);
    });
    socket.on("pong", () => {
      this.#alive = true;
    });
    socket.on("close", (code) => {
      if (this.#socket === socket) this.#detach(code);
    });
    // A protocol error closes the socket, and that is handled.
    socket.on("error", () => undefined);
    const { epoch, offset } = this.outbox;
    socket.send(JSON.stringify({ type: "welcome", epoch, offset, resumed }));
    this.#pump();
  }

  send(fields: string): void {
    this.outbox.push(fields);
    this.#pump();
  }

  finished(id: AgentMessageId): void {
    this.#chats.delete(id);
    this.#beginWaiting();
    this.#closeWhenIdle();
  }

  /** Asks the agent to come back on a new connection; closes this one when nothing is in progress. */
  askToReconnect(reason: CloseReason): void {
    if (this.#noticeAt !== undefined || this.#socket === undefined) return;
    this.#noticeAt = performance.now();
    const { epoch, offset } = this.outbox;
    this.#socket.send(JSON.stringify({ type: "reconnect", reason, epoch, offset }));
    setTimeout(() => this.#closeWhenIdle(), NOTICE_MS + 1).unref();
  }

  /** Looks at the clock: age (0: no limit), notice, stalls, the time to resume. Called about every second. */
  tick(maxAgeMs: number): void {
    const now = performance.now();
    if (this.#lostAt !== undefined && now - this.#lostAt > RESUME_MS) this.end();
    if (this.#socket === undefined) return;
    if (this.#stalledAt !== undefined && now - this.#stalledAt > this.#options.service.stallMs) {
      // The agent does not read; a close frame would wait behind what it leaves unread. It can resume when it reads again.
      this.#stalledAt = undefined;
      this.#options.service.metrics.cutConnections.inc({ reason: "error" });
      this.#socket.terminate();
      return;
    }
    const ageMs = maxAgeMs * this.#options.jitter;
    if (ageMs > 0 && now - this.#bornAt > ageMs) this.askToReconnect("age");
    this.#closeWhenIdle();
  }

  /** Heartbeat: a connection that did not answer the last ping is lost. */
  ping(): void {
    // An answer to the ping would not be read; how long the agent takes nothing is looked at apart.
    if (this.#socket === undefined || this.#socket.isPaused) return;
    if (!this.#alive) {
      this.#socket.terminate();
      return;
    }
    this.#alive = false;
    this.#socket.ping();
  }

  /** Ends everything now; returns whether an answer was in progress. */
  cut(): boolean {
    const busy = this.busy;
    this.#socket?.terminate();
    this.end("bridge");
    return busy;
  }

  /** @param by Who ends it. */
  end(by: "client" | "bridge" = "client"): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting = [];
    for (const chat of [...this.#chats.values()]) chat.abort(by);
    this.#options.onEnd(this);
  }

  /** What fails here is one message of one agent, and must not end the process with all others. */
  #take(bytes: Buffer, binary: boolean): void {
    try {
      this.#receive(bytes, binary);
    } catch (error) {
      const { service, newId } = this.#options;
      const requestId = newId();
      service.log.error({ err: error, requestId }, "message failed in the bridge");
      this.#refuse(undefined, bridgeFailure(requestId));
    }
  }

  #receive(bytes: Buffer, binary: boolean): void {
    const { service } = this.#options;
    service.metrics.messages.inc({ direction: "in" });
    const read = binary
      ? { ok: false as const, problem: "message: binary; send JSON as text.", id: undefined }
      : readMessage(bytes);
    if (!read.ok) {
      this.#refuse(read.id, clientFailure(400, "invalid_request", read.problem));
      return;
    }
    const { message } = read;
    if (message.type === "ack") {
      this.outbox.acknowledge(message.offset);
      this.#pump();
    } else if (message.type === "cancel") {
      this.#cancel(message.id);
    } else if (this.#chats.has(message.id) || this.#waiting.some((waiting) => waiting.id === message.id)) {
      const problem = "id: a chat with this id is in progress; give every message its own id.";
      this.#refuse(message.id, clientFailure(409, "invalid_request", problem, "id"));
    } else {
      this.#beginOrWait({ id: message.id, body: message.body, bytes: bytes.length });
    }
  }

  /** What waits is bounded by its number, and by the bytes of one largest message: a hundred of those would be more than a pod has. */
  #beginOrWait(chat: WaitingChat): void {
    const { bodyBytes } = this.#options.service.limits;
    const bytes = this.#waiting.reduce((sum, waiting) => sum + waiting.bytes, chat.bytes);
    if (this.#mayBegin) {
      this.#begin(chat);
    } else if (this.#waiting.length < QUEUE_LENGTH && bytes <= bodyBytes) {
      this.#waiting.push(chat);
    } else {
      const limit =
        this.#waiting.length < QUEUE_LENGTH
          ? `with this one more than ${bodyBytes} bytes of chats of this connection would wait`
          : `${QUEUE_LENGTH} chats of this connection wait already`;
      const problem = `message: ${limit}; send the next one when an answer is done.`;
      this.#refuse(chat.id, clientFailure(429, "too_many_messages", problem));
    }
  }

  #cancel(id: AgentMessageId): void {
    const waiting = this.#waiting.length;
    this.#waiting = this.#waiting.filter((chat) => chat.id !== id);
    const chat = this.#chats.get(id);
    chat?.abort();
    if (chat === undefined && this.#waiting.length === waiting) return;
    this.send(`"id":${JSON.stringify(id)},"type":"done","cancelled":true`);
  }

  get #mayBegin(): boolean {
    return this.#chats.size < CHATS_AT_ONCE && !this.full;
  }

  /** Asked whenever a chat has ended or there is room for messages again: either may be what the next one waits for. */
  #beginWaiting(): void {
    while (this.#waiting.length > 0 && this.#mayBegin) {
      const next = this.#waiting.shift();
      if (next !== undefined) this.#begin(next);
    }
  }

  #begin({ id, body }: WaitingChat): void {
    const { service, tenant, newId } = this.#options;
    const chat = new AgentChat(service, this, id, tenant, newId());
    this.#chats.set(id, chat);
    chat.begin(body);
  }

  /** A message that did not become a chat still counts as a request, once. */
  #refuse(id: AgentMessageId | undefined, failure: Failure): void {
    const account = this.#options.service.ledger.open("agents");
    const error = JSON.stringify(errorObject(failure));
    this.send(
      `"id":${JSON.stringify(id ?? null)},"type":"error","status":${failure.status},"error":${error}`,
    );
    account.close(failure.domain);
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    const socket = this.#socket;
    let sent = 0;
    while (
      socket !== undefined &&
      socket.readyState === socket.OPEN &&
      socket.bufferedAmount < SOCKET_BYTES
    ) {
      const text = this.outbox.take();
      if (text === undefined) break;
      sent++;
      socket.send(text, this.#onSent);
    }
    if (sent > 0) {
      this.#stalledAt = undefined;
      this.#options.service.metrics.messages.inc({ direction: "out" }, sent);
    } else if (this.outbox.waiting > 0 && socket !== undefined) {
      this.#stalledAt ??= performance.now();
    }
    this.#pumping = false;
    if (socket !== undefined) this.#limit(socket);
    if (!this.#holding || this.outbox.waiting > QUEUE_LENGTH / 2) return;
    this.#holding = false;
    for (const chat of [...this.#chats.values()]) chat.resume();
    this.#beginWaiting();
  }

  /** Chats pause while the outbox is full; what is answered at once does not, so its sender has to. */
  #limit(socket: WebSocket): void {
    if (this.#ended || socket.readyState !== socket.OPEN) return;
    const { waiting } = this.outbox;
    if (waiting > MOST_WAITING) {
      socket.close(UNREAD_CLOSE.code, UNREAD_CLOSE.reason);
      this.end();
    } else if (waiting > QUEUE_LENGTH && socket.bufferedAmount >= SOCKET_BYTES) {
      socket.pause();
    } else if (socket.isPaused) {
      // Also while many wait for an acknowledgement, which has to be read. The last pong may lie unread.
      this.#alive = true;
      socket.resume();
    }
  }

  readonly #onSent = (): void => {
    if (this.outbox.waiting > 0) this.#pump();
  };

  #detach(code: number): void {
    this.#socket = undefined;
    // Without a close frame (1006) the connection broke and may be resumed, here as long as this pod stays; otherwise the agent is done.
    const mayReturn = code === 1006 && !this.#options.service.connections.draining;
    if (mayReturn) this.#lostAt = performance.now();
    else this.end();
  }

  #closeWhenIdle(): void {
    const socket = this.#socket;
    if (this.#noticeAt === undefined || socket === undefined || this.busy) return;
    if (performance.now() - this.#noticeAt < NOTICE_MS) return;
    socket.close(RECONNECT_CLOSE.code, RECONNECT_CLOSE.reason);
  }
}
