import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { HEADERS } from "../../contract/endpoints.ts";
import { METRICS } from "../../contract/metrics.ts";
import { type FilesSpec, type RunningBridge, runBridge } from "../testing/bridge.ts";
import { chunkEvent, DONE_EVENT, type Model, startModel, stream } from "../testing/model.ts";

interface Message {
  readonly type: string;
  readonly id?: unknown;
  readonly epoch: string;
  readonly offset: number;
  readonly resumed?: boolean;
  readonly status?: number;
  readonly data?: { choices: { delta: { content: string } }[] };
  readonly error?: { code: string; message: string };
}

/** An agent that keeps what it was sent. */
class TestAgent {
  readonly socket: WebSocket;
  readonly messages: Message[] = [];
  readonly closed: Promise<number>;

  constructor(query = "", headers: Record<string, string> = {}, perMessageDeflate = true) {
    this.socket = new WebSocket(`${bridge.webSocketUrl}/v1/agents${query}`, { headers, perMessageDeflate });
    this.socket.on("message", (data) => this.messages.push(JSON.parse(String(data)) as Message));
    this.closed = once(this.socket, "close").then(([code]) => code as number);
  }

  async chat(id: unknown, body: object = { model: "m", messages: [] }): Promise<void> {
    if (this.socket.readyState !== WebSocket.OPEN) await once(this.socket, "open");
    this.socket.send(JSON.stringify({ type: "chat", id, body }));
  }

  /** From here on every message is acknowledged as it comes. */
  acknowledgeAll(): void {
    this.socket.on("message", (data) => {
      const { offset } = JSON.parse(String(data)) as Message;
      this.socket.send(JSON.stringify({ type: "ack", offset }));
    });
  }

  of(id: unknown): Message[] {
    return this.messages.filter((message) => message.id === id);
  }

  text(id: unknown): string {
    return this.of(id)
      .map((message) => message.data?.choices[0]?.delta.content ?? "")
      .join("");
  }

  get last(): Message | undefined {
    return this.messages.at(-1);
  }
}

let model: Model;
let bridge: RunningBridge;

beforeEach(async () => {
  model = await startModel(stream(chunkEvent("one "), chunkEvent("two"), DONE_EVENT));
});
afterEach(async () => {
  await bridge.close();
  await model.close();
});

async function start(spec: Partial<FilesSpec> = {}): Promise<void> {
  bridge = await runBridge({ upstreams: [{ name: "up", url: model.url }], ...spec });
}

const errors = (domain: string) => bridge.metric(METRICS.errors, { route: "agents", domain });

