import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { HEADERS, PATHS, ROUTES } from "../../contract/endpoints.ts";
import type { HealthBody } from "../../contract/status.ts";
import { Exchange } from "./exchange.ts";
import { bridgeFailure, clientFailure, errorBody, type Failure } from "./failure.ts";
import { writeHead } from "./head.ts";
import { answerModels } from "./models.ts";
import type { Service } from "./service.ts";

export interface FrontOptions {
  readonly service: Service;
  /** The health endpoints answer 200 while this says `ok`, otherwise 503. */
  readonly health: () => HealthBody["status"];
  /** A short id for a request that brought none. */
  readonly newId: () => string;
  /** Takes over a connection that asks for the WebSocket endpoint. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/**
 * How long an idle connection is kept. Well above the 4 to 60 s after which clients and load balancers stop reusing theirs, so
 * that it is they who close: a server that closes first resets the request that is just being sent.
 */
const KEEP_ALIVE_MS = 75_000;

/** How long a client may take for its headers; below the keep-alive time it would end idle connections early in old clients. */
const HEADERS_MS = 60_000;

/** A request id is taken over when it is short and harmless in a log. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

function requestIdOf(request: IncomingMessage, newId: () => string): string {
  const given = request.headers[HEADERS.requestId];
  return typeof given === "string" && REQUEST_ID.test(given) ? given : newId();
}

function pathOf(url: string): string {
  const query = url.indexOf("?");
  return query === -1 ? url : url.slice(0, query);
}

/** Everything else that asks for an upgrade is answered as the ordinary request that it is too. */
function asksForAgents(request: IncomingMessage): boolean {
  return pathOf(request.url ?? "/") === ROUTES.agents && /websocket/i.test(request.headers.upgrade ?? "");
}

/** The server of the traffic port (not listening yet): OpenAI's routes, health, and the WebSocket upgrade. */
export function createFront(options: FrontOptions): Server {
  const { service } = options;
  const { connections } = service;
  const { requestMs } = service.limits;

  const refuse = (
    response: ServerResponse,
    requestId: string,
    failure: Failure,
    headers: string[] = [],
  ): void => {
    const body = errorBody(failure);
    headers.push("content-type", "application/json", "content-length", String(body.length));
    writeHead(
      response,
      failure.status,
      headers,
      { revision: service.revision, cache: "off", requestId },
      connections,
    );
    response.end(body);
  };

  const health = (response: ServerResponse): void => {
    const status = options.health();
    const body = JSON.stringify({ status });
    response.writeHead(status === "ok" ? 200 : 503, { "content-type": "application/json" }).end(body);
  };

  const route = (request: IncomingMessage, response: ServerResponse): void => {
    const url = request.url ?? "/";
    const path = url === ROUTES.chat ? url : pathOf(url);
    if (path === PATHS.health || path === PATHS.apiHealth) {
      health(response);
      return;
    }
    const requestId = requestIdOf(request, options.newId);
    connections.busy(request.socket);
    if (path === ROUTES.chat || path === ROUTES.embeddings) {
      if (request.method === "POST") {
        new Exchange(service, path === ROUTES.chat ? "chat" : "embeddings", requestId, request, response);
        return;
      }
      response.on("close", () => connections.quiet(request.socket));
      const message = `${request.method} ${path}: this route takes POST; send the request with POST.`;
      refuse(response, requestId, clientFailure(405, "method_not_allowed", message), ["allow", "POST"]);
      return;
    }
    response.on("close", () => connections.quiet(request.socket));
    if (path === ROUTES.models && request.method === "GET") {
      answerModels(service, requestId, request, response);
      return;
    }
    const message = `${request.method} ${path}: no such route; use ${Object.values(ROUTES).join(", ")}.`;
    refuse(response, requestId, clientFailure(404, "not_found", message));
  };

  const server = createServer(
    {
      // Node refuses to be given more for the headers than for the whole.
      headersTimeout: Math.min(HEADERS_MS, requestMs || HEADERS_MS),
      // Of the receipt alone, and looked at every 30 s. An exchange ends itself; this is for what is none.
      requestTimeout: requestMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
      noDelay: true,
      // Whoever offers another protocol takes HTTP/1.1 as well (RFC 9110, 7.8): Java's client offers h2c with every first request.
      shouldUpgradeCallback: asksForAgents,
    },
    (request, response) => {
      try {
        route(request, response);
      } catch (error) {
        const requestId = requestIdOf(request, options.newId);
        service.log.error({ err: error, requestId }, "request failed in the bridge");
        if (response.headersSent) response.destroy();
        else refuse(response, requestId, bridgeFailure(requestId));
      }
    },
  );
  server.on("connection", (socket) => connections.add(socket));
  server.on("upgrade", (request, socket, head) => {
    connections.remove(socket);
    options.upgrade(request, socket, head);
  });
  return server;
}
