import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RunningBridge, runBridge, type UpstreamSpec } from "../testing/bridge.ts";
import { type Answer, completion, type Model, startModel } from "../testing/model.ts";

function serving(content: string, ...models: string[]): Answer {
  return (response, received) => {
    if (received.method === "POST") completion(content)(response, received);
    else response.end(JSON.stringify({ data: models.map((id) => ({ id })) }));
  };
}

let left: Model;
let right: Model;
let bridge: RunningBridge;

beforeEach(async () => {
  left = await startModel(serving("left", "a", "b"));
  right = await startModel(serving("right", "c:latest"));
});
afterEach(async () => {
  await bridge.close();
  await Promise.all([left.close(), right.close()]);
});

async function start(
  leftSpec: Partial<UpstreamSpec> = {},
  rightSpec: Partial<UpstreamSpec> = {},
): Promise<void> {
  bridge = await runBridge({
    upstreams: [
      { name: "left", url: left.url, ...leftSpec },
      { name: "right", url: right.url, ...rightSpec },
    ],
  });
}

async function answerOf(model: string): Promise<unknown> {
  const response = await fetch(`${bridge.url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ model, messages: [] }),
  });
  const body = (await response.json()) as {
    choices?: { message: { content: string } }[];
    error?: { message: string };
  };
  return body.choices?.[0]?.message.content ?? body.error?.message;
}

async function listed(): Promise<string[]> {
  const body = (await (await fetch(`${bridge.url}/v1/models`)).json()) as { data: { id: string }[] };
  return body.data.map((entry) => entry.id);
}

describe("the choice of an upstream", () => {
  it("follows the names in the configuration; the rest goes to the upstream without names", async () => {
    await start({ models: ["a"] });
    expect(await answerOf("a")).toBe("left");
    expect(await answerOf("anything")).toBe("right");
  });

  it("asks several upstreams without names for their lists, once for many requests", async () => {
    await start();
    expect(await answerOf("b")).toBe("left");
    expect(await answerOf("c")).toBe("right");
    expect(await answerOf("c:latest")).toBe("right");
    expect(await answerOf("d")).toBe('model: "d" is served by no upstream; use one of: a, b, c:latest.');
    expect(left.received.filter((request) => request.method === "GET")).toHaveLength(1);
  });

  it("gives an unknown model to the upstream that cannot be asked, since it may be the one that has it", async () => {
    right.answer = (response, received) => {
      if (received.method === "POST") completion("right")(response, received);
      else response.writeHead(500).end();
    };
    await start();
    expect(await answerOf("a")).toBe("left");
    expect(await answerOf("d")).toBe("right");
  });
});

describe("the list of models", () => {
  it("merges all upstreams, each model once", async () => {
    await start({ models: ["a", "c:latest"] });
    expect(await listed()).toEqual(["a", "c:latest"]);
  });

  it("holds what could be had when an upstream is down", async () => {
    await start({}, { url: "http://127.0.0.1:1" });
    expect(await listed()).toEqual(["a", "b"]);
  });

  it("fails when no upstream answers", async () => {
    await start({ url: "http://127.0.0.1:1" }, { url: "http://127.0.0.1:1" });
    expect((await fetch(`${bridge.url}/v1/models`)).status).toBe(502);
  });
});
