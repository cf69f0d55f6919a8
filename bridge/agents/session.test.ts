import { EventEmitter } from "node:events";
import { pino } from "pino";
import { describe, expect, it, vi } from "vitest";
import type { WebSocket } from "ws";
import type { Service } from "../http/service.ts";
import { LARGE_BYTES } from "../json-value.ts";
import { createLedger } from "../metrics/account.ts";
import { createMetrics } from "../metrics/registry.ts";
import { AgentSession } from "./session.ts";

/** The connection of an agent, as far as a session uses it. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  isPaused = false;
  readonly sent: Record<string, unknown>[] = [];
  readonly close = vi.fn();
  readonly ping = vi.fn();
  readonly terminate = vi.fn();
  #onSent: (() => void) | undefined;

  send(text: string, onSent?: () => void): void {
    this.sent.push(JSON.parse(text));
    this.#onSent = onSent;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  /** So many bytes are left to be sent; what was in the way is sent. */
  drain(bufferedAmount: number): void {
    this.bufferedAmount = bufferedAmount;
    this.#onSent?.();
  }

  /** What an agent sent; anything but a message of the protocol is refused at once. */
  receive(message: unknown): void {
    this.emit("message", Buffer.from(JSON.stringify(message)), false);
  }
}

const BODY_BYTES = 10_000;

function start() {
  const metrics = createMetrics({ bridge: "chat", revision: "r" });
  const ledger = createLedger(metrics);
  const service = {
    metrics,
    ledger,
    log: pino({ level: "silent" }),
    limits: { bodyBytes: BODY_BYTES, requestMs: 0 },
    catalog: { find: () => new Promise(() => undefined) },
  } as unknown as Service;
  const socket = new FakeSocket();
  const onEnd = vi.fn();
  const session = new AgentSession({
    service,
    epoch: "e",
    tenant: "t",
    jitter: 1,
    newId: () => "id-1",
    onEnd,
  });
  session.attach(socket as unknown as WebSocket, false);
  return { session, socket, ledger, onEnd };
}

describe("an agent's message on which the bridge fails", () => {
  it("is answered and counted as the bridge's fault, and ends nothing else", async () => {
    const { socket, ledger } = start();
    vi.spyOn(ledger, "open").mockImplementationOnce(() => {
      throw new Error("a fault of ours");
    });
    socket.receive({ type: "chat", id: 1, body: { model: "m", messages: [] } });
    expect(socket.sent.at(-1)).toMatchObject({
      type: "error",
      id: null,
      status: 500,
      error: { code: "bridge_error" },
    });
    socket.receive({ type: "chat", id: 2, body: { model: "m" } });
    await expect.poll(() => socket.sent.at(-1)).toMatchObject({ type: "error", id: 2, status: 400 });
    expect(ledger.totals.errors).toEqual({ bridge: 1, upstream: 0, client: 1 });
    expect(ledger.inFlight).toBe(0);
  });
});

describe("an agent's large message that is nested too deep", () => {
  it("is refused before it is parsed, which would take gigabytes", () => {
    const { socket, ledger } = start();
    const parse = vi.spyOn(JSON, "parse");
    socket.emit("message", Buffer.from('{"body":'.repeat(LARGE_BYTES)), false);
    // What was sent is parsed by the test's own socket.
    expect(Math.max(0, ...parse.mock.calls.map(([text]) => text.length))).toBeLessThan(1_000);
    parse.mockRestore();
    const message = "body: nested deeper than 200 levels; send arrays and objects that are flatter.";
    expect(socket.sent.at(-1)).toMatchObject({ type: "error", status: 400, error: { message } });
    expect(ledger.totals.errors.client).toBe(1);
  });
});

describe("an agent's chats that wait for a turn", () => {
  const chat = (id: number, length: number) => {
    const content = "x".repeat(length);
    return { type: "chat", id, body: { model: "m", messages: [{ role: "user", content }] } };
  };

  it("are refused above the bytes of one largest message in all, until fewer wait", () => {
    const { socket, ledger } = start();
    // Those that have a turn do not count.
    for (let id = 1; id <= 8; id++) socket.receive(chat(id, 9_000));
    for (let id = 9; id <= 11; id++) socket.receive(chat(id, 3_000));
    expect(socket.sent).toHaveLength(1);
    socket.receive(chat(12, 3_000));
    expect(socket.sent.at(-1)).toMatchObject({
      type: "error",
      id: 12,
      status: 429,
      error: {
        code: "too_many_messages",
        message:
          "message: with this one more than 10000 bytes of chats of this connection would wait; send the next one when an answer is done.",
      },
    });
    socket.receive({ type: "cancel", id: 10 });
    socket.receive(chat(13, 3_000));
    expect(socket.sent.at(-1)).toMatchObject({ id: 10, cancelled: true });
    expect(ledger.totals.errors.client).toBe(1);
  });
});

describe("an agent's chat that is not over", () => {
  it.each([
    ["the bridge's fault where it is cut, as at the end of a drain", "cut", "bridge"],
    ["the agent's own doing where it leaves", "end", "client"],
  ] as const)("counts as %s", (_what, how, domain) => {
    const { session, socket, ledger } = start();
    socket.receive({ type: "chat", id: 1, body: { model: "m", messages: [{ role: "user", content: "?" }] } });
    session[how]();
    expect(ledger.totals.errors).toEqual({ bridge: 0, upstream: 0, client: 0, [domain]: 1 });
    expect(ledger.inFlight).toBe(0);
  });
});

describe("an agent that sends without reading", () => {
  const FULL = 64 * 1024;

  it("is not read from while 100 messages wait for it, and loses none", () => {
    const { session, socket } = start();
    socket.receive("x");
    socket.bufferedAmount = FULL;
    for (let i = 0; i < 100; i++) socket.receive("x");
    expect(socket.isPaused).toBe(false);
    socket.receive("x");
    expect(socket.isPaused).toBe(true);
    // What it answers to a ping is not read either, so that it is not taken for dead.
    session.ping();
    session.ping();
    expect(socket.terminate).not.toHaveBeenCalled();
    socket.drain(0);
    expect(socket.isPaused).toBe(false);
    expect(socket.sent).toHaveLength(1 + 102);
  });

  it("is read from while only its acknowledgements are missing", () => {
    const { socket } = start();
    socket.receive({ type: "ack", offset: 0 });
    for (let i = 0; i < 300; i++) socket.receive("x");
    expect(socket.isPaused).toBe(false);
    for (let offset = 50; offset <= 300; offset += 50) socket.receive({ type: "ack", offset });
    expect(socket.sent).toHaveLength(1 + 300);
  });

  it.each([
    ["unread", FULL],
    ["unacknowledged", 0],
  ])("is let go when 1,000 messages wait %s", (_why, bufferedAmount) => {
    const { socket, ledger, onEnd } = start();
    socket.receive({ type: "ack", offset: 0 });
    socket.bufferedAmount = bufferedAmount;
    const underWay = bufferedAmount === 0 ? 50 : 0;
    for (let i = 0; i < underWay + 1_000; i++) socket.receive("x");
    expect(onEnd).not.toHaveBeenCalled();
    for (let i = 0; i < 3; i++) socket.receive("x");
    expect(onEnd).toHaveBeenCalledOnce();
    expect(socket.close).toHaveBeenCalledExactlyOnceWith(1008, expect.any(String));
    expect(ledger.totals.requests).toBe(underWay + 1_001);
  });
});
