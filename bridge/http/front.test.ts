import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ROUTES } from "../../contract/endpoints.ts";
import { completion, type Model, startModel } from "../testing/model.ts";
import { type BridgeProcess, spawnBridge } from "../testing/process.ts";

let model: Model;
let bridge: BridgeProcess;

beforeEach(async () => {
  model = await startModel(completion("hi"));
  bridge = await spawnBridge({ upstreams: [{ name: "up", url: model.url }] });
});
afterEach(async () => {
  await bridge.close();
  await model.close();
});

/** Sends a request with an Upgrade header and waits for the first bytes of its answer. */
async function upgrade(head: string, protocol: string, body = ""): Promise<{ socket: Socket; text: string }> {
  const socket = connect(Number(new URL(bridge.url).port), "127.0.0.1");
  const length = `Content-Length: ${body.length}`;
  const fields = [`${head} HTTP/1.1`, "Host: x", "Connection: Upgrade", `Upgrade: ${protocol}`, length];
  socket.write(`${fields.join("\r\n")}\r\n\r\n${body}`);
  const [first] = await once(socket, "data");
  return { socket, text: String(first) };
}

describe("a request that asks for an upgrade", () => {
  it.each(["h2c", "websocket"])("to %s is answered over HTTP/1.1 where it need not be one", async (name) => {
    const body = JSON.stringify({ model: "m", messages: [] });
    const { socket, text } = await upgrade(`POST ${ROUTES.chat}`, name, body);
    expect(text).toMatch(/^HTTP\/1.1 200 /);
    expect(text).toContain('"content":"hi"');
    socket.destroy();
  });

  it.each([
    ["/ws", "404", "no such route"],
    [ROUTES.agents, "400", "Sec-WebSocket-Key"],
  ])("on %s cannot end the bridge by going away", async (path, status, reason) => {
    for (let i = 0; i < 3; i++) {
      const { socket, text } = await upgrade(`GET ${path}`, "websocket");
      expect(text).toContain(`HTTP/1.1 ${status} `);
      expect(text).toContain(reason);
      socket.resetAndDestroy();
    }
    expect((await fetch(`${bridge.url}/health`)).status).toBe(200);
    expect(bridge.child.exitCode).toBeNull();
  });
});
