import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { answerTokens } from "./answer.ts";
import type { Body, Question, Route, StreamForm } from "./face.ts";
import { DEFAULT_KNOBS, type Knobs, knobsOfModel, withKnobs } from "./knobs.ts";
import { ollamaChat, ollamaEmbed, ollamaGenerate, ollamaTags } from "./ollama.ts";
import { openaiChat, openaiEmbeddings, openaiModels } from "./openai.ts";
import { EvenShare } from "./shares.ts";
import { emptyStats, type ModelStats } from "./stats.ts";

export interface ModelOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  readonly knobs?: Partial<Knobs>;
  /** Names that the lists of models give; any other is answered too. Default `m`. */
  readonly models?: readonly string[];
}

export interface Model {
  readonly port: number;
  /** `http://host:port`; the OpenAI face is under `/v1`, the Ollama face under `/api`. */
  readonly url: string;
  readonly stats: Readonly<ModelStats>;
  readonly knobs: Knobs;
  set(knobs: Partial<Knobs>): void;
  /** Ends it at once, answers in progress included. */
  close(): Promise<void>;
}

/** Keys of this beginning are refused, as a provider refuses one that was withdrawn; any other, and none, is taken. */
export const REFUSED_KEY = "refused";

const isRefused = (authorization: string | undefined): boolean =>
  authorization?.startsWith(`Bearer ${REFUSED_KEY}`) ?? false;

const ROUTES = new Map<string, Route>([
  ["/v1/chat/completions", openaiChat],
  ["/v1/embeddings", openaiEmbeddings],
  ["/api/chat", ollamaChat],
  ["/api/generate", ollamaGenerate],
  ["/api/embed", ollamaEmbed],
]);

/** Starts the stand-in: both faces, `/knobs` (GET, PUT), `/stats` (GET, DELETE to start anew) and `/health`. */
export async function startModel(options: ModelOptions = {}): Promise<Model> {
  const models = options.models ?? ["m"];
  let knobs: Knobs = { ...DEFAULT_KNOBS, ...options.knobs };
  let stats = emptyStats();
  const shares = { error: new EvenShare(), limited: new EvenShare(), reset: new EvenShare() };

  const server = createServer({ keepAliveTimeout: 120_000, noDelay: true }, (request, response) => {
    handle(request, response).catch((error: Error) => {
      if (!response.headersSent) json(response, 500, { error: { message: error.message } });
      else response.destroy();
    });
  });
  server.on("connection", (socket) => {
    stats.connections += 1;
    socket.on("close", () => {
      stats.connections -= 1;
    });
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    const route = ROUTES.get(path);
    if (route !== undefined && request.method === "POST") await answer(path, route, request, response);
    else if (path === "/v1/models") json(response, 200, openaiModels(models));
    else if (path === "/api/tags") json(response, 200, ollamaTags(models));
    else if (path === "/health") json(response, 200, { status: "ok" });
    else if (path === "/stats") answerStats(request, response);
    else if (path === "/knobs") await answerKnobs(request, response);
    else json(response, 404, { error: { message: `${request.method} ${path}: no such route.` } });
  }

  function answerStats(request: IncomingMessage, response: ServerResponse): void {
    if (request.method === "DELETE") {
      const { open, openStreams, connections } = stats;
      stats = { ...emptyStats(), open, openStreams, connections };
    }
    json(response, 200, stats);
  }

  async function answerKnobs(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === "PUT") {
      const read = withKnobs(knobs, await readJson(request));
      if (!read.ok) {
        json(response, 400, { error: { message: read.problem } });
        return;
      }
      knobs = read.knobs;
    }
    json(response, 200, knobs);
  }

  async function answer(
    path: string,
    route: Route,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    stats.requests[path] = (stats.requests[path] ?? 0) + 1;
    stats.open += 1;
    stats.maxOpen = Math.max(stats.maxOpen, stats.open);
    const gone = new AbortController();
    response.on("close", () => {
      stats.open -= 1;
      if (!response.writableFinished && !response.errored) stats.aborted += 1;
      gone.abort();
    });
    const body = await readJson(request);
    const question = route.question(body);
    const read = knobsOfModel(knobs, question.model);
    if (!read.ok) {
      json(response, 400, route.error(400, read.problem));
      return;
    }
    const mine = read.knobs;
    await pause(mine.delayMs, gone.signal);
    if (gone.signal.aborted) return;
    if (isRefused(request.headers.authorization)) {
      stats.errors += 1;
      json(response, 401, route.error(401, "The stand-in refuses this key."));
    } else if (shares.limited.next(mine.status429Share)) {
      stats.rateLimited += 1;
      response.setHeader("retry-after", String(mine.retryAfterSeconds));
      json(response, 429, route.error(429, "The stand-in was told to limit this request."));
    } else if (shares.error.next(mine.errorShare)) {
      stats.errors += 1;
      json(response, 500, route.error(500, "The stand-in was told to fail this request."));
    } else if (question.stream && route.stream !== undefined) {
      await stream(route.stream, question, body, mine, response, gone.signal);
    } else {
      json(response, 200, route.whole(question, answerTokens(question.text, mine.tokens), body, mine));
    }
  }

  async function stream(
    form: StreamForm,
    question: Question,
    body: Body,
    mine: Knobs,
    response: ServerResponse,
    gone: AbortSignal,
  ): Promise<void> {
    const tokens = answerTokens(question.text, mine.tokens);
    const resetAt = shares.reset.next(mine.midStreamResetShare) ? Math.floor(tokens.length / 2) : undefined;
    stats.openStreams += 1;
    response.on("close", () => {
      stats.openStreams -= 1;
    });
    await pause(mine.timeToFirstTokenMs, gone);
    if (gone.aborted) return;
    response.writeHead(200, { "content-type": form.contentType });
    for (const [index, token] of tokens.entries()) {
      if (index > 0) await pause(mine.tokenGapMs, gone);
      if (gone.aborted) return;
      if (index === resetAt) {
        stats.resets += 1;
        response.socket?.resetAndDestroy();
        response.destroy(new Error("reset by the knobs"));
        return;
      }
      response.write(form.token(question, token, index));
    }
    response.end(form.end(question, tokens, body));
  }

  const host = options.host ?? "127.0.0.1";
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${host}:${port}`,
    get stats() {
      return stats;
    },
    get knobs() {
      return knobs;
    },
    set(changes) {
      const read = withKnobs(knobs, changes);
      if (!read.ok) throw new Error(read.problem);
      knobs = read.knobs;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Resolves after `ms`, or at once when the caller is gone. */
function pause(ms: number, gone: AbortSignal): Promise<void> {
  if (ms === 0 || gone.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      gone.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    gone.addEventListener("abort", done);
  });
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString() || "{}") as Record<string, unknown>;
}

function json(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) })
    .end(text);
}
