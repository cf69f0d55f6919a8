import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RunningFront, runFront } from "../testing/front.ts";
import { type Answer, chunkEvent, completion, DONE_EVENT, type Model, startModel } from "../testing/model.ts";

let model: Model;
let front: RunningFront;

beforeEach(async () => {
  model = await startModel(completion("hi"));
  front = await runFront(`${model.url}/v1`);
});
afterEach(async () => {
  await front.close();
  await model.close();
});

function post(stream: boolean, signal?: AbortSignal): Promise<Response> {
  const body = JSON.stringify({ model: "m", messages: [], stream });
  return fetch(`${front.url}/v1/chat/completions`, {
    method: "POST",
    body,
    ...(signal === undefined ? {} : { signal }),
  });
}

const streamed =
  (...events: string[]): Answer =>
  (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(events.join(""));
  };

describe("the usage meter", () => {
  it("learns how many events a stream had, however many came at once", async () => {
    model.answer = streamed(chunkEvent("one"), chunkEvent("two"), chunkEvent("three"), DONE_EVENT);
    await (await post(true)).text();
    await expect.poll(() => front.metered).toMatchObject([{ status: 200, chunks: 4 }]);
  });

  it("learns what had come when the caller left", async () => {
    model.answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(chunkEvent("one") + chunkEvent("two"));
    };
    const caller = new AbortController();
    const response = await post(true, caller.signal);
    await response.body?.getReader().read();
    caller.abort();
    await expect.poll(() => front.metered).toMatchObject([{ status: 499, chunks: 2 }]);
  });

  it("learns that the bridge cut an answer at its drain deadline, which is no fault of the caller", async () => {
    model.answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(chunkEvent("one"));
    };
    const response = await post(true);
    await response.body?.getReader().read();
    expect(front.service.connections.cutAll()).toBe(1);
    await expect.poll(() => front.metered).toMatchObject([{ status: 503, chunks: 1 }]);
    expect(front.service.ledger.totals.errors).toEqual({ bridge: 1, upstream: 0, client: 0 });
  });

  it.each([
    ["that says its length", true],
    ["of an unknown length", false],
  ])("learns the end of an answer %s that is too large to be held", async (_, says) => {
    const usage = '"usage":{"prompt_tokens":7,"total_tokens":7}}';
    const body = `{"data":"${"x".repeat(9 * 1024 * 1024)}",${usage}`;
    model.answer = (response) => {
      response.writeHead(200, {
        "content-type": "application/json",
        ...(says ? { "content-length": String(body.length) } : {}),
      });
      response.write(body.slice(0, 1_000));
      response.end(body.slice(1_000));
    };
    expect((await (await post(false)).text()).length).toBe(body.length);
    await expect.poll(() => front.metered).toMatchObject([{ chunks: 0, text: body.slice(-1024) }]);
  });
});