describe("a chat over WebSocket", () => {
  it("is streamed whatever the body says, message by message with rising offsets, and ends with done", async () => {
    await start();
    const agent = new TestAgent();
    await agent.chat("q1", { model: "m", messages: [], stream: false });
    await expect.poll(() => agent.last?.type).toBe("done");
    expect(agent.messages.map((message) => [message.type, message.offset])).toEqual([
      ["welcome", 0],
      ["delta", 1],
      ["delta", 2],
      ["done", 3],
    ]);
    expect(agent.text("q1")).toBe("one two");
    expect(JSON.parse(model.received[0]?.text ?? "")).toMatchObject({ model: "m", stream: true });
    expect(await bridge.metric(METRICS.requests, { route: "agents", cache: "off" })).toBe(1);
    expect(await bridge.metric(METRICS.messages, { direction: "in" })).toBe(1);
    expect(await bridge.metric(METRICS.messages, { direction: "out" })).toBe(3);
    expect(await bridge.metric(METRICS.openStreams, { kind: "websocket" })).toBe(1);
    expect(await bridge.metric(METRICS.inFlight)).toBe(0);
  });

  it.each(["data: [DONE]\n", "data: [DONE]\r\n", "data:[DONE]"])(
    "is complete with %j at the end",
    async (end) => {
      model.answer = stream(chunkEvent("one"), end);
      await start();
      const agent = new TestAgent();
      await agent.chat(1);
      await expect.poll(() => agent.of(1).map((message) => message.type)).toEqual(["delta", "done"]);
    },
  );

  it("fails with a message that says why, and counts by fault", async () => {
    await start({ upstreams: [{ name: "up", url: model.url, models: ["m"] }] });
    const agent = new TestAgent();
    await agent.chat(1, { model: "x", messages: [] });
    await expect.poll(() => agent.of(1)[0]?.error?.code).toBe("model_not_found");
    model.answer = (response) => response.writeHead(503).end('{"error":{"message":"busy","code":null}}');
    await agent.chat(2);
    await expect
      .poll(() => agent.of(2)[0])
      .toMatchObject({ type: "error", status: 503, error: { message: "busy" } });
    model.answer = stream(chunkEvent("one"));
    await agent.chat(3);
    await expect.poll(() => agent.of(3).at(-1)?.error?.code).toBe("upstream_incomplete");
    agent.socket.send("not json");
    await expect
      .poll(() => agent.last?.error?.message)
      .toBe("message: not valid JSON; send one JSON object per message.");
    agent.socket.send('{"type":"chat","id":5}');
    await expect.poll(() => agent.of(5)[0]?.error?.message).toContain("body: ");
    expect(await errors("client")).toBe(3);
    expect(await errors("upstream")).toBe(2);
    expect(await bridge.metric(METRICS.requests, { route: "agents", cache: "off" })).toBe(5);
  });

  it.each([
    ["null", "null"],
    ["an error nested too deep", `{"error":${"[".repeat(20_000)}${"]".repeat(20_000)}}`],
  ])("ends with an error of the upstream where that fails with %s", async (_what, text) => {
    model.answer = (response) => void response.writeHead(500).end(text);
    await start();
    const agent = new TestAgent();
    await agent.chat(1);
    const error = { message: "The upstream answered with status 500.", type: "upstream_error" };
    await expect.poll(() => agent.of(1)).toMatchObject([{ type: "error", status: 500, error }]);
    expect(await errors("upstream")).toBe(1);
    expect(await bridge.metric(METRICS.inFlight)).toBe(0);
  });

  it.each([
    [
      "a stream",
      "text/event-stream",
      `${chunkEvent("one")}data: {"error":{"message":"out of memory"}}\n\n${DONE_EVENT}`,
    ],
    ["an answer in one piece", "application/json", '{"error":{"message":"out of memory"}}'],
  ])("ends with the error that the upstream reports within %s of status 200", async (_what, type, body) => {
    model.answer = (response) => void response.writeHead(200, { "content-type": type }).end(body);
    await start();
    const agent = new TestAgent();
    await agent.chat(1);
    await expect
      .poll(() => agent.of(1).at(-1))
      .toMatchObject({ type: "error", status: 502, error: { message: "out of memory" } });
    expect(await errors("upstream")).toBe(1);
    expect(await bridge.metric(METRICS.inFlight)).toBe(0);
  });

  it("is refused where its body is nested too deep, and the agent goes on", async () => {
    await start();
    const agent = new TestAgent();
    await once(agent.socket, "open");
    const nested = "[".repeat(20_000) + "]".repeat(20_000);
    agent.socket.send(`{"type":"chat","id":1,"body":{"model":"m","messages":${nested}}}`);
    await expect
      .poll(() => agent.of(1)[0])
      .toMatchObject({ type: "error", status: 400, error: { code: "invalid_request" } });
    expect(agent.of(1)[0]?.error?.message).toContain("nested deeper than 200 levels");
    await agent.chat(2);
    await expect.poll(() => agent.of(2).at(-1)?.type).toBe("done");
    expect(await errors("client")).toBe(1);
    expect(await bridge.metric(METRICS.inFlight)).toBe(0);
  });

  it("tells on the answer to the upgrade which revision serves", async () => {
    await start();
    const agent = new TestAgent();
    const [response] = (await once(agent.socket, "upgrade")) as [IncomingMessage];
    expect(response.headers[HEADERS.revision]).toBe("abc123");
  });

  it("is cancelled at the upstream when the agent cancels it or closes its connection", async () => {
    model.answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(chunkEvent("one"));
    };
    await start();
    const agent = new TestAgent();
    await agent.chat(1);
    await expect.poll(() => agent.of(1).length).toBe(1);
    agent.socket.send('{"type":"cancel","id":1}');
    await model.received[0]?.aborted;
    await expect.poll(() => agent.of(1).at(-1)).toMatchObject({ type: "done", cancelled: true });
    await agent.chat(2);
    await expect.poll(() => agent.of(2).length).toBe(1);
    agent.socket.close(1000);
    await model.received[1]?.aborted;
    await expect.poll(() => errors("client")).toBe(2);
  });

  it("waits for a turn when many run, and is refused above 100 that wait", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    model.answer = (response, received) =>
      void promise.then(() => stream(chunkEvent("x"), DONE_EVENT)(response, received));
    await start({
      upstreams: [{ name: "up", url: model.url, maxConcurrency: 200 }],
      runtime: { httpConnections: { up: 200 } },
    });
    const agent = new TestAgent();
    for (let id = 1; id <= 110; id++) await agent.chat(id);
    await expect.poll(() => agent.messages.filter((message) => message.error !== undefined).length).toBe(2);
    expect(agent.messages.filter((message) => message.error).map((message) => message.id)).toEqual([
      109, 110,
    ]);
    expect(agent.of(109)[0]).toMatchObject({ status: 429, error: { code: "too_many_messages" } });
    await expect.poll(() => model.received.length).toBe(8);
    resolve();
    await expect.poll(() => agent.messages.filter((message) => message.type === "done").length).toBe(108);
  });

  it("begins when there is room for its messages again, though no other chat ends", async () => {
    model.answer = (response, received) => {
      if (received.text.includes("second")) stream(chunkEvent("answer"), DONE_EVENT)(response, received);
      else stream(chunkEvent("x").repeat(400))(response, received);
    };
    await start();
    const agent = new TestAgent();
    await once(agent.socket, "open");
    agent.socket.send('{"type":"ack","offset":0}');
    await agent.chat(1);
    // 50 are under way, 100 wait: the outbox is full.
    await expect.poll(() => agent.last?.offset).toBe(50);
    agent.socket.send('{"type":"cancel","id":1}');
    await agent.chat(2, { model: "m", messages: [{ role: "user", content: "second" }] });
    agent.acknowledgeAll();
    agent.socket.send('{"type":"ack","offset":50}');
    await expect.poll(() => agent.of(2).at(-1)?.type).toBe("done");
    expect(agent.text(2)).toBe("answer");
  });

  it("pauses the upstream while the agent does not read, and loses nothing", async () => {
    const total = 32 * 1024 * 1024;
    const piece = chunkEvent("x".repeat(8 * 1024));
    let written = 0;
    let pieces = 0;
    model.answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const write = (): void => {
        while (written < total) {
          written += piece.length;
          pieces++;
          if (!response.write(piece)) {
            response.once("drain", write);
            return;
          }
        }
        response.end(DONE_EVENT);
      };
      write();
    };
    await start();
    const agent = new TestAgent("", {}, false);
    await agent.chat(1);
    await expect.poll(() => agent.of(1).length).toBeGreaterThan(0);
    agent.socket.pause();
    let before = -1;
    await expect
      .poll(
        () => {
          const stalled = written === before;
          before = written;
          return stalled;
        },
        { interval: 200, timeout: 20_000 },
      )
      .toBe(true);
    expect(written).toBeLessThan(total);
    agent.socket.resume();
    await expect.poll(() => agent.last?.type, { timeout: 20_000 }).toBe("done");
    expect(agent.of(1).length).toBe(pieces + 1);
    expect(agent.messages.map((message) => message.offset)).toEqual(
      Array.from({ length: pieces + 2 }, (_, index) => index),
    );
  }, 20_000);
});

