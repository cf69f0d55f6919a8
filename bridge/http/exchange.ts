import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { FaultDomain } from "../../contract/metrics.ts";
import { isCutShort } from "../cache/answer.ts";
import type { CacheKey } from "../cache/cache.ts";
import type { Account } from "../metrics/account.ts";
import { StreamTail } from "../stream/terminal.ts";
import type { UpstreamCall } from "../upstreams/call.ts";
import type { ModelRequest } from "../upstreams/protocol.ts";
import type { AnswerSink, TokenCount } from "../upstreams/sink.ts";
import type { Upstream } from "../upstreams/upstream.ts";
import { type BodyReader, readBody } from "./body.ts";
import { chooseEncoding } from "./encoding.ts";
import { bridgeFailure, errorBody, errorObject, type Failure } from "./failure.ts";
import { passHeaders, writeHead } from "./head.ts";
import { readModelRequest } from "./model-request.ts";
import type { Service } from "./service.ts";
import { credentialsRefused, domainOfStatus, incompleteStream, slowClient } from "./verdict.ts";

/** Largest answer that is held to be compressed, stored or counted, in bytes; a larger one is passed through as it comes. */
const HOLD_BYTES = 8 * 1024 * 1024;

/** Answers up to this are sent as they are: compression would save less than a packet. */
const COMPRESS_BYTES = 1024;

/** How long a client may leave our bytes unread before it is given up, in milliseconds. */
const STALL_MS = 60_000;

/** Where an answer stands: nothing yet; a stream, an answer in one piece passed through, or held back; over. */
type Mode = "none" | "stream" | "pass" | "hold" | "over";

/**
 * One chat or embeddings request over HTTP, from its first header to its last byte: reads it, finds its upstream or its
 * cached answer, and passes the answer on. It is the sink of the upstream's bytes itself, so that a chunk crosses the
 * bridge without an object made for it.
 *
 * The head of the response is not sent before the first byte of the body: until then a failure still gets its own status.
 */
export class Exchange implements AnswerSink, BodyReader {
  readonly #service: Service;
  readonly #incoming: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #account: Account;
  readonly #requestId: string;
  #request: ModelRequest | undefined;
  #upstream: Upstream | undefined;
  #call: UpstreamCall | undefined;
  #key: CacheKey | undefined;
  #mode: Mode = "none";
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  #tail: StreamTail | undefined;
  #tokens: TokenCount | undefined;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #domain: FaultDomain | undefined;
  #stall: NodeJS.Timeout | undefined;
  #listening = false;

