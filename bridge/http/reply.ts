import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { Account } from "../metrics/account.ts";
import { errorBody, errorObject, type Failure } from "./failure.ts";
import { passHeaders, writeHead } from "./head.ts";
import type { Service } from "./service.ts";

/** Told by the reply how the client reads. */
export interface ReplyReader {
  /** There is room for more after `write` said that there was none. */
  drained(): void;
  /** The client has left bytes unread for too long; the response is destroyed after this. */
  stalled(): void;
}

/** The response of one exchange: its head, its bytes, and how it is broken off. Makes no object per chunk. */
export class Reply {
  readonly #service: Service;
  readonly #account: Account;
  readonly #requestId: string;
  readonly #response: ServerResponse;
  readonly #reader: ReplyReader;
  #listening = false;
  #watched = false;
  #isStalled = false;
  #isCut = false;

  constructor(
    service: Service,
    account: Account,
    requestId: string,
    response: ServerResponse,
    reader: ReplyReader,
  ) {
    this.#service = service;
    this.#account = account;
    this.#requestId = requestId;
    this.#response = response;
    this.#reader = reader;
  }

  /** The head has been sent: the status cannot be changed any more. */
  get begun(): boolean {
    return this.#response.headersSent;
  }

  /** All bytes have been handed over to the system. */
  get complete(): boolean {
    return this.#response.writableFinished;
  }

  /** The client has not taken what was written. */
  get blocked(): boolean {
    return this.#response.writableNeedDrain;
  }

  /** Writes the head: those of the upstream's headers that concern the client, and a list of names and values. */
  begin(status: number, upstream: IncomingHttpHeaders, headers: string[]): void {
    passHeaders(headers, upstream);
    this.#head(status, headers);
    this.#account.firstByte();
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

  /** False where the client has not taken what was written before; `drained` is called when it has. */
  write(chunk: Buffer): boolean {
    if (this.#response.write(chunk)) return true;
    if (!this.#listening) {
      this.#listening = true;
      this.#response.on("drain", () => this.#reader.drained());
    }
    this.#watch();
    return false;
  }

  /** Writes the end, and what is left before it. */
  end(last?: Buffer): void {
    this.#account.replied();
    this.#response.end(last);
    this.#watch();
  }

  /**
   * Gives the client up when it takes none of our bytes for too long. The time-out is the socket's own, which sees how far a large write has
   * come: a client on a slow line is waited for.
   */
  #watch(): void {
    const response = this.#response;
    if (this.#watched || response.writableLength === 0) return;
    this.#watched = true;
    response.setTimeout(this.#service.stallMs, () => this.#timedOut());
    // Before Node sets the time-out of an idle connection: the next response on it begins without one.
    response.prependOnceListener("finish", () => response.socket?.setTimeout(0));
  }

  #timedOut(): void {
    // It is we who have nothing to send.
    if (this.#response.writableLength === 0) return;
    this.#isStalled = true;
    this.#reader.stalled();
    this.#response.destroy();
  }

  /** Answers with a failure; only before the head is sent. */
  refuse(failure: Failure): void {
    const headers = ["content-type", "application/json"];
    if (failure.retryAfterSeconds !== undefined)
      headers.push("retry-after", String(failure.retryAfterSeconds));
    const body = errorBody(failure);
    headers.push("content-length", String(body.length));
    // Whose body is still coming would go on sending it.
    if (failure.status === 408) this.#response.shouldKeepAlive = false;
    this.#head(failure.status, headers);
    this.#account.firstByte();
    this.end(body);
  }

  /**
   * Ends a response that has begun and cannot be completed, so that the client sees it is not complete.
   * @param failure What a client that reads events is told before.
   */
  cut(failure: Failure | undefined): void {
    const response = this.#response;
    if (!this.#isCut) this.#service.metrics.cutConnections.inc({ reason: "error" });
    this.#isCut = true;
    if (failure === undefined || this.#isStalled || response.writableNeedDrain) {
      response.destroy();
      return;
    }
    // The reason goes as an event of its own; then the socket closes without the chunked encoding's end.
    response.write(`data: ${JSON.stringify({ error: errorObject(failure) })}\n\n`, () => response.destroy());
    this.#watch();
  }
}
