import { once } from "node:events";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { METRICS } from "../../contract/metrics.ts";
import { readMetric } from "../testing/bridge.ts";
import { chunkEvent, DONE_EVENT, type Model, startModel } from "../testing/model.ts";
import { type BridgeProcess, spawnBridge } from "../testing/process.ts";

let model: Model;
let bridge: BridgeProcess;
/** Lets every answer of the model end. */
let finish: () => void;

beforeEach(async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  finish = resolve;
  model = await startModel((response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(chunkEvent("one"));
    void promise.then(() => response.end(DONE_EVENT));
  });
});
afterEach(async () => {
  await bridge.close();
  await model.close();
});

async function start(drain: { settleMs: number; deadlineMs: number }): Promise<void> {
  bridge = await spawnBridge({ upstreams: [{ name: "up", url: model.url }], runtime: { drain } });
}

/** A stream that has begun. */
async function openStream(agent?: Agent): Promise<IncomingMessage> {
  const sent = httpRequest(`${bridge.url}/v1/chat/completions`, {
    method: "POST",
    ...(agent ? { agent } : {}),
  });
  sent.end(JSON.stringify({ model: "m", stream: true, messages: [] }));
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  await once(response, "readable");
  return response;
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return text;
}

const readiness = async (): Promise<number> => (await fetch(`${bridge.adminUrl}/readyz`)).status;
const metric = async (name: string, labels: Record<string, string> = {}): Promise<number | undefined> =>
  readMetric(await (await fetch(`${bridge.adminUrl}/metrics`)).text(), name, labels);

async function refusesConnections(): Promise<boolean> {
  const socket = connect(Number(new URL(bridge.url).port), "127.0.0.1");
  const refused = once(socket, "error").then(() => true);
  const accepted = once(socket, "connect").then(() => false);
  const outcome = await Promise.race([refused, accepted]);
  socket.destroy();
  return outcome;
}

describe("SIGTERM", () => {
  it("goes on accepting while proxies that have not learned of it send requests on new connections", async () => {
    await start({ settleMs: 500, deadlineMs: 20_000 });
    bridge.child.kill("SIGTERM");
    await expect.poll(readiness, { interval: 10 }).toBe(503);
    const begunMs = performance.now();
    while (performance.now() - begunMs < 2_000) {
      const response = await fetch(`${bridge.url}/v1/models`);
      expect(response.headers.get("connection")).toBe("close");
      await response.text();
    }
    await expect.poll(refusesConnections).toBe(true);
  });

  it("is not ready at once, goes on accepting, lets streams end and exits with 0", async () => {
    await start({ settleMs: 1_000, deadlineMs: 20_000 });
    expect(await readiness()).toBe(200);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const before = await openStream();
    bridge.child.kill("SIGTERM");
    await expect.poll(readiness, { interval: 10 }).toBe(503);
    expect((await fetch(`${bridge.adminUrl}/livez`)).status).toBe(200);
    expect(await metric(METRICS.draining)).toBe(1);
    const during = await openStream(agent);
    expect(during.headers.connection).toBe("close");
    // Past the time to settle: no new connections, but both streams go on.
    await expect.poll(refusesConnections, { timeout: 5_000 }).toBe(true);
    expect(bridge.child.exitCode).toBeNull();
    finish();
    for (const response of [before, during]) expect(await textOf(response)).toContain("[DONE]");
    // The first stream's connection was told to stay: it counts as quiet only after a while.
    expect(await bridge.exit).toBe(0);
  }, 20_000);

  it("answers a request on an idle connection and tells it to close", async () => {
    await start({ settleMs: 300, deadlineMs: 20_000 });
    finish();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect(await textOf(await openStream(agent))).toContain("[DONE]");
    bridge.child.kill("SIGTERM");
    await expect.poll(readiness, { interval: 10 }).toBe(503);
    await expect.poll(refusesConnections, { timeout: 5_000 }).toBe(true);
    const response = await openStream(agent);
    expect(response.headers.connection).toBe("close");
    expect(await textOf(response)).toContain("[DONE]");
    expect(await bridge.exit).toBe(0);
    agent.destroy();
  }, 20_000);

  it("cuts what is left at the deadline and counts it", async () => {
    await start({ settleMs: 100, deadlineMs: 300 });
    const response = await openStream();
    bridge.child.kill("SIGTERM");
    response.resume();
    const [error] = await once(response, "error");
    expect((error as NodeJS.ErrnoException).code).toBe("ECONNRESET");
    expect(await bridge.exit).toBe(0);
    expect(bridge.log.find((line) => line.includes("cut at the drain deadline"))).toContain('"cut":1');
  });

  it("asks agents to reconnect before it closes their connections, between their messages", async () => {
    await start({ settleMs: 200, deadlineMs: 20_000 });
    const agent = new WebSocket(`${bridge.webSocketUrl}/v1/agents`);
    const messages: { type: string }[] = [];
    agent.on("message", (data) => messages.push(JSON.parse(String(data))));
    await once(agent, "open");
    agent.send(JSON.stringify({ type: "chat", id: 1, body: { model: "m", messages: [] } }));
    await expect.poll(() => messages.at(-1)?.type).toBe("delta");
    bridge.child.kill("SIGTERM");
    await expect.poll(() => messages.at(-1)?.type, { timeout: 3_000 }).toBe("reconnect");
    expect(agent.readyState).toBe(WebSocket.OPEN);
    const closed = once(agent, "close");
    finish();
    const [code, reason] = await closed;
    expect([code, String(reason)]).toEqual([1012, "reconnect"]);
    expect(messages.map((message) => message.type)).toEqual(["welcome", "delta", "reconnect", "done"]);
    expect(await bridge.exit).toBe(0);
  }, 20_000);

  it("a second time exits without waiting", async () => {
    await start({ settleMs: 10_000, deadlineMs: 20_000 });
    bridge.child.kill("SIGTERM");
    await expect.poll(readiness, { interval: 10 }).toBe(503);
    bridge.child.kill("SIGTERM");
    expect(await bridge.exit).toBe(1);
  });
});

describe("the start", () => {
  it("ends with 1 and one sentence when a file is wrong", async () => {
    await expect(spawnBridge({ upstreams: [{ url: "ftp://x" }] })).rejects.toThrow(
      'upstreams[0].url: \\"ftp://x\\" is not an http or https URL',
    );
    await start({ settleMs: 0, deadlineMs: 0 });
  });
});
