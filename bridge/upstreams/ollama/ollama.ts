import * as z from "zod";
import type { ModelRequest, PreparedCall, Protocol, ProtocolContext } from "../protocol.ts";
import { callHeaders } from "../protocol.ts";
import type { AnswerSink } from "../sink.ts";
import { finishReason, openaiToolCalls, readOllamaAnswer, usageObject } from "./answer.ts";
import { ollamaChatBody, ollamaEmbedBody } from "./request.ts";
import { SelectingSink } from "./selecting-sink.ts";
import { OllamaStreamSink } from "./stream-sink.ts";
import { type Translated, WholeAnswerSink } from "./whole-sink.ts";

const tags = z.object({
  models: z.array(z.object({ name: z.string(), modified_at: z.string().catch("") })),
});

const embedded = z.object({
  embeddings: z.array(z.array(z.number())),
  prompt_eval_count: z.number().int().min(0).catch(0),
});

const refusal = z.object({ error: z.string() });

const NO_TOKENS = { promptTokens: 0, completionTokens: 0 };

/** Undefined where something before Ollama (a proxy) answered in a form of its own. */
function errorMessage(text: string): string | undefined {
  try {
    return refusal.parse(JSON.parse(text)).error;
  } catch {
    return undefined;
  }
}

/** Ollama's `{"error": "..."}` in OpenAI's shape; the status stays. */
function translateError(status: number, text: string): Translated {
  const message = errorMessage(text) ?? `The upstream answered with status ${status} and no reason.`;
  const code = status === 404 ? "model_not_found" : null;
  const type = status < 500 && status !== 429 ? "invalid_request_error" : "upstream_error";
  return { body: { error: { message, type, param: null, code } }, tokens: NO_TOKENS };
}

function translateChat(context: ProtocolContext, request: ModelRequest, text: string): Translated {
  const answer = readOllamaAnswer(text);
  if (answer.message === undefined) throw new Error("no message");
  const calls = openaiToolCalls(request.requestId, answer.message, 0).map(({ index: _, ...call }) => call);
  return {
    tokens: { promptTokens: answer.prompt_eval_count, completionTokens: answer.eval_count },
    body: {
      id: `chatcmpl-${request.requestId}`,
      object: "chat.completion",
      created: Math.floor(context.now() / 1000),
      model: request.model,
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: answer.message.content,
            ...(answer.message.thinking ? { reasoning: answer.message.thinking } : {}),
            ...(calls.length > 0 ? { tool_calls: calls } : {}),
          },
          finish_reason: finishReason(answer.done_reason, calls.length > 0),
        },
      ],
      usage: usageObject(answer.prompt_eval_count, answer.eval_count),
    },
  };
}

/** Little-endian 32-bit floats in base64, which OpenAI's SDKs ask for and decode (encoding_format). */
function base64Floats(values: readonly number[]): string {
  const bytes = Buffer.allocUnsafe(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString("base64");
}

function translateEmbeddings(request: ModelRequest, text: string): Translated {
  const answer = embedded.parse(JSON.parse(text));
  const packed = request.json.encoding_format === "base64";
  const tokens = answer.prompt_eval_count;
  return {
    tokens: { promptTokens: tokens, completionTokens: 0 },
    body: {
      object: "list",
      model: request.model,
      data: answer.embeddings.map((vector, index) => ({
        object: "embedding",
        index,
        embedding: packed ? base64Floats(vector) : vector,
      })),
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    },
  };
}

function includeUsage(request: ModelRequest): boolean {
  const options = request.json.stream_options;
  return (
    typeof options === "object" &&
    options !== null &&
    (options as Record<string, unknown>).include_usage === true
  );
}

function post(
  context: ProtocolContext,
  request: ModelRequest,
  path: string,
  body: Buffer,
  sink: AnswerSink,
): PreparedCall {
  const headers = callHeaders(context, "application/json", request.requestId);
  return { request: { method: "POST", path: context.basePath + path, headers, body }, sink };
}

/** Upstreams with Ollama's own API (`url` is the server's root). */
export const ollamaProtocol: Protocol = {
  chat(context, request, sink) {
    const answered = request.stream
      ? new OllamaStreamSink(
          {
            upstream: context.upstream,
            id: request.requestId,
            model: request.model,
            created: Math.floor(context.now() / 1000),
            includeUsage: includeUsage(request),
          },
          sink,
        )
      : new WholeAnswerSink(context.upstream, (text) => translateChat(context, request, text), sink);
    const body = ollamaChatBody(request.json, request.stream);
    return post(
      context,
      request,
      "/api/chat",
      body,
      new SelectingSink(answered, sink, context.upstream, translateError),
    );
  },
  embeddings(context, request, sink) {
    const answered = new WholeAnswerSink(
      context.upstream,
      (text) => translateEmbeddings(request, text),
      sink,
    );
    const body = ollamaEmbedBody(request.json);
    return post(
      context,
      request,
      "/api/embed",
      body,
      new SelectingSink(answered, sink, context.upstream, translateError),
    );
  },
  models: (context) => ({
    method: "GET",
    path: `${context.basePath}/api/tags`,
    headers: callHeaders(context, "application/json"),
    body: null,
  }),
  readModels: (context, body) =>
    tags.parse(JSON.parse(body.toString())).models.map((model) => ({
      id: model.name,
      object: "model",
      created: Math.floor((Date.parse(model.modified_at) || 0) / 1000),
      owned_by: context.upstream,
    })),
};
