import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RunningFront, runFront } from "../testing/front.ts";
import { chunkEvent, completion, type Model, startModel } from "../testing/model.ts";
import type { Catalog } from "../upstreams/catalog.ts";
import type { Service } from "./service.ts";

const REQUEST_MS = 500;

let model: Model;
let front: RunningFront;

beforeEach(async () => {
  model = await startModel(completion("hi"));
});
afterEach(async () => {
  await front.close();
  await model.close();
});

async function start(parts: Partial<Service> = {}): Promise<void> {
  const limits = { bodyBytes: 1024 * 1024, requestMs: REQUEST_MS };
  front = await runFront(`${model.url}/v1`, { limits, ...parts });
}

function post(stream: boolean): Promise<Response> {
  const body = JSON.stringify({ model: "m", messages: [], stream });
  return fetch(`${front.url}/v1/chat/completions`, { method: "POST", body });
}

/** The error a client reads, and the counted ones: one, of the domain that was waited for. */
async function expectTimeout(response: Response, status: number, by: string): Promise<void> {
  expect(response.status).toBe(status);
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  expect(error.code).toBe("request_timeout");
  expect(error.message).toContain(
    `The request was not over within ${REQUEST_MS} ms, waiting for the ${by}; `,
  );
  await expectCounted(by);
}

async function expectCounted(by: string): Promise<void> {
  const { ledger } = front.service;
  await expect.poll(() => ledger.totals.errors).toEqual({ bridge: 0, upstream: 0, client: 0, [by]: 1 });
  expect(ledger.inFlight).toBe(0);
}

describe("a request that is not over in the time that any may take", () => {
  it.each([false, true])("fails for its upstream, which is let go (stream: %j)", async (stream) => {
    model.answer = () => undefined;
    await start();
    await expectTimeout(await post(stream), 504, "upstream");
    await model.received[0]?.aborted;
    expect(front.metered).toMatchObject([{ status: 504, upstream: "openai" }]);
  });

  it("is cut within its answer, after an event that says why", async () => {
    model.answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(chunkEvent("one"));
      const timer = setInterval(() => response.write(chunkEvent("more")), 20);
      response.on("close", () => clearInterval(timer));
    };
    await start();
    const sent = httpRequest(`${front.url}/v1/chat/completions`, { method: "POST" });
    sent.end(JSON.stringify({ model: "m", messages: [], stream: true }));
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    let text = "";
    response.on("data", (chunk) => {
      text += String(chunk);
    });
    await once(response, "error");
    expect(response.statusCode).toBe(200);
    expect(text).toContain('"code":"request_timeout"');
    await model.received[0]?.aborted;
    await expectCounted("upstream");
  });

  it("fails for the bridge while one of its own queues holds it up", async () => {
    const catalog = { known: () => undefined, find: () => new Promise(() => undefined) };
    await start({ catalog: catalog as unknown as Catalog });
    await expectTimeout(await post(false), 504, "bridge");
    expect(model.received).toHaveLength(0);
  });

  it("fails for the client while its body is still coming, and the rest is not waited for", async () => {
    await start();
    const socket = connect(Number(new URL(front.url).port), "127.0.0.1");
    socket.write("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
    let text = "";
    socket.on("data", (chunk) => {
      text += String(chunk);
    });
    await once(socket, "close");
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(text).toContain('"code":"request_timeout"');
    await expectCounted("client");
  });

  it("fails for the client that leaves its answer unread", async () => {
    model.answer = (response) => {
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(Buffer.alloc(32 * 1024 * 1024, "a"));
    };
    await start();
    const body = JSON.stringify({ model: "m", messages: [] });
    const socket = connect(Number(new URL(front.url).port), "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await expectCounted("client");
    expect(front.metered).toMatchObject([{ status: 408 }]);
    socket.destroy();
  });
});

it("a request that is over in time is left alone, and so is the next one on its connection", async () => {
  await start();
  const begun = performance.now();
  while (performance.now() - begun < 2 * REQUEST_MS) expect(await (await post(false)).json()).toBeDefined();
  expect(front.service.ledger.totals.errors).toEqual({ bridge: 0, upstream: 0, client: 0 });
});
