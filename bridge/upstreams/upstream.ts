import type { IncomingHttpHeaders } from "node:http";
import type { UpstreamConfig } from "../../contract/config.ts";
import type { SecretFile } from "../config/secret.ts";
import type { Failure } from "../http/failure.ts";
import { countOn, type Metrics } from "../metrics/registry.ts";
import { type CallContext, type CallRequest, UpstreamCall } from "./call.ts";
import { ollamaProtocol } from "./ollama/ollama.ts";
import { openaiProtocol } from "./openai/openai.ts";
import type { ModelEntry, ModelRequest, Protocol, ProtocolContext } from "./protocol.ts";
import type { AnswerSink } from "./sink.ts";
import { SocketPool } from "./sockets.ts";

const PROTOCOLS: Readonly<Record<UpstreamConfig["protocol"], Protocol>> = {
  OpenAI: openaiProtocol,
  Ollama: ollamaProtocol,
};

const RESPONSE_CODES = ["1xx", "2xx", "3xx", "4xx", "5xx", "error"];

/** Longest time that a list of models may take, in milliseconds: it is a look-up, not an answer. */
const MODELS_MS = 5_000;

/** How long a request may wait for a slot before it is refused, in milliseconds. */
const QUEUE_MS = 10_000;

export interface UpstreamOptions {
  readonly config: UpstreamConfig;
  readonly connections: number;
  readonly idleConnections: number;
  readonly token: SecretFile | undefined;
  readonly metrics: Metrics;
  readonly now: () => number;
}

/** One upstream: its protocol, its sockets and the calls to it. */
export class Upstream {
  readonly name: string;
  readonly config: UpstreamConfig;
  readonly pool: SocketPool;
  readonly #protocol: Protocol;
  readonly #context: ProtocolContext;
  readonly #calls: CallContext;

  constructor(options: UpstreamOptions) {
    const { config, metrics } = options;
    const url = new URL(config.url);
    this.name = config.name;
    this.config = config;
    this.#protocol = PROTOCOLS[config.protocol];
    this.pool = new SocketPool({
      upstream: config.name,
      origin: url.origin,
      connectMs: config.timeouts.connectMs,
      maxConcurrency: config.maxConcurrency,
      connections: options.connections,
      idleConnections: options.idleConnections,
      queueLength: Math.max(16, 2 * config.maxConcurrency),
      queueMs: QUEUE_MS,
      metrics,
    });
    const basePath = url.pathname.replace(/\/+$/, "");
    this.#context = {
      basePath,
      token: () => options.token?.current() ?? "",
      now: options.now,
      upstream: config.name,
    };
    const responses = Object.fromEntries(
      RESPONSE_CODES.map((code) => [
        code,
        countOn(metrics, metrics.upstreamResponses, { upstream: config.name, code }),
      ]),
    );
    this.#calls = {
      upstream: config.name,
      url: url.origin + basePath,
      pool: this.pool,
      firstByteMs: config.timeouts.firstByteMs,
      idleMs: config.timeouts.idleMs,
      responses,
    };
  }

  /** Makes a call that has not begun; `begin` sends it (or queues it) and `abort` ends it in any state. */
  call(operation: "chat" | "embeddings", request: ModelRequest, sink: AnswerSink): UpstreamCall {
    const prepared = this.#protocol[operation](this.#context, request, sink);
    return new UpstreamCall(this.#calls, prepared.request, prepared.sink);
  }

  /** @throws Error saying why the list could not be had. */
  async models(): Promise<ModelEntry[]> {
    const body = await this.#get(this.#protocol.models(this.#context));
    return this.#protocol.readModels(this.#context, body);
  }

  #get(request: CallRequest): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const sink = new CollectingSink(resolve, reject);
    const context = {
      ...this.#calls,
      firstByteMs: Math.min(MODELS_MS, this.#calls.firstByteMs || MODELS_MS),
    };
    new UpstreamCall(context, request, sink).begin();
    return promise;
  }
}

/** Collects a small answer; a status other than 2xx is an error. */
class CollectingSink implements AnswerSink {
  readonly #chunks: Buffer[] = [];
  readonly #resolve: (body: Buffer) => void;
  readonly #reject: (error: Error) => void;
  #status = 0;

  constructor(resolve: (body: Buffer) => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  sent(): void {}

  start(status: number, _headers: IncomingHttpHeaders): void {
    this.#status = status;
  }

  data(chunk: Buffer): boolean {
    this.#chunks.push(chunk);
    return true;
  }

  end(): void {
    if (this.#status >= 200 && this.#status < 300) this.#resolve(Buffer.concat(this.#chunks));
    else this.#reject(new Error(`status ${this.#status}`));
  }

  fail(failure: Failure): void {
    this.#reject(new Error(failure.message));
  }
}
