import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { FaultDomain } from "../../contract/metrics.ts";
import { isReusable } from "../cache/answer.ts";
import type { CacheKey } from "../cache/cache.ts";
import type { Account } from "../metrics/account.ts";
import { declaresError, EventTally } from "../stream/tally.ts";
import { StreamTail } from "../stream/terminal.ts";
import type { UpstreamCall } from "../upstreams/call.ts";
import type { ModelRequest } from "../upstreams/protocol.ts";
import type { AnswerSink, TokenCount } from "../upstreams/sink.ts";
import type { Upstream } from "../upstreams/upstream.ts";
import { type BodyReader, readBody } from "./body.ts";
import { COMPRESS_BYTES, compressed, encodingFor } from "./compression.ts";
import { startDeadline } from "./deadline.ts";
import { bridgeFailure, type Failure, warnOf } from "./failure.ts";
import { HeldAnswer, HOLD_BYTES } from "./held-answer.ts";
import { readModelRequest } from "./model-request.ts";
import { Reply, type ReplyReader } from "./reply.ts";
import type { Service } from "./service.ts";
import {
  credentialsRefused,
  domainOfStatus,
  errorWithin,
  incompleteStream,
  requestTimeout,
  slowClient,
} from "./verdict.ts";

/** Where an answer stands: nothing yet; a stream, an answer in one piece passed through, or held back; over. */
type Mode = "none" | "stream" | "pass" | "hold" | "over";

/**
 * One chat or embeddings request over HTTP, from its first header to its last byte: reads it, finds its upstream or its
 * cached answer, and passes the answer on. It is the sink of the upstream's bytes itself, so that a chunk crosses the
 * bridge without an object made for it.
 *
 * The head of the response is not sent before the first byte of the body: until then a failure still gets its own status.
 */
export class Exchange implements AnswerSink, BodyReader, ReplyReader {
  readonly #service: Service;
  readonly #incoming: IncomingMessage;
  readonly #reply: Reply;
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
  #tally: EventTally | undefined;
  #tokens: TokenCount | undefined;
  #held: HeldAnswer | undefined;
  #domain: FaultDomain | undefined;
  /** Counted as an open stream: its first byte came. */
  #streaming = false;
  /** Ends the request when it has taken longer than any may. */
  readonly #deadline: NodeJS.Timeout | undefined;

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
    this.#account = service.ledger.open(route);
    this.#reply = new Reply(service, this.#account, requestId, response, this);
    response.on("close", () => this.#closed());
    this.#deadline = startDeadline(service.limits.requestMs, this);
    readBody(incoming, service.limits.bodyBytes, this);
  }

  bodyRefused(failure: Failure): void {
    this.fail(failure);
  }

