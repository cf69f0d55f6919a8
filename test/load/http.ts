import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import { HEADERS, ROUTES } from "../../contract/endpoints.ts";
import { type Context, epochMs } from "./context.ts";
import type { Failure, Kind } from "./outcome.ts";

/** One request to make. */
export interface Plan {
  readonly kind: Exclude<Kind, "agent" | "socket">;
  readonly model: string;
  readonly prompt: string;
  /** On a connection of its own. */
  readonly fresh: boolean;
  readonly timeoutMs: number;
}

export interface HttpClient {
  /** Sends it, once; resolves when it is over: whether it was answered well. */
  send(plan: Plan, dueMs: number): Promise<boolean>;
  close(): void;
}

const VERSION = Symbol("version");
type Met = Socket & { [VERSION]?: string };

/** The terminal event, with nothing after it (OpenAI API, "Streaming"). */
const TERMINAL = /data: ?\[DONE\]\s*$/;
/** Characters at the end of a stream that are looked at. */
const TAIL = 32;

export function createHttpClient(context: Context): HttpClient {
  const { options, tally } = context;
  const base = new URL(options.url);
  // An idle connection is closed by us at idleReuseMs; in turn, so that all connections, and so all pods, are used.
  const agent = new Agent({ keepAlive: true, timeout: options.idleReuseMs, scheduling: "fifo" });

  const send = (plan: Plan, dueMs: number): Promise<boolean> =>
    new Promise((resolve) => {
      const startMs = performance.now();
      tally.sent(startMs - dueMs);
      const body = requestBody(plan);
      const outgoing = request({
        host: base.hostname,
        port: base.port || 80,
        method: "POST",
        path: plan.kind === "embeddings" ? ROUTES.embeddings : ROUTES.chat,
        headers: {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          ...options.headers,
        },
        agent: plan.fresh ? false : agent,
      });
      const exchange: Exchange = { plan, outgoing, version: "unknown", isConnected: false, isOver: false };

      const finish = (failure?: Failure): void => {
        if (exchange.isOver) return;
        exchange.isOver = true;
        clearTimeout(timer);
        context.giveUp.removeEventListener("abort", abandon);
        const outcome = {
          kind: plan.kind,
          version: exchange.version,
          intendedMs: epochMs(dueMs),
          startMs: epochMs(startMs),
          latencyMs: performance.now() - dueMs,
          ...(exchange.firstByteAtMs === undefined ? {} : { firstByteMs: exchange.firstByteAtMs - dueMs }),
          ...(failure === undefined ? {} : { failure }),
        };
        tally.finish(outcome);
        options.onOutcome?.(outcome);
        resolve(failure === undefined);
      };
      const timer = setTimeout(() => {
        finish({ reason: "timeout", cut: exchange.firstByteAtMs !== undefined });
        outgoing.destroy();
      }, plan.timeoutMs);
      /** The load has stopped and does not wait any longer: the request stays unfinished. */
      const abandon = (): void => {
        if (exchange.isOver) return;
        exchange.isOver = true;
        clearTimeout(timer);
        outgoing.destroy();
        resolve(false);
      };
      context.giveUp.addEventListener("abort", abandon);

      outgoing.on("socket", (socket: Met) => {
        exchange.isConnected = !socket.connecting;
        exchange.version = socket[VERSION] ?? "unknown";
        if (socket.connecting) socket.once("connect", () => (exchange.isConnected = true));
      });
      outgoing.on("response", (response) => receive(context, exchange, response, epochMs(startMs), finish));
      outgoing.on("error", (error: NodeJS.ErrnoException) => finish(lost(exchange, error)));
      outgoing.end(body);
    });

  return { send, close: () => agent.destroy() };
}

interface Exchange {
  readonly plan: Plan;
  readonly outgoing: ClientRequest;
  version: string;
  isConnected: boolean;
  isOver: boolean;
  firstByteAtMs?: number;
}

/** Why a request ended in an error of its connection. */
function lost(exchange: Exchange, error: NodeJS.ErrnoException): Failure {
  if (!exchange.isConnected)
    return { reason: error.code === "ECONNREFUSED" ? "refused" : `connect ${error.code}`, cut: false };
  if (exchange.firstByteAtMs !== undefined) return { reason: "incomplete answer", cut: true };
  // A connection that had served before and closed as we wrote: told apart, because it points at the server's idle closing.
  return { reason: exchange.outgoing.reusedSocket ? "closed on reuse" : "closed without answer", cut: true };
}

function receive(
  context: Context,
  exchange: Exchange,
  response: IncomingMessage,
  startMs: number,
  finish: (failure?: Failure) => void,
): void {
  const { plan } = exchange;
  const version = response.headers[HEADERS.revision];
  if (typeof version === "string") {
    exchange.version = version;
    (response.socket as Met)[VERSION] = version;
  }
  context.tally.accepted(exchange.version, plan.kind, startMs);
  if (!plan.fresh && response.headers.connection === "close")
    context.tally.askedToReconnect(exchange.version);

  const isStream = plan.kind === "stream" || plan.kind === "longStream";
  let tail = "";
  let echoed = !context.options.verifyEcho || plan.kind === "embeddings";
  response.setEncoding("utf8");
  response.on("data", (text: string) => {
    exchange.firstByteAtMs ??= performance.now();
    // The echo is at the beginning of an answer; a prompt cut in two by chunks is found in the joined tail.
    if (!echoed) echoed = (tail + text).includes(plan.prompt);
    tail = isStream && echoed ? (tail + text).slice(-TAIL) : (tail + text).slice(-4_096);
  });
  response.on("end", () => {
    const status = response.statusCode ?? 0;
    if (!response.complete) finish({ reason: "incomplete answer", cut: true });
    else if (status >= 300) finish({ reason: `status ${status}`, cut: false, answer: tail.slice(0, 400) });
    else if (isStream && !TERMINAL.test(tail)) finish({ reason: "no terminal event", cut: true });
    else if (!echoed) finish({ reason: "answer to another question", cut: false });
    else finish();
  });
  response.on("error", () => finish({ reason: "incomplete answer", cut: true }));
  response.on("close", () => finish({ reason: "incomplete answer", cut: true }));
}

function requestBody(plan: Plan): string {
  if (plan.kind === "embeddings") return JSON.stringify({ model: plan.model, input: plan.prompt });
  const stream = plan.kind === "stream" || plan.kind === "longStream";
  return JSON.stringify({ model: plan.model, messages: [{ role: "user", content: plan.prompt }], stream });
}
