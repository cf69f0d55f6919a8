import type { IncomingHttpHeaders } from "node:http";
import type { Failure } from "../../http/failure.ts";
import { LineSplitter } from "../../stream/lines.ts";
import type { AnswerSink, TokenCount } from "../sink.ts";
import { finishReason, type OllamaAnswer, openaiToolCalls, readOllamaAnswer, usageObject } from "./answer.ts";

export interface StreamIdentity {
  readonly upstream: string;
  /** The answer's id without its prefix. */
  readonly id: string;
  readonly model: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** The caller asked for a last chunk with usage (stream_options.include_usage). */
  readonly includeUsage: boolean;
}

const EVENT_STREAM = { "content-type": "text/event-stream" };

function brokenAnswer(upstream: string, detail: string): Failure {
  return {
    status: 502,
    domain: "upstream",
    code: "upstream_error",
    message: `Upstream ${upstream} broke off its answer: ${detail}; try again.`,
  };
}

/** Turns Ollama's newline-delimited JSON into OpenAI's server-sent chunks, ending in `[DONE]`. */
export class OllamaStreamSink implements AnswerSink {
  readonly #identity: StreamIdentity;
  readonly #sink: AnswerSink;
  readonly #lines = new LineSplitter();
  /** All of a chunk before its `choices`, which does not change within an answer. */
  readonly #prefix: string;
  readonly #suffix: string;
  #begun = false;
  #toolCalls = 0;
  #tokens: TokenCount | undefined;
  #failed = false;

  constructor(identity: StreamIdentity, sink: AnswerSink) {
    this.#identity = identity;
    this.#sink = sink;
    const head = JSON.stringify({
      id: `chatcmpl-${identity.id}`,
      object: "chat.completion.chunk",
      created: identity.created,
      model: identity.model,
    });
    this.#prefix = `data: ${head.slice(0, -1)},"choices":[`;
    this.#suffix = identity.includeUsage ? `],"usage":null}\n\n` : "]}\n\n";
  }

  sent(): void {
    this.#sink.sent();
  }

  start(_status: number, _headers: IncomingHttpHeaders): void {
    this.#sink.start(200, EVENT_STREAM);
  }

  data(chunk: Buffer): boolean {
    if (this.#failed) return true;
    let events = "";
    try {
      for (const line of this.#lines.push(chunk)) events += this.#translate(readOllamaAnswer(line));
    } catch (error) {
      this.#fail(events, error);
      return true;
    }
    return events === "" ? true : this.#sink.data(Buffer.from(events));
  }

  end(): void {
    if (this.#failed) return;
    let events = "";
    try {
      const line = this.#lines.flush();
      if (line !== undefined) events = this.#translate(readOllamaAnswer(line));
    } catch (error) {
      this.#fail(events, error);
      return;
    }
    if (events !== "") this.#sink.data(Buffer.from(events));
    if (this.#tokens === undefined) {
      this.#sink.fail({
        ...brokenAnswer(this.#identity.upstream, "the last line is missing"),
        code: "upstream_incomplete",
      });
    } else {
      this.#sink.end(this.#tokens);
    }
  }

  fail(failure: Failure): void {
    if (!this.#failed) this.#sink.fail(failure);
  }

  #fail(before: string, error: unknown): void {
    this.#failed = true;
    if (before !== "") this.#sink.data(Buffer.from(before));
    const detail = error instanceof OllamaError ? error.message : "a line is not what Ollama's API describes";
    this.#sink.fail(brokenAnswer(this.#identity.upstream, detail));
  }

  #translate(answer: OllamaAnswer): string {
    if (answer.error !== undefined) throw new OllamaError(answer.error);
    let events = "";
    const delta = this.#delta(answer);
    if (delta !== undefined) events += this.#event(JSON.stringify(delta), "null");
    if (!answer.done) return events;
    const reason = finishReason(answer.done_reason, this.#toolCalls > 0);
    events += this.#event("{}", `"${reason}"`);
    this.#tokens = { promptTokens: answer.prompt_eval_count, completionTokens: answer.eval_count };
    if (this.#identity.includeUsage) {
      const usage = JSON.stringify(usageObject(answer.prompt_eval_count, answer.eval_count));
      events += `${this.#prefix}],"usage":${usage}}\n\n`;
    }
    return `${events}data: [DONE]\n\n`;
  }

  #delta(answer: OllamaAnswer): Record<string, unknown> | undefined {
    const { message } = answer;
    const delta: Record<string, unknown> = {};
    if (!this.#begun) delta.role = "assistant";
    if (message?.thinking) delta.reasoning = message.thinking;
    if (message?.content || !this.#begun) delta.content = message?.content ?? "";
    const calls = openaiToolCalls(this.#identity.id, message, this.#toolCalls);
    if (calls.length > 0) {
      delta.tool_calls = calls;
      this.#toolCalls += calls.length;
    }
    this.#begun = true;
    return Object.keys(delta).length === 0 ? undefined : delta;
  }

  #event(delta: string, reason: string): string {
    return `${this.#prefix}{"index":0,"delta":${delta},"finish_reason":${reason}}${this.#suffix}`;
  }
}

/** What Ollama itself reported within an answer. */
class OllamaError extends Error {}
