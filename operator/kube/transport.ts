import type { Readable } from "node:stream";
import type { KubeConfig } from "@kubernetes/client-node";
import type { Dispatcher } from "undici";
import { type Clock, type Random, sleep, systemClock } from "./clock.ts";
import { createConnections, type Lane } from "./connections.ts";
import { ApiError, isUnauthorized, TransportError } from "./errors.ts";
import { failureOf } from "./failure.ts";
import { createLimiter } from "./limiter.ts";
import { type Log, silentLog } from "./log.ts";
import { createKubeMetrics, type KubeMetrics } from "./metrics.ts";
import { piecesOf } from "./pieces.ts";
import { retryDelayMs } from "./retry.ts";
import { type LinkedSignal, linkSignals, unlessAborted } from "./signals.ts";

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Verb and resource as RBAC names them; labels of the metrics. */
  readonly verb: string;
  readonly resource: string;
  /** Namespace and name, for messages. */
  readonly subject: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  /** Default: JSON. */
  readonly accept?: string;
  /** Sending it twice does the same as sending it once. */
  readonly idempotent: boolean;
  /** Whether an answer of success is what was asked for; what is not counts as no answer. Default: all JSON is. */
  readonly accepts?: (answer: unknown) => boolean;
  /** Sent no second time, whatever the answer: who asks decides anew. */
  readonly once?: boolean;
  readonly lane?: Lane;
  readonly signal?: AbortSignal | undefined;
  /** For all tries together. Default: the transport's. */
  readonly deadlineMs?: number | undefined;
  /**
   * Called right before each try goes out; throws when it must not. A signal it returns aborts the request when the permission
   * ends while it is on the wire.
   */
  readonly permit?: (() => AbortSignal) | undefined;
}

export interface ApiStream {
  /** As the server named it; empty when it did not. */
  readonly contentType: string;
  /** Pieces as they come, as many at a time as have come. */
  readonly pieces: AsyncIterable<readonly Uint8Array[]>;
}

export interface Transport {
  /**
   * Sends a request and parses the answer.
   * @throws ApiError the server answered with a failure
   * @throws TransportError no answer within the deadline, or none of use
   * @throws the reason of `signal`, or of the permission, when that ended it
   */
  send(request: ApiRequest): Promise<unknown>;
  /**
   * Opens a stream; no retry, no deadline once the head has come. Ending the iteration early closes it.
   * @throws as send; while reading, a plain Error when the connection breaks
   */
  open(request: ApiRequest): Promise<ApiStream>;
  /** Ends every connection at once, those of earlier credentials too; requests under way fail, and so do later ones. */
  close(): Promise<void>;
}

export interface TransportOptions {
  readonly kubeConfig: KubeConfig;
  /** Shown in the server's audit log, e.g. `llmbridge-operator/1.0.0`. */
  readonly userAgent: string;
  /** Requests on the wire at a time, watches and lease apart. Default 16. */
  readonly maxInFlight?: number;
  /** For all tries of one request together. Default 30 s. */
  readonly deadlineMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Log;
  readonly metrics?: KubeMetrics;
}

/**
 * The one place that talks to the API server: long-lived connections per lane, credentials re-read each minute and after a 401,
 * retries that honour Retry-After, a limit of requests on the wire, and a deadline for each.
 *
 * Guarantees: a request settles at its deadline and with its signal, also while it waits for its turn, for credentials or for a connection; what was given
 * up before it was sent is never sent; `permit` is asked right before each try; what is not idempotent is sent again only where the server has told that
 * it did nothing (429, 503 with Retry-After).
 * Caveats: a request that was given up on the wire may still be carried out. There is no rate limit on this side: API Priority and Fairness on the
 * server does that, and answers 429. Its headers name flow schema and priority level only by uid, on every answer, and are not read.
 * Errors: ApiError for what the server answered, TransportError for no answer, and the reason of whatever signal ended it. After `close` every request fails.
 */
