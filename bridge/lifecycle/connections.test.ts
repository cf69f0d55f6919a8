import { once } from "node:events";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type RunningBridge, runBridge } from "../testing/bridge.ts";
import { completion, type Model, startModel } from "../testing/model.ts";
import { Connections } from "./connections.ts";

describe("the age of connections", () => {
  let model: Model;
  let bridge: RunningBridge;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });

  beforeEach(async () => {
    model = await startModel(completion("hi"));
  });
  afterEach(async () => {
    agent.destroy();
    await bridge.close();
    await model.close();
  });

  async function post(): Promise<{ connection: string | undefined; port: number | undefined }> {
    const sent = httpRequest(`${bridge.url}/v1/chat/completions`, { method: "POST", agent });
    sent.end(JSON.stringify({ model: "m", messages: [] }));
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const port = response.socket.localPort;
    response.resume();
    await once(response, "end");
    return { connection: response.headers.connection, port };
  }

  it("ends one with a response when it is reached, so that the next request opens another", async () => {
    bridge = await runBridge({ upstreams: [{ url: model.url }], runtime: { maxConnectionAgeMs: 300 } });
    const first = await post();
    expect(first.connection).toBe("keep-alive");
    let last = first;
    await expect
      .poll(async () => {
        last = await post();
        return last.connection;
      })
      .toBe("close");
    expect(last.port).toBe(first.port);
    expect((await post()).port).not.toBe(first.port);
  });

  it("follows the runtime file for connections that are open already", async () => {
    bridge = await runBridge({ upstreams: [{ url: model.url }] });
    expect((await post()).connection).toBe("keep-alive");
    bridge.files.writeRuntime({ generation: 2, maxConnectionAgeMs: 1 });
    await expect.poll(async () => (await post()).connection).toBe("close");
  });

  it("asks agents to reconnect when theirs is reached", async () => {
    bridge = await runBridge({ upstreams: [{ url: model.url }], runtime: { maxAgentConnectionAgeMs: 100 } });
    const socket = new WebSocket(`${bridge.webSocketUrl}/v1/agents`);
    const messages: { type: string; reason?: string }[] = [];
    socket.on("message", (data) => messages.push(JSON.parse(String(data))));
    const [code] = await once(socket, "close");
    expect(code).toBe(1012);
    expect(messages.at(-1)).toMatchObject({ type: "reconnect", reason: "age" });
  });
});

describe("Connections", () => {
  it("spreads the ages by 20 % to both sides", () => {
    const at = (random: number) => new Connections({ maxAgeMs: 1, random: () => random }).jitter();
    expect(at(0)).toBeCloseTo(0.8);
    expect(at(1)).toBeCloseTo(1.2);
  });

  it("never ends a connection for its age when the age is 0", () => {
    const connections = new Connections({ maxAgeMs: 0, random: () => 0 });
    expect(connections.expired(-1e9, 1)).toBe(false);
  });
});
