import type { IncomingHttpHeaders } from "node:http";
import type { Failure } from "../http/failure.ts";

/** Tokens of one answer as the upstream counted them. */
export interface TokenCount {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/**
 * Receives one answer of an upstream. Translators are sinks that wrap a sink.
 * Order: at most one `start`, then any number of `data`, then exactly one of `end` and `fail`; after either, nothing.
 */
export interface AnswerSink {
  /** The call has left for the upstream (it got its slot). */
  sent(): void;
  /** Status and headers are known; no body byte yet. */
  start(status: number, headers: IncomingHttpHeaders): void;
  /** A piece of the body. False asks for a pause; `UpstreamCall.resume` ends it. */
  data(chunk: Buffer): boolean;
  /** The answer is complete as far as the transport knows. */
  end(tokens?: TokenCount): void;
  fail(failure: Failure): void;
}
