import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMetrics } from "../metrics/registry.ts";
import { type RunningBridge, runBridge, type UpstreamSpec } from "../testing/bridge.ts";
import { type Answer, completion, type Model, startModel } from "../testing/model.ts";
import { Catalog } from "./catalog.ts";

function serving(content: string, ...models: string[]): Answer {
  return (response, received) => {
    if (received.method === "POST") completion(content)(response, received);
    else response.end(JSON.stringify({ data: models.map((id) => ({ id })) }));
  };
}

const silent: Answer = () => undefined;
const failing: Answer = (response) => void response.writeHead(500).end();

let left: Model;
let right: Model;
let bridge: RunningBridge | undefined;

beforeEach(async () => {
  left = await startModel(serving("left", "a", "b"));
  right = await startModel(serving("right", "c:latest"));
});
afterEach(async () => {
  await bridge?.close();
  bridge = undefined;
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
  const response = await fetch(`${bridge?.url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ model, messages: [] }),
  });
  const body = (await response.json()) as {
    choices?: { message: { content: string } }[];
    error?: { message: string };
  };
  return body.choices?.[0]?.message.content ?? body.error?.message;
}

/** How often an upstream was asked for its list. */
function questions(model: Model): number {
  return model.received.filter((request) => request.method === "GET").length;
}

/** Whether the last of so many questions to an upstream that hangs is still waited for. */
async function isWaitingFor(model: Model, count: number): Promise<boolean> {
  await expect.poll(() => questions(model)).toBe(count);
  const gaveUp = model.received.at(-1)?.aborted.then(() => false);
  return (await Promise.race([gaveUp, setImmediate(true)])) ?? false;
}

async function listed(): Promise<string[]> {
  const body = (await (await fetch(`${bridge?.url}/v1/models`)).json()) as { data: { id: string }[] };
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
    expect(questions(left)).toBe(1);
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
    expect((await fetch(`${bridge?.url}/v1/models`)).status).toBe(502);
  });
});

describe("the upstreams' own lists", () => {
  let nowMs = 0;
  let catalog: Catalog;

  beforeEach(() => {
    nowMs = 1_000_000;
    catalog = new Catalog({
      upstreams: [left, right].map(({ url }, index) => ({
        name: index === 0 ? "left" : "right",
        protocol: "OpenAI",
        url,
        models: [],
        maxConcurrency: 5,
        timeouts: { connectMs: 2_000, firstByteMs: 60_000, idleMs: 60_000 },
      })),
      runtime: { httpConnections: {}, idleHttpConnections: 5 },
      openToken: () => {
        throw new Error("no upstream has a token");
      },
      metrics: createMetrics({ bridge: "b", revision: "r" }),
      now: () => nowMs,
    });
  });
  afterEach(() => catalog.close());

  const found = async (model: string): Promise<string> => {
    const choice = await catalog.find(model);
    return choice.kind === "upstream" ? choice.upstream.name : choice.failure.code;
  };
  const ids = async () => (await catalog.models())?.map(({ id }) => id);

  it("are not waited for by a model that another upstream names: not at first, not when they are due", async () => {
    left.answer = silent;
    expect(await found("c")).toBe("right");
    expect(await isWaitingFor(left, 1)).toBe(true);
    nowMs += 30_000;
    right.answer = silent;
    expect(await found("c")).toBe("right");
    expect(await isWaitingFor(right, 2)).toBe(true);
  });

  it("are asked for once at a time, and believed for half a minute", async () => {
    expect(await Promise.all(["a", "c", "b"].map(found))).toEqual(["left", "right", "left"]);
    right.answer = serving("right", "new");
    nowMs += 29_999;
    expect(await found("new")).toBe("model_not_found");
    expect([questions(left), questions(right)]).toEqual([1, 1]);
    nowMs += 1;
    expect(await found("new")).toBe("right");
    expect([questions(left), questions(right)]).toEqual([2, 2]);
  });

  it("that could not be had are asked for again after some seconds, and nothing waits for them", async () => {
    right.answer = failing;
    expect(await found("a")).toBe("left");
    expect(await found("c")).toBe("right");
    nowMs += 2_999;
    expect(await found("c")).toBe("right");
    expect(questions(right)).toBe(1);
    right.answer = silent;
    nowMs += 1;
    expect(await found("c")).toBe("right");
    expect(await isWaitingFor(right, 2)).toBe(true);
  });

  it("stay in force while their upstream is away", async () => {
    expect(await found("b")).toBe("left");
    left.answer = failing;
    nowMs += 30_000;
    expect(await ids()).toEqual(["a", "b", "c:latest"]);
    expect(questions(left)).toBe(2);
    expect(await found("b")).toBe("left");
    expect(await ids()).toEqual(["a", "b", "c:latest"]);
  });

  it("that name a model twice give it to the first upstream that answers", async () => {
    right.answer = serving("right", "a");
    await catalog.models();
    expect(await found("a")).toBe("left");
    left.answer = failing;
    nowMs += 30_000;
    await catalog.models();
    expect(await found("a")).toBe("right");
    left.answer = serving("left", "a");
    nowMs += 3_000;
    await expect.poll(() => found("a")).toBe("left");
  });

  it("are new in the list of models as soon as they are due, and not waited for long when an upstream hangs", async () => {
    right.answer = failing;
    expect(await ids()).toEqual(["a", "b"]);
    right.answer = serving("right", "c");
    nowMs += 3_000;
    expect(await ids()).toEqual(["a", "b", "c"]);
    left.answer = serving("left", "a", "new");
    right.answer = silent;
    nowMs += 30_000;
    expect(await ids()).toEqual(["a", "new", "c"]);
    expect(await isWaitingFor(right, 3)).toBe(true);
  });
});
