import type { CallRequest } from "./call.ts";
import type { AnswerSink } from "./sink.ts";

/** A request of OpenAI's API, parsed once where it came in. */
export interface ModelRequest {
  /** The bytes as they came; passed on where the upstream speaks the same protocol. */
  readonly body: Buffer;
  readonly json: Readonly<Record<string, unknown>>;
  readonly model: string;
  readonly stream: boolean;
  readonly requestId: string;
}

/** A model as `/v1/models` lists it. */
export interface ModelEntry {
  readonly id: string;
  readonly object: "model";
  /** Seconds since 1970. */
  readonly created: number;
  readonly owned_by: string;
}

/** What to send, and the sink that turns the upstream's answer into OpenAI's for the sink given. */
export interface PreparedCall {
  readonly request: CallRequest;
  readonly sink: AnswerSink;
}

export interface ProtocolContext {
  /** Path of the upstream's URL without a slash at the end. */
  readonly basePath: string;
  /** Bearer token now in force; empty: none. */
  readonly token: () => string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly upstream: string;
}

/** How one kind of upstream is spoken to. Stateless; every answer reaches the sink in OpenAI's shapes. */
export interface Protocol {
  chat(context: ProtocolContext, request: ModelRequest, sink: AnswerSink): PreparedCall;
  embeddings(context: ProtocolContext, request: ModelRequest, sink: AnswerSink): PreparedCall;
  models(context: ProtocolContext): CallRequest;
  /** @throws Error when the body is not a list of models. */
  readModels(context: ProtocolContext, body: Buffer): ModelEntry[];
}

/** Headers of a call with a JSON body. The caller's own Authorization is not passed on: it was meant for the bridge. */
export function callHeaders(
  context: ProtocolContext,
  accept: string,
  requestId?: string,
): Record<string, string> {
  const headers: Record<string, string> = {
    accept,
    "content-type": "application/json",
  };
  if (requestId !== undefined) headers["x-request-id"] = requestId;
  const token = context.token();
  if (token !== "") headers.authorization = `Bearer ${token}`;
  return headers;
}