  bodyRead(body: Buffer): void {
    // Its time was over before it came.
    if (this.#mode === "over") return;
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
    if (this.#mode === "over") return;
    if (choice.kind === "failure") this.fail(choice.failure);
    else this.#route(request, choice.upstream);
  }

  #route(request: ModelRequest, upstream: Upstream): void {
    this.#upstream = upstream;
    const { cache, tenants } = this.#service;
    // Directives are compared without regard to case (RFC 9111 §5.2).
    const control = this.#incoming.headers["cache-control"]?.toLowerCase() ?? "";
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
    if (this.#mode === "over") return;
    if (answer === undefined) {
      this.#send(request, upstream);
      return;
    }
    this.#account.cache = "hit";
    this.#key = undefined;
    this.#status = answer.status;
    this.#headers = { "content-type": answer.contentType };
    this.#hold().push(answer.body);
    this.#replyWhole(answer.body);
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
      this.#tally = new EventTally();
    } else if (status < 400 && this.#wantsWhole(headers)) {
      this.#mode = "hold";
    } else {
      this.#mode = "pass";
      if (status < 400) this.#watchEnd();
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
      this.#tally?.push(chunk);
      if (!this.#reply.begun) {
        this.#reply.begin(this.#status, this.#headers, ["cache-control", "no-cache"]);
        this.#streaming = true;
        this.#service.ledger.streamOpened();
      }
      if (this.#key !== undefined) this.#keep(chunk);
      return this.#reply.write(chunk);
    }
    if (this.#mode === "pass") {
      if (!this.#reply.begun) {
        this.#lookForError(chunk);
        this.#beginPassing();
      }
      this.#tail?.push(chunk);
      return this.#reply.write(chunk);
    }
    if (this.#mode !== "hold") return true;
    const held = this.#hold();
    if (held.bytes === 0) this.#lookForError(chunk);
    held.push(chunk);
    return held.tooLarge ? this.#letGo(held) : true;
  }

  /** Some servers and gateways send their errors with status 200. */
  #lookForError(first: Buffer): void {
    if (this.#domain === undefined && declaresError(first, 0, first.length)) this.#blame();
  }

  /** What the upstream said of its failure goes to the caller as it is. */
  #blame(): void {
    this.#domain = "upstream";
    this.#log(errorWithin(this.#upstream?.name ?? ""));
  }

  end(tokens?: TokenCount): void {
    this.#account.upstreamEnd();
    this.#tokens = tokens;
    if (this.#mode === "stream") {
      if (this.#tail?.complete !== true) {
        this.fail(incompleteStream(this.#upstream?.name ?? ""));
        return;
      }
      if (this.#tally?.failed === true || this.#tail.failed) this.#blame();
      this.#store();
      this.#finish();
    } else if (this.#mode === "hold") {
      this.#store();
      this.#replyWhole(this.#hold().whole());
    } else if (this.#mode === "pass") {
      if (!this.#reply.begun) this.#reply.begin(this.#status, this.#headers, ["content-length", "0"]);
      this.#finish();
    }
  }

  fail(failure: Failure): void {
    if (this.#mode === "over") return;
    this.#mode = "over";
    this.#domain = failure.domain;
    this.#status = failure.status;
    this.#call?.abort();
    if (failure.domain !== "client") this.#log(failure);
    if (this.#reply.begun) this.#reply.cut(this.#streaming ? failure : undefined);
    else this.#reply.refuse(failure);
  }

  #crash(error: unknown): void {
    this.#service.log.error({ err: error, requestId: this.#requestId }, "request failed in the bridge");
    this.fail(bridgeFailure(this.#requestId));
  }

  #log(failure: Failure): void {
    warnOf(this.#service.log, failure, { requestId: this.#requestId, upstream: this.#upstream?.name });
  }

  /** The caller's connection is done with this response: completely sent, or lost. */
  #closed(): void {
    const { connections, ledger, meter } = this.#service;
    if (this.#streaming) ledger.streamClosed();
    connections.quiet(this.#incoming.socket);
    clearTimeout(this.#deadline);
    if (!this.#reply.complete && this.#domain === undefined) {
      const isOurs = connections.wasCut(this.#incoming.socket);
      this.#domain = isOurs ? "bridge" : "client";
      this.#status = isOurs ? 503 : 499;
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
        text: this.#tail?.text() ?? this.#held?.whole().toString() ?? "",
        chunks: this.#tally?.events ?? 0,
      });
    }
  }

  /** There is room for more of the answer; called by the reply only. */
  drained(): void {
    this.#call?.resume();
  }

  /** The client has left bytes unread for too long; called by the reply only. */
  stalled(): void {
    this.#giveUp(slowClient(this.#service.stallMs));
  }

  /** The request has taken all the time that any may; called by its timer only. */
  expire(): void {
    if (this.#reply.complete) return;
    const by = this.#mode === "over" || this.#reply.blocked ? "client" : this.#account.awaited;
    this.#giveUp(requestTimeout(by, this.#service.limits.requestMs));
  }

  #giveUp(failure: Failure): void {
    if (this.#mode !== "over") {
      this.fail(failure);
      return;
    }
    // All is written already, and some of it has not left.
    if (this.#domain === undefined) {
      this.#domain = failure.domain;
      this.#status = failure.status;
    }
    this.#reply.cut(undefined);
  }

  #hold(): HeldAnswer {
    this.#held ??= new HeldAnswer();
    return this.#held;
  }

  /** Holds a piece of a stream until it is known whether it can be stored. */
  #keep(chunk: Buffer): void {
    const held = this.#hold();
    held.push(chunk);
    if (held.bytes <= this.#service.cache.maxAnswerBytes) return;
    // The stream goes on and is not stored.
    this.#key = undefined;
    held.release();
  }

  /** The held answer grew too large: pass on what is there and the rest as it comes. */
  #letGo(held: HeldAnswer): boolean {
    this.#mode = "pass";
    this.#key = undefined;
    this.#beginPassing();
    let room = true;
    this.#watchEnd();
    for (const chunk of held.release()) {
      this.#tail?.push(chunk);
      room = this.#reply.write(chunk);
    }
    return room;
  }

  /** Usage stands at the end of an answer that is passed through. */
  #watchEnd(): void {
    if (this.#service.meter !== undefined) this.#tail = new StreamTail();
  }

  #beginPassing(): void {
    const length = this.#headers["content-length"];
    this.#reply.begin(this.#status, this.#headers, length === undefined ? [] : ["content-length", length]);
  }

  #store(): void {
    const { cache } = this.#service;
    if (this.#key === undefined || this.#domain !== undefined || this.#hold().bytes > cache.maxAnswerBytes)
      return;
    const contentType = this.#headers["content-type"] ?? "application/json";
    const answer = { status: this.#status, contentType, body: this.#hold().whole() };
    if (isReusable(this.#account.route, answer)) cache.set(this.#key, answer);
  }

  /** Sends an answer that is there in one piece. */
  #replyWhole(body: Buffer): void {
    const encoding = encodingFor(body, this.#headers["content-type"], this.#incoming.headers);
    if (encoding === undefined) {
      this.#replyWith(body);
      return;
    }
    compressed(this.#service.workers, body, encoding)
      .then((sent) => this.#replyWith(sent.body, sent.encoding))
      .catch((error: unknown) => this.#crash(error));
  }

  #replyWith(body: Buffer, encoding?: string): void {
    if (this.#mode === "over") return;
    const headers = ["content-length", String(body.length)];
    if (encoding !== undefined) headers.push("content-encoding", encoding, "vary", "accept-encoding");
    this.#reply.begin(this.#status, this.#headers, headers);
    this.#finish(body);
  }

  #finish(last?: Buffer): void {
    this.#mode = "over";
    this.#reply.end(last);
  }
}