  constructor(
    service: Service,
    route: "chat" | "embeddings",
    requestId: string,
    incoming: IncomingMessage,
    response: ServerResponse,
  ) {
    this.#service = service;
    this.#requestId = requestId;
    this.#incoming = incoming;
    this.#response = response;
    this.#account = service.ledger.open(route);
    response.on("close", () => this.#closed());
    readBody(incoming, service.limits.bodyBytes, this);
  }

  bodyRefused(failure: Failure): void {
    this.fail(failure);
  }

  bodyRead(body: Buffer): void {
    try {
      this.#read(body);
    } catch (error) {
      this.#crash(error);
    }
  }

  #read(body: Buffer): void {
    this.#account.ready();
    const route = this.#account.route === "embeddings" ? "embeddings" : "chat";
    const read = readModelRequest(route, body, this.#requestId);
    if (!read.ok) {
      this.fail(read.failure);
      return;
    }
    this.#request = read.request;
    const upstream = this.#service.catalog.known(read.request.model);
    if (upstream !== undefined) this.#route(read.request, upstream);
    else this.#find(read.request).catch((error: unknown) => this.#crash(error));
  }

  async #find(request: ModelRequest): Promise<void> {
    const choice = await this.#service.catalog.find(request.model);
    if (this.#account.closed) return;
    if (choice.kind === "failure") this.fail(choice.failure);
    else this.#route(request, choice.upstream);
  }

  #route(request: ModelRequest, upstream: Upstream): void {
    this.#upstream = upstream;
    const { cache, tenants } = this.#service;
    const control = this.#incoming.headers["cache-control"] ?? "";
    if (!control.includes("no-store")) {
      this.#key = cache.key({
        tenant: tenants.of(this.#incoming.headers),
        route: this.#account.route,
        upstream: upstream.config,
        model: request.model,
        body: request.json,
      });
    }
    if (this.#key === undefined) {
      this.#send(request, upstream);
      return;
    }
    this.#account.cache = "miss";
    if (control.includes("no-cache")) this.#send(request, upstream);
    else this.#lookUp(this.#key, request, upstream).catch((error: unknown) => this.#crash(error));
  }

  async #lookUp(key: CacheKey, request: ModelRequest, upstream: Upstream): Promise<void> {
    const answer = await this.#service.cache.get(key);
    if (this.#account.closed) return;
    if (answer === undefined) {
      this.#send(request, upstream);
      return;
    }
    this.#account.cache = "hit";
    this.#key = undefined;
    this.#status = answer.status;
    this.#headers = { "content-type": answer.contentType };
    this.#reply(answer.body);
  }

  #send(request: ModelRequest, upstream: Upstream): void {
    const operation = this.#account.route === "embeddings" ? "embeddings" : "chat";
    const call = upstream.call(operation, request, this);
    this.#call = call;
    call.begin();
  }

  sent(): void {
    this.#account.sent();
  }

  start(status: number, headers: IncomingHttpHeaders): void {
    this.#status = status;
    this.#headers = headers;
    if (status === 401 || status === 403) {
      this.fail(credentialsRefused(this.#upstream?.name ?? "", status));
      return;
    }
    this.#domain = domainOfStatus(status);
    const type = headers["content-type"];
    if (type?.startsWith("text/event-stream") === true && status < 400) {
      this.#mode = "stream";
      this.#tail = new StreamTail();
    } else if (status < 400 && this.#wantsWhole(headers)) {
      this.#mode = "hold";
    } else {
      this.#mode = "pass";
    }
  }

  /** Whether something needs the answer in one piece: the cache, the usage record, or compression. */
  #wantsWhole(headers: IncomingHttpHeaders): boolean {
    if (headers["content-encoding"] !== undefined) return false;
    const length = Number(headers["content-length"]);
    if (length > HOLD_BYTES) return false;
    if (this.#key !== undefined || this.#service.meter !== undefined) return true;
    return length <= COMPRESS_BYTES ? false : this.#incoming.headers["accept-encoding"] !== undefined;
  }

  data(chunk: Buffer): boolean {
    if (this.#mode === "stream") {
      this.#tail?.push(chunk);
      if (!this.#response.headersSent) {
        this.#writeHead([], "cache-control", "no-cache");
        this.#service.ledger.streamOpened();
      }
      if (this.#key !== undefined) this.#capture(chunk);
      return this.#write(chunk);
    }
    if (this.#mode === "pass") {
      if (!this.#response.headersSent) this.#writeHead([], "content-length", this.#headers["content-length"]);
      return this.#write(chunk);
    }
    if (this.#mode !== "hold") return true;
    this.#capture(chunk);
    return this.#heldBytes <= HOLD_BYTES || this.#letGo();
  }

  end(tokens?: TokenCount): void {
    this.#account.upstreamEnd();
    this.#tokens = tokens;
    if (this.#mode === "stream") {
      if (this.#tail?.complete !== true) {
        this.fail(incompleteStream(this.#upstream?.name ?? ""));
        return;
      }
      this.#store();
      this.#finish();
    } else if (this.#mode === "hold") {
      this.#store();
      const whole = this.#held.length === 1 ? this.#held[0] : undefined;
      this.#reply(whole ?? Buffer.concat(this.#held, this.#heldBytes));
    } else if (this.#mode === "pass") {
      if (!this.#response.headersSent) this.#writeHead([], "content-length", "0");
      this.#finish();
    }
  }

  fail(failure: Failure): void {
    if (this.#mode === "over") return;
    const committed = this.#response.headersSent;
    const streaming = this.#mode === "stream";
    this.#mode = "over";
    this.#domain = failure.domain;
    this.#status = failure.status;
    this.#call?.abort();
    clearTimeout(this.#stall);
    if (failure.domain !== "client") this.#log(failure);
    if (committed) {
      this.#cut(streaming ? failure : undefined);
      return;
    }
    const headers = ["content-type", "application/json"];
    if (failure.retryAfterSeconds !== undefined)
      headers.push("retry-after", String(failure.retryAfterSeconds));
    const body = errorBody(failure);
    headers.push("content-length", String(body.length));
    this.#head(failure.status, headers);
    this.#account.firstByte();
    this.#account.replied();
    this.#response.end(body);
  }

  /** Ends a response that has begun and cannot be completed, so that the client sees it is not complete. */
  #cut(failure: Failure | undefined): void {
    const response = this.#response;
    this.#service.metrics.cutConnections.inc({ reason: "error" });
    if (failure === undefined || response.writableNeedDrain) {
      response.destroy();
      return;
    }
    // The reason goes as an event of its own; then the socket closes without the chunked encoding's end.
    response.write(`data: ${JSON.stringify({ error: errorObject(failure) })}\n\n`, () => response.destroy());
  }

  #crash(error: unknown): void {
    this.#service.log.error({ err: error, requestId: this.#requestId }, "request failed in the bridge");
    this.fail(bridgeFailure(this.#requestId));
  }

  #log(failure: Failure): void {
    this.#service.log.warn(
      {
        requestId: this.#requestId,
        upstream: this.#upstream?.name,
        domain: failure.domain,
        code: failure.code,
      },
      failure.message,
    );
  }

  /** The caller's connection is done with this response: completely sent, or lost. */
  #closed(): void {
    clearTimeout(this.#stall);
    const { connections, ledger, meter } = this.#service;
    if (this.#tail !== undefined && this.#response.headersSent) ledger.streamClosed();
    connections.quiet(this.#incoming.socket);
    if (!this.#response.writableFinished && this.#domain === undefined) {
      this.#domain = "client";
      this.#status = 499;
    }
    this.#mode = "over";
    this.#call?.abort();
    this.#account.close(this.#domain);
    if (meter !== undefined && this.#request !== undefined && this.#upstream !== undefined) {
      meter.record({
        tenant: this.#service.tenants.of(this.#incoming.headers),
        route: this.#account.route,
        upstream: this.#upstream.name,
        request: this.#request,
        status: this.#status,
        durationMs: this.#account.durationMs,
        cache: this.#account.cache,
        tokens: this.#tokens,
        text: this.#tail?.text() ?? Buffer.concat(this.#held).toString(),
        chunks: this.#tail?.chunks ?? 0,
      });
    }
  }

  #head(status: number, headers: string[]): void {
    writeHead(
      this.#response,
      status,
      headers,
      { revision: this.#service.revision, cache: this.#account.cache, requestId: this.#requestId },
      this.#service.connections,
    );
  }

  #writeHead(headers: string[], name: string, value: string | undefined): void {
    passHeaders(headers, this.#headers);
    if (value !== undefined) headers.push(name, value);
    this.#head(this.#status, headers);
    this.#account.firstByte();
  }

  #write(chunk: Buffer): boolean {
    if (this.#response.write(chunk)) return true;
    if (!this.#listening) {
      this.#listening = true;
      this.#response.on("drain", () => {
        clearTimeout(this.#stall);
        this.#call?.resume();
      });
    }
    clearTimeout(this.#stall);
    this.#stall = setTimeout(onStall, STALL_MS, this);
    return false;
  }

  /** The client reads too slowly; called by the timer only. */
  stalled(): void {
    this.fail(slowClient(STALL_MS));
  }

  #capture(chunk: Buffer): void {
    this.#heldBytes += chunk.length;
    if (this.#mode === "stream" && this.#heldBytes > HOLD_BYTES) {
      // Too large to keep: the stream goes on and is not stored.
      this.#key = undefined;
      this.#held = [];
      return;
    }
    this.#held.push(chunk);
  }

  /** The held answer grew too large: pass on what is there and the rest as it comes. */
  #letGo(): boolean {
    this.#mode = "pass";
    this.#key = undefined;
    const held = this.#held;
    this.#held = [];
    this.#writeHead([], "content-length", this.#headers["content-length"]);
    let room = true;
    for (const chunk of held) room = this.#write(chunk);
    return room;
  }

  #store(): void {
    if (this.#key === undefined || this.#status !== 200) return;
    const contentType = this.#headers["content-type"] ?? "application/json";
    const body = Buffer.concat(this.#held, this.#heldBytes);
    if (isCutShort(body)) return;
    this.#service.cache.set(this.#key, { status: this.#status, contentType, body });
  }

  /** Sends an answer that is there in one piece. */
  #reply(body: Buffer): void {
    this.#held = [body];
    const encoding =
      body.length > COMPRESS_BYTES ? chooseEncoding(this.#incoming.headers["accept-encoding"]) : undefined;
    if (encoding === undefined || this.#headers["content-type"]?.startsWith("text/event-stream") === true) {
      this.#replyWith(body);
      return;
    }
    this.#service.workers.compress(body, encoding).then(
      (compressed) => this.#replyWith(compressed, encoding),
      // Compression is a courtesy: without a worker to do it the answer goes as it is.
      () => this.#replyWith(body),
    );
  }

  #replyWith(body: Buffer, encoding?: string): void {
    if (this.#account.closed) return;
    const headers = encoding === undefined ? [] : ["content-encoding", encoding, "vary", "accept-encoding"];
    this.#writeHead(headers, "content-length", String(body.length));
    this.#mode = "over";
    this.#account.replied();
    this.#response.end(body);
  }

  #finish(): void {
    this.#mode = "over";
    this.#account.replied();
    this.#response.end();
  }
}

function onStall(exchange: Exchange): void {
  exchange.stalled();
}