describe("a connection that broke", () => {
  it("is resumed where it stopped, with nothing lost or doubled, while the answer goes on", async () => {
    const steps: (() => void)[] = [];
    model.answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      let at = 0;
      steps.push(() => void response.write(chunkEvent(`${at++} `)));
      steps.push(() => void response.end(DONE_EVENT));
    };
    await start();
    const first = new TestAgent();
    await first.chat(1);
    await expect.poll(() => steps.length).toBe(2);
    for (let i = 0; i < 5; i++) steps[0]?.();
    await expect.poll(() => first.of(1).length).toBe(5);
    first.socket.terminate();
    for (let i = 0; i < 5; i++) steps[0]?.();
    // The agent had read the first three only.
    const seen = first.messages[3];
    const second = new TestAgent(`?epoch=${seen?.epoch}&offset=${seen?.offset}`);
    await expect.poll(() => second.messages[0]).toMatchObject({ type: "welcome", resumed: true });
    steps[1]?.();
    await expect.poll(() => second.last?.type).toBe("done");
    expect(second.messages.slice(1).map((message) => message.offset)).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
    expect(second.text(1)).toBe("3 4 5 6 7 8 9 ");
    await expect.poll(() => bridge.metric(METRICS.requests, { route: "agents", cache: "off" })).toBe(1);
    expect(await errors("client")).toBe(0);
  });

  it("is resumed after it was asked to reconnect, too", async () => {
    const { promise: more, resolve: goOn } = Promise.withResolvers<void>();
    model.answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(chunkEvent("one "));
      void more.then(() => response.end(chunkEvent("two") + DONE_EVENT));
    };
    await start({ runtime: { maxAgentConnectionAgeMs: 1 } });
    const first = new TestAgent();
    await first.chat(1);
    await expect.poll(() => first.last).toMatchObject({ type: "reconnect", reason: "age", offset: 1 });
    first.socket.terminate();
    await expect.poll(() => bridge.metric(METRICS.openStreams, { kind: "websocket" })).toBe(0);
    const second = new TestAgent(`?epoch=${first.last?.epoch}&offset=1`);
    await expect.poll(() => second.messages[0]).toMatchObject({ type: "welcome", resumed: true });
    goOn();
    await expect.poll(() => second.of(1).map((message) => message.type)).toEqual(["delta", "done"]);
    expect(second.text(1)).toBe("two");
  });

  it("starts anew for another tenant, an unknown epoch, or an offset that is gone", async () => {
    await start();
    const owner = new TestAgent("", { "x-llmbridge-tenant": "a" });
    for (let id = 0; id < 30; id++) await owner.chat(id);
    await expect.poll(() => owner.messages.filter((message) => message.type === "done").length).toBe(30);
    const epoch = owner.messages[0]?.epoch;
    owner.socket.terminate();
    for (const [query, tenant] of [
      [`?epoch=${epoch}&offset=90`, "b"],
      ["?epoch=other&offset=1", "a"],
      [`?epoch=${epoch}&offset=5`, "a"],
      [`?epoch=${epoch}&offset=91`, "a"],
    ] as const) {
      const agent = new TestAgent(query, { "x-llmbridge-tenant": tenant });
      await expect
        .poll(() => agent.messages[0])
        .toMatchObject({ type: "welcome", resumed: false, offset: 0 });
    }
    const agent = new TestAgent(`?epoch=${epoch}&offset=40`, { "x-llmbridge-tenant": "a" });
    await expect.poll(() => agent.messages.length).toBe(51);
    expect(agent.messages[0]).toMatchObject({ resumed: true });
  });

  it("never runs more than 50 messages ahead of an agent that acknowledges", async () => {
    model.answer = stream(
      ...Array.from({ length: 200 }, (_, index) => chunkEvent(String(index))),
      DONE_EVENT,
    );
    await start();
    const agent = new TestAgent();
    await once(agent.socket, "open");
    agent.socket.send('{"type":"ack","offset":0}');
    await agent.chat(1);
    await expect.poll(() => agent.last?.offset).toBe(50);
    agent.acknowledgeAll();
    agent.socket.send('{"type":"ack","offset":50}');
    await expect.poll(() => agent.last?.type).toBe("done");
    expect(agent.last?.offset).toBe(201);
  });
});

describe("the WebSocket endpoint", () => {
  it("compresses large messages for agents that offer it", async () => {
    model.answer = stream(chunkEvent("x".repeat(100_000)), DONE_EVENT);
    await start();
    const agent = new TestAgent();
    await agent.chat(1);
    await expect.poll(() => agent.last?.type).toBe("done");
    expect(agent.socket.extensions).toContain("permessage-deflate");
    expect(agent.text(1)).toHaveLength(100_000);
    const socket = (agent.socket as unknown as { _socket: { bytesRead: number } })._socket;
    expect(socket.bytesRead).toBeLessThan(10_000);
  });

  it("refuses other paths, and messages above the body limit", async () => {
    await start({ bodyBytes: 2_000 });
    const wrong = new WebSocket(`${bridge.webSocketUrl}/v1/other`);
    const [error] = await once(wrong, "error");
    expect(String(error)).toContain("404");
    const agent = new TestAgent();
    await agent.chat(1, { model: "m", messages: ["x".repeat(3_000)] });
    expect(await agent.closed).toBe(1009);
  });
});
