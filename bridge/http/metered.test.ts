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
});