export function createTransport(options: TransportOptions): Transport {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? Math.random;
  const metrics = options.metrics ?? createKubeMetrics();
  const maxInFlight = options.maxInFlight ?? 16;
  const deadlineMs = options.deadlineMs ?? 30_000;
  const connections = createConnections({
    kubeConfig: options.kubeConfig,
    maxInFlight,
    clock,
    log: options.log ?? silentLog,
  });
  /** undici lets go of a pool that it closes once its requests have ended, and then no longer ends these. */
  const closed = new AbortController();
  const limiters = { requests: createLimiter(maxInFlight), lease: createLimiter(2) };

  /** One try: resolves with the head of the answer, or throws ApiError, TransportError or the abort's reason. */
  async function dispatch(request: ApiRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { verb, resource } = request;
    const current = connections.current(request.lane ?? "requests");
    const { credentials, dispatcher } = await unlessAborted(current, signal);
    signal.throwIfAborted();
    const elapsed = metrics.requestSeconds.startTimer({ verb, resource });
    const count = (code: string): void => {
      metrics.requests.inc({ verb, resource, code });
      if (verb !== "watch") elapsed({ code });
    };
    let response: Dispatcher.ResponseData;
    try {
      const answer = dispatcher.request({
        origin: credentials.origin,
        path: credentials.basePath + request.path + formatQuery(request.query),
        method: request.method,
        headers: {
          ...credentials.headers,
          accept: request.accept ?? "application/json",
          "user-agent": options.userAgent,
          ...(request.body === undefined
            ? {}
            : { "content-type": request.contentType ?? "application/json" }),
        },
        body: request.body === undefined ? null : JSON.stringify(request.body),
        signal,
        // The deadline is ours; undici's own would end a quiet watch.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      // undici looks at the signal only once there is a connection; then it sends nothing for who has left.
      response = await unlessAborted(answer, signal, ({ body }) => body.on("error", () => {}).destroy());
    } catch (error) {
      if (signal.aborted) {
        // The deadline has passed; who has left for another reason says nothing of the server.
        if (signal.reason instanceof TransportError) count("error");
        throw signal.reason;
      }
      count("error");
      connections.expire();
      throw new TransportError(describe(request), error);
    }
    count(String(response.statusCode));
    if (response.statusCode < 400) return response;
    const body = Buffer.from(await response.body.bytes().catch(() => new Uint8Array()));
    const retryAfter = response.headers["retry-after"];
    throw failureOf(describe(request), { code: response.statusCode, retryAfter, body }, clock.now());
  }

  async function attempt(request: ApiRequest, signal: AbortSignal): Promise<unknown> {
    const lane = request.lane === "lease" ? "lease" : "requests";
    const giveBack = await limiters[lane].acquire(signal);
    metrics.inFlight.inc({ lane });
    let permitted: LinkedSignal | undefined;
    try {
      permitted = request.permit && linkSignals([signal, request.permit()]);
      const response = await dispatch(request, permitted?.signal ?? signal);
      try {
        const answer: unknown = JSON.parse(await response.body.text());
        if (request.accepts?.(answer) === false) throw new Error("the answer is not what was asked for");
        return answer;
      } catch (error) {
        const ended = permitted?.signal ?? signal;
        throw ended.aborted ? ended.reason : new TransportError(describe(request), error);
      }
    } finally {
      permitted?.release();
      metrics.inFlight.dec({ lane });
      giveBack();
    }
  }

  async function send(request: ApiRequest): Promise<unknown> {
    const budgetMs = request.deadlineMs ?? deadlineMs;
    const endsAt = clock.monotonic() + budgetMs;
    const linked = linkSignals([request.signal, closed.signal], {
      clock,
      ms: budgetMs,
      reason: () => new TransportError(describe(request), `no answer within ${budgetMs / 1000} s`),
    });
    let reauthenticated = false;
    try {
      for (let tries = 1; ; tries++) {
        try {
          return await attempt(request, linked.signal);
        } catch (error) {
          if (!(error instanceof ApiError || error instanceof TransportError) || linked.signal.aborted)
            throw error;
          const { idempotent, once } = request;
          let waitMs = once ? undefined : retryDelayMs({ error, tries, idempotent }, random);
          if (isUnauthorized(error) && !reauthenticated) {
            reauthenticated = true;
            connections.expire();
            waitMs = 0;
          }
          if (waitMs === undefined || clock.monotonic() + waitMs >= endsAt) throw error;
          const code = error instanceof ApiError ? String(error.code) : "error";
          metrics.retries.inc({ verb: request.verb, resource: request.resource, code });
          await sleep(clock, waitMs, linked.signal);
          linked.signal.throwIfAborted();
        }
      }
    } finally {
      linked.release();
    }
  }

  async function open(request: ApiRequest): Promise<ApiStream> {
    const head = new AbortController();
    const budgetMs = request.deadlineMs ?? deadlineMs;
    const timer = clock.setTimer(budgetMs, () =>
      head.abort(new TransportError(describe(request), `no answer within ${budgetMs / 1000} s`)),
    );
    const linked = linkSignals([request.signal, closed.signal, head.signal]);
    try {
      const response = await dispatch({ ...request, lane: "watches" }, linked.signal);
      const type = response.headers["content-type"];
      return { contentType: String(type ?? ""), pieces: readStream(response.body, linked) };
    } catch (error) {
      if (isUnauthorized(error)) connections.expire();
      linked.release();
      throw error;
    } finally {
      timer.cancel();
    }
  }

  return {
    send,
    open,
    close() {
      closed.abort(new Error("the transport is closed"));
      return connections.destroy();
    },
  };
}

async function* readStream(body: Readable, linked: LinkedSignal): AsyncGenerator<readonly Uint8Array[]> {
  try {
    yield* piecesOf(body);
  } finally {
    linked.release();
  }
}

function describe(request: ApiRequest): string {
  return `${request.verb} ${request.resource} ${request.subject}`.trimEnd();
}

function formatQuery(query: ApiRequest["query"]): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}
