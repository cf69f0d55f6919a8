import { embedding, lastText, roughTokens } from "./answer.ts";
import type { Question, Route } from "./face.ts";

/** A fixed time keeps answers alike between runs. */
const CREATED = 1_700_000_000;

const error = (status: number, message: string) => ({
  error: { message, type: status === 429 ? "rate_limit_error" : "server_error", param: null, code: null },
});

function usage(question: Question, tokens: readonly string[]) {
  const prompt = roughTokens(question.text);
  return { prompt_tokens: prompt, completion_tokens: tokens.length, total_tokens: prompt + tokens.length };
}

function event(question: Question, delta: object, finishReason: string | null): string {
  const chunk = {
    id: "chatcmpl-stand-in",
    object: "chat.completion.chunk",
    created: CREATED,
    model: question.model,
    choices: [{ index: 0, delta, finish_reason: finishReason }],
  };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

/** `/v1/chat/completions` (OpenAI API, "Create chat completion"). */
export const openaiChat: Route = {
  question: (body) => ({
    model: String(body.model ?? "m"),
    text: lastText(body.messages),
    stream: body.stream === true,
  }),
  error,
  whole: (question, tokens) => ({
    id: "chatcmpl-stand-in",
    object: "chat.completion",
    created: CREATED,
    model: question.model,
    choices: [{ index: 0, message: { role: "assistant", content: tokens.join("") }, finish_reason: "stop" }],
    usage: usage(question, tokens),
  }),
  stream: {
    contentType: "text/event-stream",
    token: (question, token, index) =>
      event(question, index === 0 ? { role: "assistant", content: token } : { content: token }, null),
    end(question, tokens, body) {
      const wantsUsage =
        (body.stream_options as { include_usage?: unknown } | undefined)?.include_usage === true;
      const last = {
        id: "chatcmpl-stand-in",
        object: "chat.completion.chunk",
        created: CREATED,
        model: question.model,
      };
      const counted = `data: ${JSON.stringify({ ...last, choices: [], usage: usage(question, tokens) })}\n\n`;
      return `${event(question, {}, "stop")}${wantsUsage ? counted : ""}data: [DONE]\n\n`;
    },
  },
};

/** `/v1/embeddings` (OpenAI API, "Create embeddings"). */
export const openaiEmbeddings: Route = {
  question: (body) => ({
    model: String(body.model ?? "m"),
    text: inputs(body.input).join("\n"),
    stream: false,
  }),
  error,
  whole(question, _tokens, body, knobs) {
    const prompt = roughTokens(question.text);
    return {
      object: "list",
      model: question.model,
      data: inputs(body.input).map((text, index) => ({
        object: "embedding",
        index,
        embedding: embedding(text, knobs.dimensions),
      })),
      usage: { prompt_tokens: prompt, total_tokens: prompt },
    };
  },
};

export function inputs(input: unknown): string[] {
  return Array.isArray(input) ? input.map(String) : [String(input ?? "")];
}

/** `/v1/models`. */
export function openaiModels(models: readonly string[]) {
  return {
    object: "list",
    data: models.map((id) => ({ id, object: "model", created: CREATED, owned_by: "stand-in" })),
  };
}
