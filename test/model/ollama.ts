import { embedding, lastText, roughTokens } from "./answer.ts";
import type { Question, Route, StreamForm } from "./face.ts";
import { inputs } from "./openai.ts";

const CREATED = "2024-01-01T00:00:00Z";

const error = (_status: number, message: string) => ({ error: message });

type Text = (token: string) => object;
const asMessage: Text = (content) => ({ message: { role: "assistant", content } });
const asResponse: Text = (response) => ({ response });

function last(question: Question, tokens: readonly string[]) {
  return {
    done: true,
    done_reason: "stop",
    total_duration: 1_000_000,
    load_duration: 0,
    prompt_eval_count: roughTokens(question.text),
    eval_count: tokens.length,
  };
}

function lines(text: Text): StreamForm {
  const line = (question: Question, rest: object) =>
    `${JSON.stringify({ model: question.model, created_at: CREATED, ...rest })}\n`;
  return {
    contentType: "application/x-ndjson",
    token: (question, token) => line(question, { ...text(token), done: false }),
    end: (question, tokens) => line(question, { ...text(""), ...last(question, tokens) }),
  };
}

/** Ollama streams unless it is told not to. */
function generation(text: Text, textOf: Route["question"]): Route {
  return {
    question: textOf,
    error,
    whole: (question, tokens) => ({
      model: question.model,
      created_at: CREATED,
      ...text(tokens.join("")),
      ...last(question, tokens),
    }),
    stream: lines(text),
  };
}

/** `/api/chat` (Ollama API, "Generate a chat completion"). */
export const ollamaChat = generation(asMessage, (body) => ({
  model: String(body.model ?? "m"),
  text: lastText(body.messages),
  stream: body.stream !== false,
}));

/** `/api/generate` (Ollama API, "Generate a completion"). */
export const ollamaGenerate = generation(asResponse, (body) => ({
  model: String(body.model ?? "m"),
  text: String(body.prompt ?? ""),
  stream: body.stream !== false,
}));

/** `/api/embed` (Ollama API, "Generate embeddings"). */
export const ollamaEmbed: Route = {
  question: (body) => ({
    model: String(body.model ?? "m"),
    text: inputs(body.input).join("\n"),
    stream: false,
  }),
  error,
  whole: (question, _tokens, body, knobs) => ({
    model: question.model,
    embeddings: inputs(body.input).map((text) => embedding(text, knobs.dimensions)),
    total_duration: 1_000_000,
    load_duration: 0,
    prompt_eval_count: roughTokens(question.text),
  }),
};

/** `/api/tags`. */
export function ollamaTags(models: readonly string[]) {
  return {
    models: models.map((name) => ({
      name: `${name}:latest`,
      model: `${name}:latest`,
      modified_at: CREATED,
      size: 1,
    })),
  };
}
