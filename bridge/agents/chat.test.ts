import { pino } from "pino";
import { describe, expect, it, vi } from "vitest";
import type { Metered } from "../http/meter.ts";
import type { Service } from "../http/service.ts";
import { createLedger } from "../metrics/account.ts";
import { createMetrics } from "../metrics/registry.ts";
import type { AnswerSink } from "../upstreams/sink.ts";
import { AgentChat } from "./chat.ts";

/** A chat that has been sent to its upstream; the test answers in the upstream's place. */
async function begin(requestMs = 0) {
  const ledger = createLedger(createMetrics({ bridge: "chat", revision: "r" }));
  const records: Metered[] = [];
  const abort = vi.fn();
  const call = vi.fn((_operation: unknown, _request: unknown, _sink: AnswerSink) => ({
    begin() {},
    resume() {},
    abort,
  }));
  const service = {
    ledger,
    log: pino({ level: "silent" }),
    limits: { bodyBytes: 1024, requestMs },
    catalog: { find: async () => ({ kind: "upstream", upstream: { name: "up", call } }) },
    meter: { record: (metered: Metered) => records.push(metered) },
  } as unknown as Service;
  const outlet = { full: false, send: vi.fn(), finished: vi.fn() };
  new AgentChat(service, outlet, 1, "t", "id-1").begin({ model: "m", messages: [] });
  await vi.waitFor(() => expect(call).toHaveBeenCalled());
  const sink = call.mock.calls[0]?.[2] as AnswerSink;
  sink.start(200, { "content-type": "text/event-stream" });
  return { sink, outlet, records, ledger, abort };
}

describe("AgentChat", () => {
  it("ends as the bridge's fault where what is left of its answer cannot be sent", async () => {
    const { sink, outlet, ledger } = await begin();
    outlet.full = true;
    sink.data(Buffer.from('data: {"choices":[]}\n\ndata: [DONE]\n\n'));
    outlet.full = false;
    outlet.send.mockImplementationOnce(() => {
      throw new Error("a fault of ours");
    });
    sink.end();
    expect(outlet.send).toHaveBeenLastCalledWith(expect.stringContaining('"code":"bridge_error"'));
    expect(outlet.finished).toHaveBeenCalledWith(1);
    expect(ledger.totals.errors.bridge).toBe(1);
  });

  it.each([
    ["upstream", 504, false],
    ["client", 408, true],
  ] as const)(
    "that is not over in the time that any request may take fails for the %s (%i)",
    async (by, status, full) => {
      const { sink, outlet, records, ledger, abort } = await begin(500);
      sink.sent();
      sink.data(Buffer.from('data: {"choices":[]}\n\n'));
      outlet.full = full;
      await expect.poll(() => outlet.finished.mock.calls).toEqual([[1]]);
      expect(outlet.send).toHaveBeenLastCalledWith(expect.stringContaining('"code":"request_timeout"'));
      expect(abort).toHaveBeenCalled();
      expect(records).toMatchObject([{ status }]);
      expect(ledger.totals.errors).toEqual({ bridge: 0, upstream: 0, client: 0, [by]: 1 });
    },
  );

  it("that is over in time is left alone", async () => {
    const { sink, outlet, ledger } = await begin(300);
    sink.data(Buffer.from('data: {"choices":[]}\n\ndata: [DONE]\n\n'));
    sink.end();
    const { calls } = outlet.send.mock;
    const sent = calls.length;
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(calls).toHaveLength(sent);
    expect(ledger.totals.errors).toEqual({ bridge: 0, upstream: 0, client: 0 });
  });

  it.each(['"usage":{', '"usage": {'])(
    "records the tokens that the upstream counted, written %s",
    async (mark) => {
      const { sink, records } = await begin();
      sink.data(Buffer.from('data: {"choices":[],"usage":null}\n\n'));
      sink.data(Buffer.from(`data: {"choices": [], ${mark}"prompt_tokens": 7, "completion_tokens": 9}}\n\n`));
      sink.data(Buffer.from("data: [DONE]\n\n"));
      sink.end();
      expect(records[0]?.tokens).toEqual({ promptTokens: 7, completionTokens: 9 });
    },
  );
});
