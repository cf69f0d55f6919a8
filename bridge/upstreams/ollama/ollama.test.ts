import { describe, expect, it } from "vitest";
import type { Failure } from "../../http/failure.ts";
import type { AnswerSink } from "../sink.ts";
import { ollamaProtocol } from "./ollama.ts";
import { ollamaChatBody } from "./request.ts";

const context = { basePath: "", token: () => "", now: () => 5_000, upstream: "up" };

/** What a sink was told, as text and flags. */
function recorder(): AnswerSink & { text: string; failure: Failure | undefined; ended: boolean } {
  return {
    text: "",
    failure: undefined,
    ended: false,
    sent() {},
    start() {},
    data(chunk) {
      this.text += chunk.toString();
      return true;
    },
    end() {
      this.ended = true;
    },
    fail(failure) {
      this.failure = failure;
    },
  };
}

function answer(lines: readonly unknown[], stream: boolean, json: Record<string, unknown> = {}) {
  const sink = recorder();
  const request = { body: Buffer.alloc(0), json, model: "m", stream, requestId: "r1" };
  const prepared = ollamaProtocol.chat(context, request, sink).sink;
  prepared.start(200, {});
  prepared.data(Buffer.from(lines.map((line) => JSON.stringify(line)).join("\n")));
  prepared.end();
  return sink;
}

describe("ollamaChatBody", () => {
  it("renames sampling options and keeps the caller's own", () => {
    const body = {
      model: "m",
      messages: [],
      temperature: 0,
      max_completion_tokens: 9,
      stop: ["x"],
      options: { num_ctx: 4096 },
      response_format: { type: "json_schema", json_schema: { schema: { type: "object" } } },
      reasoning_effort: "none",
    };
    expect(JSON.parse(ollamaChatBody(body, true).toString())).toEqual({
      model: "m",
      messages: [],
      stream: true,
      options: { num_ctx: 4096, temperature: 0, num_predict: 9, stop: ["x"] },
      format: { type: "object" },
      think: false,
    });
  });

  it.each([
    [{ stop: "x" }, ["x"]],
    [{ stop: ["x", "y"] }, ["x", "y"]],
    [{ options: { stop: "x" } }, ["x"]],
    [{ stop: null }, undefined],
  ])("gives the sequences of %j that end an answer as a list", (fields, stop) => {
    const body = { model: "m", messages: [], ...fields };
    expect(JSON.parse(ollamaChatBody(body, false).toString()).options.stop).toEqual(stop);
  });

  it("turns content parts, tool calls and their results into Ollama's messages", () => {
    const messages = [
      { role: "developer", content: "be brief" },
      {
        role: "user",
        content: [
          { type: "text", text: "look" },
          { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
        ],
      },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "c1", type: "function", function: { name: "sum", arguments: '{"a":1}' } }],
      },
      { role: "tool", tool_call_id: "c1", content: "2" },
    ];
    expect(JSON.parse(ollamaChatBody({ model: "m", messages }, false).toString()).messages).toEqual([
      { role: "system", content: "be brief" },
      { role: "user", content: "look", images: ["AAAA"] },
      { role: "assistant", content: "", tool_calls: [{ function: { name: "sum", arguments: { a: 1 } } }] },
      { role: "tool", content: "2", tool_name: "sum" },
    ]);
  });

  it.each([
    ["are not JSON", "not JSON"],
    ["are nested too deep", "[".repeat(10_000) + "]".repeat(10_000)],
  ])("passes arguments that %s on as a text", (_what, text) => {
    const messages = [{ role: "assistant", tool_calls: [{ function: { name: "sum", arguments: text } }] }];
    const sent = JSON.parse(ollamaChatBody({ model: "m", messages }, false).toString());
    expect(sent.messages[0].tool_calls[0].function.arguments).toEqual({ arguments: text });
  });
});

describe("a chat with Ollama", () => {
  const calls = [{ function: { name: "sum", arguments: { a: 1 } } }];
  const done = { done: true, done_reason: "stop", prompt_eval_count: 1, eval_count: 2 };

  it("gives tool calls an id and an index and says so at the end, streamed or not", () => {
    const streamed = answer([{ message: { content: "", tool_calls: calls }, done: false }, done], true);
    expect(streamed.text).toContain(
      '"tool_calls":[{"index":0,"id":"call_r1_0","type":"function","function":{"name":"sum","arguments":"{\\"a\\":1}"}}]',
    );
    expect(streamed.text).toContain('"finish_reason":"tool_calls"');
    const whole = JSON.parse(answer([{ message: { content: "", tool_calls: calls }, ...done }], false).text);
    expect(whole.choices[0].message.tool_calls).toEqual([
      { id: "call_r1_0", type: "function", function: { name: "sum", arguments: '{"a":1}' } },
    ]);
  });

  it("has its thinking apart from its content, and its length limit as the reason to end", () => {
    const lines = [
      { message: { content: "", thinking: "hm" }, done: false },
      { ...done, done_reason: "length" },
    ];
    const { text, ended } = answer(lines, true);
    expect(text).toContain('"reasoning":"hm"');
    expect(text).toContain('"finish_reason":"length"');
    expect(ended).toBe(true);
  });

  it("fails with what Ollama reports in the middle of a stream, after what came before", () => {
    const lines = [{ message: { content: "one" }, done: false }, { error: "out of memory" }];
    const { text, failure, ended } = answer(lines, true);
    expect(text).toContain("one");
    expect(text).not.toContain("[DONE]");
    expect(ended).toBe(false);
    expect(failure).toMatchObject({ domain: "upstream", code: "upstream_error" });
    expect(failure?.message).toContain("out of memory");
  });

  it("fails when the answer is something else than its API describes", () => {
    expect(answer([["nonsense"]], true).failure?.code).toBe("upstream_error");
    expect(answer(["nonsense"], false).failure?.code).toBe("upstream_error");
  });

  it("packs embeddings as base64 where the caller asks for it", () => {
    const sink = recorder();
    const json = { input: "a", encoding_format: "base64" };
    const request = { body: Buffer.alloc(0), json, model: "m", stream: false, requestId: "r1" };
    const prepared = ollamaProtocol.embeddings(context, request, sink).sink;
    prepared.start(200, {});
    prepared.data(Buffer.from('{"embeddings":[[1.5,-2]]}'));
    prepared.end();
    const packed = Buffer.from(JSON.parse(sink.text).data[0].embedding, "base64");
    expect([packed.readFloatLE(0), packed.readFloatLE(4)]).toEqual([1.5, -2]);
  });
});
