import { request } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startProcess } from "../servers/process.ts";
import { type Model, startModel } from "./server.ts";

let model: Model;
beforeEach(async () => {
  model = await startModel({ knobs: { delayMs: 0, timeToFirstTokenMs: 0, tokenGapMs: 0, tokens: 4 } });
});
afterEach(() => model.close());

function post(path: string, body: object, signal?: AbortSignal): Promise<Response> {
  return fetch(`${model.url}${path}`, {
    method: "POST",
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
}

// biome-ignore lint/suspicious/noExplicitAny: answers are checked by what they hold.
const json = async (response: Promise<Response> | Response): Promise<any> => (await response).json();

const chat = (fields: object = {}) => ({
  model: "m",
  messages: [{ role: "user", content: "ping [7]" }],
  ...fields,
});

describe("the OpenAI face", () => {
  it("answers in one piece and echoes the question", async () => {
    const answer = await (await post("/v1/chat/completions", chat())).json();
    expect(answer).toMatchObject({
      object: "chat.completion",
      model: "m",
      choices: [{ message: { content: "echo: ping [7] word1 word2 word3" }, finish_reason: "stop" }],
      usage: { completion_tokens: 4 },
    });
  });

  it("streams tokens, usage where asked for, and the terminal event", async () => {
    const response = await post(
      "/v1/chat/completions",
      chat({ stream: true, stream_options: { include_usage: true } }),
    );
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const events = (await response.text())
      .trim()
      .split("\n\n")
      .map((event) => event.slice("data: ".length));
    expect(events.pop()).toBe("[DONE]");
    const chunks = events.map((event) => JSON.parse(event));
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe(
      "echo: ping [7] word1 word2 word3",
    );
    expect(chunks.at(-1).usage.completion_tokens).toBe(4);
  });

  it("embeds the same text alike and lists its models", async () => {
    const body = { model: "m", input: ["a", "b", "a"] };
    const { data } = await json(post("/v1/embeddings", body));
    expect(data[0].embedding).toHaveLength(32);
    expect(data[0].embedding).toEqual(data[2].embedding);
    expect(data[0].embedding).not.toEqual(data[1].embedding);
    const models = await json(fetch(`${model.url}/v1/models`));
    expect(models.data[0]).toMatchObject({ id: "m", object: "model" });
  });
});

describe("the Ollama face", () => {
  it("streams lines that end in done, and answers in one piece where asked to", async () => {
    const lines = (await (await post("/api/chat", chat())).text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map((line) => line.message.content).join("")).toBe("echo: ping [7] word1 word2 word3");
    expect(lines.at(-1)).toMatchObject({ done: true, done_reason: "stop", eval_count: 4 });
    const whole = await (await post("/api/generate", { model: "m", prompt: "hi", stream: false })).json();
    expect(whole).toMatchObject({ response: "echo: hi word1 word2 word3", done: true });
  });

  it("embeds and lists its models", async () => {
    const { embeddings } = await json(post("/api/embed", { model: "m", input: "a" }));
    expect(embeddings[0]).toHaveLength(32);
    const { models } = await json(fetch(`${model.url}/api/tags`));
    expect(models[0].name).toBe("m:latest");
  });
});

describe("the knobs", () => {
  it("are read and changed over HTTP, and refused with a sentence", async () => {
    const put = (knobs: object) =>
      fetch(`${model.url}/knobs`, { method: "PUT", body: JSON.stringify(knobs) });
    expect(await (await put({ errorShare: 0.5 })).json()).toMatchObject({ errorShare: 0.5, tokens: 4 });
    expect(model.knobs.errorShare).toBe(0.5);
    for (const wrong of [{ errorShare: 2 }, { delayMs: -1 }, { delayMs: "5" }, { nonsense: 1 }]) {
      expect((await put(wrong)).status).toBe(400);
    }
  });

  it("fail and limit exactly their share of requests", async () => {
    model.set({ errorShare: 0.25, status429Share: 0.1, retryAfterSeconds: 7 });
    const statuses: number[] = [];
    for (let i = 0; i < 40; i++) {
      const response = await post("/v1/chat/completions", chat());
      statuses.push(response.status);
      if (response.status === 429) expect(response.headers.get("retry-after")).toBe("7");
      await response.arrayBuffer();
    }
    expect(statuses.filter((status) => status === 429)).toHaveLength(4);
    expect(statuses.filter((status) => status === 500)).toHaveLength(9);
    expect(model.stats).toMatchObject({
      errors: 9,
      rateLimited: 4,
      requests: { "/v1/chat/completions": 40 },
    });
  });

  it("delay answers, and give way to the model's name", async () => {
    model.set({ delayMs: 60_000 });
    const answer = await json(post("/v1/chat/completions", chat({ model: "m?delayMs=30&tokens=2" })));
    expect(answer.choices[0].message.content).toBe("echo: ping [7] word1");
    const startMs = performance.now();
    await (await post("/v1/chat/completions", chat({ model: "m-stream-1s?delayMs=0", stream: true }))).text();
    expect(performance.now() - startMs).toBeGreaterThan(450);
    expect((await post("/v1/chat/completions", chat({ model: "m?nonsense=1" }))).status).toBe(400);
  });

  it("reset a stream in the middle", async () => {
    model.set({ midStreamResetShare: 1, tokenGapMs: 20 });
    const response = await post("/v1/chat/completions", chat({ stream: true }));
    await expect(response.text()).rejects.toThrow();
    await expect.poll(() => model.stats).toMatchObject({ resets: 1, aborted: 0, openStreams: 0 });
  });
});

describe("the counts", () => {
  it("tell an abandoned call, before and after its first byte", async () => {
    model.set({ delayMs: 60_000 });
    const early = new AbortController();
    const waiting = post("/v1/chat/completions", chat(), early.signal).catch(() => "gone");
    await expect.poll(() => model.stats.open).toBe(1);
    early.abort();
    await waiting;
    await expect.poll(() => model.stats).toMatchObject({ aborted: 1, open: 0 });

    const late = request(`${model.url}/v1/chat/completions`, { method: "POST" });
    late.end(JSON.stringify(chat({ model: "m-stream-60s?delayMs=0", stream: true })));
    await new Promise((resolve) => late.once("response", resolve));
    expect(model.stats.openStreams).toBe(1);
    late.on("error", () => undefined).destroy();
    await expect.poll(() => model.stats).toMatchObject({ aborted: 2, openStreams: 0 });
    await fetch(`${model.url}/stats`, { method: "DELETE" });
    expect(model.stats.aborted).toBe(0);
  });
});

describe("the process", { timeout: 60_000 }, () => {
  it("runs from the sources and ends on SIGTERM", async () => {
    const child = await startProcess({
      command: process.execPath,
      args: ["test/model/main.ts", "--port", "0"],
      ready: /model stand-in listens on http/,
    });
    await child.stop();
    expect(await child.exited).toBe(0);
  });
});
