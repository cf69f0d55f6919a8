import { EventEmitter } from "node:events";
import { pino } from "pino";
import { describe, expect, it, vi } from "vitest";
import type { WebSocket } from "ws";
import type { Service } from "../http/service.ts";
import { createLedger } from "../metrics/account.ts";
import { createMetrics } from "../metrics/registry.ts";
import { AgentSession } from "./session.ts";

/** The connection of an agent, as far as a session uses it. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  readonly sent: Record<string, unknown>[] = [];

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  receive(message: unknown): void {
    this.emit("message", Buffer.from(JSON.stringify(message)), false);
  }
}

function start() {
  const metrics = createMetrics({ bridge: "chat", revision: "r" });
  const ledger = createLedger(metrics);
  const service = {
    metrics,
    ledger,
    log: pino({ level: "silent" }),
  } as unknown as Service;
  const socket = new FakeSocket();
  const session = new AgentSession({
    service,
    epoch: "e",
    tenant: "t",
    jitter: 1,
    newId: () => "id-1",
    onEnd: () => undefined,
  });
  session.attach(socket as unknown as WebSocket, false);
  return { socket, ledger };
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
