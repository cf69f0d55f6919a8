import type { IncomingHttpHeaders } from "node:http";
import type { Failure } from "../../http/failure.ts";
import type { AnswerSink } from "../sink.ts";
import { type Translated, WholeAnswerSink } from "./whole-sink.ts";

/** Chooses by the status how an answer is translated: an answer, or an error. */
export class SelectingSink implements AnswerSink {
  #chosen: AnswerSink;
  readonly #sink: AnswerSink;
  readonly #upstream: string;
  readonly #translateError: (status: number, text: string) => Translated;

  constructor(
    answered: AnswerSink,
    sink: AnswerSink,
    upstream: string,
    translateError: (status: number, text: string) => Translated,
  ) {
    this.#chosen = answered;
    this.#sink = sink;
    this.#upstream = upstream;
    this.#translateError = translateError;
  }

  sent(): void {
    this.#sink.sent();
  }

  start(status: number, headers: IncomingHttpHeaders): void {
    if (status >= 400) {
      this.#chosen = new WholeAnswerSink(
        this.#upstream,
        (text) => this.#translateError(status, text),
        this.#sink,
      );
    }
    this.#chosen.start(status, headers);
  }

  data(chunk: Buffer): boolean {
    return this.#chosen.data(chunk);
  }

  end(): void {
    this.#chosen.end();
  }

  fail(failure: Failure): void {
    this.#chosen.fail(failure);
  }
}
