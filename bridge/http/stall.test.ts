import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RunningFront, runFront } from "../testing/front.ts";
import { type Answer, chunkEvent, completion, type Model, startModel } from "../testing/model.ts";

const STALL_MS = 500;

let model: Model;
let front: RunningFront;
let socket: Socket;

beforeEach(async () => {
  model = await startModel(completion("hi"));
  front = await runFront(`${model.url}/v1`, { stallMs: STALL_MS });
});
afterEach(async () => {
  socket.destroy();
  await front.close();
  await model.close();
});

/** A client that asks and reads nothing. */
async function ask(stream = false): Promise<void> {
  socket = connect(Number(new URL(front.url).port), "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  const body = JSON.stringify({ model: "m", messages: [], stream });
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
}

const MIB = 1024 * 1024;
/** More than the buffers of two sockets take; in one piece what the bridge holds, then what it passes through. */
const large =
  (bytes: number): Answer =>
  (response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(Buffer.alloc(bytes, "a"));
  };
const endless: Answer = (response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const more = (): void => {
    while (response.write(chunkEvent("x".repeat(64 * 1024))));
  };
  response.on("drain", more);
  more();
};

describe("a client that does not read", () => {
  it.each<[string, boolean, Answer]>([
    ["an answer in one piece", false, large(7.5 * MIB)],
    ["an answer that is passed through", false, large(32 * MIB)],
    ["a stream", true, endless],
  ])("%s is given up after a time, as its own fault", async (_, stream, answer) => {
    model.answer = answer;
    await ask(stream);
    await expect
      .poll(() => front.metered, { timeout: 10 * STALL_MS })
      .toMatchObject([{ status: 408, upstream: "openai" }]);
    expect(front.service.ledger.inFlight).toBe(0);
    expect(front.service.ledger.totals.errors).toEqual({ bridge: 0, upstream: 0, client: 1 });
    const { values } = await front.service.metrics.cutConnections.get();
    expect(values.find(({ labels }) => labels.reason === "error")?.value).toBe(1);
  });

  it("but for a part at a time is waited for as long as it goes on", async () => {
    const bytes = 32 * MIB;
    model.answer = large(bytes);
    await ask();
    const since = performance.now();
    let received = 0;
    let allowed = 0;
    socket.on("data", (piece: Buffer) => {
      received += piece.length;
      if (received < allowed) return;
      socket.pause();
      allowed += 2 * MIB;
      setTimeout(() => socket.resume(), STALL_MS / 5);
    });
    await expect
      .poll(() => front.metered, { timeout: 30 * STALL_MS })
      .toMatchObject([{ status: 200, upstream: "openai" }]);
    expect(performance.now() - since).toBeGreaterThan(2 * STALL_MS);
    await expect.poll(() => received).toBeGreaterThan(bytes);
  });
});
