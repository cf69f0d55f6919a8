import type { IncomingHttpHeaders } from "node:http";
import type { Failure } from "../../http/failure.ts";
import type { AnswerSink, TokenCount } from "../sink.ts";

/** Largest answer that is held to be translated, in bytes. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export interface Translated {
  readonly body: unknown;
  readonly tokens: TokenCount;
}

/** Holds an answer that is not streamed until it is complete, and passes on its translation. */
export class WholeAnswerSink implements AnswerSink {
  readonly #upstream: string;
  readonly #translate: (text: string) => Translated;
  readonly #sink: AnswerSink;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #status = 0;
  #headers: IncomingHttpHeaders = {};

  /** @param translate Throws where the text is not an answer of that kind. */
  constructor(upstream: string, translate: (text: string) => Translated, sink: AnswerSink) {
    this.#upstream = upstream;
    this.#translate = translate;
    this.#sink = sink;
  }

  sent(): void {
    this.#sink.sent();
  }

  start(status: number, headers: IncomingHttpHeaders): void {
    this.#status = status;
    this.#headers = headers;
  }

  data(chunk: Buffer): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes <= MAX_ANSWER_BYTES) this.#chunks.push(chunk);
    return true;
  }

  end(): void {
    const text = Buffer.concat(this.#chunks).toString();
    let translated: Translated;
    try {
      translated = this.#translate(text);
    } catch {
      this.#sink.fail({
        status: 502,
        domain: "upstream",
        code: "upstream_error",
        message: `Upstream ${this.#upstream} answered with something else than its API describes; look at its version and log.`,
      });
      return;
    }
    const body = Buffer.from(JSON.stringify(translated.body));
    const headers: IncomingHttpHeaders = {
      "content-type": "application/json",
      "content-length": String(body.length),
    };
    const retryAfter = this.#headers["retry-after"];
    if (retryAfter !== undefined) headers["retry-after"] = retryAfter;
    this.#sink.start(this.#status, headers);
    this.#sink.data(body);
    this.#sink.end(translated.tokens);
  }

  fail(failure: Failure): void {
    this.#sink.fail(failure);
  }
}
