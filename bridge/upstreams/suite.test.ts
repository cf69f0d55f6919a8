import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RunningBridge, runBridge } from "../testing/bridge.ts";
import { chunkEvent, DONE_EVENT, type Model, type Received, startModel } from "../testing/model.ts";

/** One kind of upstream as its own server answers; the bridge's answers must be the same for all of them. */
interface Face {
  readonly protocol: "OpenAI" | "Ollama";
  /** What follows the server's address in the upstream's URL. */
  readonly path: string;
  readonly chatPath: string;
  chat(response: ServerResponse, words: readonly string[], request: Received): void;
  /** Breaks off in the middle of a stream, with nothing said. */
  breakOff(response: ServerResponse): void;
  embed(response: ServerResponse, vectors: number[][]): void;
  models(response: ServerResponse, names: readonly string[]): void;
  unknownModel(response: ServerResponse): void;
}

function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

const openai: Face = {
  protocol: "OpenAI",
  path: "/v1",
  chatPath: "/v1/chat/completions",
  chat(response, words, request) {
    const usage = { prompt_tokens: 7, completion_tokens: words.length, total_tokens: 7 + words.length };
    if (!request.text.includes('"stream":true')) {
      const message = { role: "assistant", content: words.join("") };
      const choices = [{ index: 0, message, finish_reason: "stop" }];
      json(response, { id: "c", object: "chat.completion", created: 1, model: "m", choices, usage });
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const word of words) response.write(chunkEvent(word));
    const end = { id: "c", object: "chat.completion.chunk", created: 1, model: "m" };
    const last = { ...end, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] };
    response.write(`data: ${JSON.stringify(last)}\n\n`);
    if (request.text.includes("include_usage")) {
      response.write(`data: ${JSON.stringify({ ...end, choices: [], usage })}\n\n`);
    }
    response.end(DONE_EVENT);
  },
  breakOff(response) {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(chunkEvent("one"));
  },
  embed(response, vectors) {
    const data = vectors.map((embedding, index) => ({ object: "embedding", index, embedding }));
    json(response, { object: "list", model: "m", data, usage: { prompt_tokens: 4, total_tokens: 4 } });
  },
  models: (response, names) =>
    json(response, {
      object: "list",
      data: names.map((id) => ({ id, object: "model", created: 5, owned_by: "x" })),
    }),
  unknownModel: (response) =>
    json(
      response,
      { error: { message: "no such model", type: "x", param: null, code: "model_not_found" } },
      404,
    ),
};

const ollama: Face = {
  protocol: "Ollama",
  path: "",
  chatPath: "/api/chat",
  chat(response, words, request) {
    const end = { done: true, done_reason: "stop", prompt_eval_count: 7, eval_count: words.length };
    const message = (content: string) => ({
      model: "m",
      created_at: "x",
      message: { role: "assistant", content },
    });
    if (!request.text.includes('"stream":true')) {
      json(response, { ...message(words.join("")), ...end });
      return;
    }
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    // Lines do not come in chunks of their own, and characters are cut.
    const lines = [...words.map((word) => ({ ...message(word), done: false })), { ...message(""), ...end }];
    const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    for (let at = 0; at < bytes.length; at += 7) response.write(bytes.subarray(at, at + 7));
    response.end();
  },
  breakOff(response) {
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.end(`${JSON.stringify({ message: { role: "assistant", content: "one" }, done: false })}\n`);
  },
  embed: (response, embeddings) => json(response, { model: "m", embeddings, prompt_eval_count: 4 }),
  models: (response, names) =>
    json(response, { models: names.map((name) => ({ name, modified_at: "1970-01-01T00:00:05Z" })) }),
  unknownModel: (response) => json(response, { error: "model 'm' not found" }, 404),
};

const question = { model: "m", messages: [{ role: "user", content: "hello" }] };
const words = ["Grüße", ", ", "世界 🌍"];

describe.each([openai, ollama])("an upstream with protocol $protocol", (face) => {
  let model: Model;
  let bridge: RunningBridge;

  beforeEach(async () => {
    model = await startModel((response, request) => face.chat(response, words, request));
    bridge = await runBridge({
      upstreams: [{ name: "up", protocol: face.protocol, url: `${model.url}${face.path}`, token: "first" }],
    });
  });
  afterEach(async () => {
    await bridge.close();
    await model.close();
  });

  const post = (path: string, body: unknown): Promise<Response> =>
    fetch(`${bridge.url}${path}`, { method: "POST", body: JSON.stringify(body) });
  const chat = (body: unknown): Promise<Response> => post("/v1/chat/completions", body);

  it("answers a chat in one piece", async () => {
    const response = await chat(question);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toMatchObject({
      object: "chat.completion",
      model: "m",
      choices: [{ index: 0, message: { role: "assistant", content: words.join("") }, finish_reason: "stop" }],
      usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
    });
    expect(model.received[0]?.path).toBe(face.chatPath);
  });

  it("streams a chat as chunks that end with the terminal event", async () => {
    const response = await chat({ ...question, stream: true, stream_options: { include_usage: true } });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const events = (await response.text()).split("\n\n").filter((event) => event !== "");
    expect(events.at(-1)).toBe("data: [DONE]");
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event.slice("data: ".length)));
    expect(chunks.every((chunk) => chunk.object === "chat.completion.chunk")).toBe(true);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe(words.join(""));
    expect(chunks.at(-2).choices[0].finish_reason).toBe("stop");
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 3 } });
  });

  it("is not complete for the client when it breaks off", async () => {
    model.answer = (response) => face.breakOff(response);
    await expect(chat({ ...question, stream: true }).then((response) => response.text())).rejects.toThrow();
  });

  it("answers embeddings", async () => {
    model.answer = (response) =>
      face.embed(response, [
        [0.25, -1],
        [3, 0.5],
      ]);
    const response = await post("/v1/embeddings", { model: "m", input: ["a", "b"] });
    expect(await response.json()).toMatchObject({
      object: "list",
      data: [
        { object: "embedding", index: 0, embedding: [0.25, -1] },
        { object: "embedding", index: 1, embedding: [3, 0.5] },
      ],
      usage: { prompt_tokens: 4, total_tokens: 4 },
    });
  });

  it("lists its models", async () => {
    model.answer = (response) => face.models(response, ["a", "b"]);
    const response = await fetch(`${bridge.url}/v1/models`);
    expect(await response.json()).toMatchObject({
      object: "list",
      data: [
        { id: "a", object: "model", created: 5 },
        { id: "b", object: "model", created: 5 },
      ],
    });
  });

  it("says in OpenAI's shape that a model is not there", async () => {
    model.answer = (response) => face.unknownModel(response);
    for (const stream of [true, false]) {
      const response = await chat({ ...question, stream });
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ error: { code: "model_not_found" } });
    }
  });

  it("gets a rotated token with the next request", async () => {
    await chat(question);
    expect(model.received.at(-1)?.headers.authorization).toBe("Bearer first");
    bridge.files.writeToken("up", "second\n");
    await expect
      .poll(async () => {
        await chat(question);
        return model.received.at(-1)?.headers.authorization;
      })
      .toBe("Bearer second");
    expect(await bridge.metric("llmbridge_secret_changes_total", { secret: "up" })).toBe(1);
    expect(await bridge.metric("llmbridge_secret_refused", { secret: "up" })).toBe(0);
  });
});
