import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import type { Failure } from "../http/failure.ts";
import type { AnswerSink } from "./sink.ts";
import type { Refusal, Slot, SocketPool, Waiter } from "./sockets.ts";
import {
  firstByteTimeout,
  idleTimeout,
  isConnectFailure,
  overloaded,
  transportFailure,
} from "./transport-failure.ts";
import { answeredWithPage, redirected, withoutPath } from "./wrong-place.ts";

export interface CallRequest {
  readonly method: "GET" | "POST";
  /** Path and query on the upstream. */
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer | null;
}

export interface CallContext {
  readonly upstream: string;
  /** The upstream's `url` as it is called: without a slash at its end, credentials or query. */
  readonly url: string;
  readonly pool: SocketPool;
  readonly firstByteMs: number;
  readonly idleMs: number;
  /** Counters of this upstream's responses, by status class and `error`. */
  readonly responses: ResponseCounters;
}

export type ResponseCounters = Readonly<Record<string, { inc(): void }>>;

/** Seconds that a refused caller is asked to stay away. */
const RETRY_AFTER_SECONDS = 1;

/**
 * A connection that could not be made is tried once more after so long: nothing of the request has left, so that it cannot be done twice,
 * and a lost packet of DNS or a pod that is just being replaced is over by then.
 */
const CONNECT_AGAIN_MS = 200;

/**
 * One call to an upstream, from waiting for a slot to the last byte: the handler that undici reports to, with no object
 * or closure per chunk. Times the first byte and every pause after it; neither runs while the client is the slow side.
 */
export class UpstreamCall implements Waiter, Dispatcher.DispatchHandler {
  readonly #context: CallContext;
  readonly #request: CallRequest;
  readonly #sink: AnswerSink;
  #slot: Slot | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #status = 0;
  #reading = false;
  #paused = false;
  #done = false;
  #triedAgain = false;

  constructor(context: CallContext, request: CallRequest, sink: AnswerSink) {
    this.#context = context;
    this.#request = request;
    this.#sink = sink;
  }

  /** Takes a slot or a place in the queue. */
  begin(): void {
    const slot = this.#context.pool.acquire(this);
    if (slot !== undefined) this.granted(slot);
  }

  /** Ends the call at once, in whatever state it is; the sink hears nothing more. Safe to call twice. */
  abort(): void {
    if (this.#done) return;
    this.#finish(this.#status === 0 ? undefined : this.#statusClass());
    if (this.#slot === undefined) this.#context.pool.leave(this);
    else this.#controller?.abort(new Error("the caller went away"));
  }

  /** Ends a pause that `data` asked for. */
  resume(): void {
    if (!this.#paused || this.#done) return;
    this.#paused = false;
    this.#timer?.refresh();
    this.#controller?.resume();
  }

  granted(slot: Slot): void {
    this.#slot = slot;
    if (!this.#triedAgain) this.#sink.sent();
    const { method, path, headers, body } = this.#request;
    slot.client.dispatch({ method, path, headers, body }, this);
  }

  refused(_reason: Refusal): void {
    this.#done = true;
    this.#sink.fail(overloaded(this.#context.upstream, RETRY_AFTER_SECONDS));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#done) {
      controller.abort(new Error("the caller went away"));
      return;
    }
    if (this.#context.firstByteMs > 0) this.#timer = setTimeout(onTimer, this.#context.firstByteMs, this);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (this.#done || status < 200) return;
    this.#status = status;
    const failure = this.#wrongPlace(headers);
    if (failure === undefined) this.#sink.start(status, headers);
    else this.#refuse(controller, failure);
  }

  /** Set where it is not the API that answers. Other errors are passed on, whatever they look like. */
  #wrongPlace(headers: IncomingHttpHeaders): Failure | undefined {
    const { upstream, url } = this.#context;
    const { path } = this.#request;
    const status = this.#status;
    const type = headers["content-type"]?.toLowerCase() ?? "";
    if (status >= 400) {
      const isAbsent = (status === 404 || status === 405) && !type.includes("json");
      return isAbsent ? withoutPath(upstream, url, path, status) : undefined;
    }
    if (status >= 300) return redirected(upstream, url, path, status, headers.location);
    return type.startsWith("text/html") ? answeredWithPage(upstream, url) : undefined;
  }

  #refuse(controller: Dispatcher.DispatchController, failure: Failure): void {
    this.#finish(this.#statusClass());
    controller.abort(new Error(failure.code));
    this.#sink.fail(failure);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#done) return;
    if (!this.#reading) {
      this.#reading = true;
      clearTimeout(this.#timer);
      this.#timer = this.#context.idleMs > 0 ? setTimeout(onTimer, this.#context.idleMs, this) : undefined;
    } else {
      this.#timer?.refresh();
    }
    if (this.#sink.data(chunk) || this.#done) return;
    this.#paused = true;
    controller.pause();
  }

  onResponseEnd(): void {
    this.#release(false);
    if (this.#done) return;
    this.#finish(this.#statusClass());
    this.#sink.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#release(true);
    if (this.#done) return;
    // Without a controller the request never got a connection.
    if (!this.#triedAgain && this.#controller === undefined && isConnectFailure(error)) {
      this.#triedAgain = true;
      this.#timer = setTimeout(onAgain, CONNECT_AGAIN_MS, this);
      return;
    }
    this.#finish("error");
    this.#sink.fail(transportFailure(this.#context.upstream, error));
  }

  /** A time-out of ours; called by the timer only. */
  expire(): void {
    if (this.#done) return;
    // A slow client holds the upstream back: that is not the upstream's pause, and is timed where the client is written to.
    if (this.#paused) {
      this.#timer?.refresh();
      return;
    }
    const { upstream, firstByteMs, idleMs } = this.#context;
    const failure = this.#reading ? idleTimeout(upstream, idleMs) : firstByteTimeout(upstream, firstByteMs);
    this.#finish("error");
    this.#controller?.abort(new Error(failure.code));
    this.#sink.fail(failure);
  }

  #release(broken: boolean): void {
    const slot = this.#slot;
    this.#slot = undefined;
    if (slot !== undefined) this.#context.pool.release(slot, broken);
  }

  #statusClass(): string {
    return `${Math.floor(this.#status / 100)}xx`;
  }

  /** @param code What the upstream's response counts as; undefined where there was none and that is nobody's error. */
  #finish(code: string | undefined): void {
    this.#done = true;
    clearTimeout(this.#timer);
    if (code !== undefined) this.#context.responses[code]?.inc();
  }
}

function onAgain(call: UpstreamCall): void {
  call.begin();
}

function onTimer(call: UpstreamCall): void {
  call.expire();
}
