import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import type { Registry } from "prom-client";
import type { Check } from "./health.ts";

export interface ServersOptions {
  readonly registry: Registry;
  /** 0 picks a free port. */
  readonly metricsPort: number;
  readonly healthPort: number;
  /** Address to listen on. Default: all. */
  readonly host?: string;
  /** What must hold for /healthz; a failure makes kubelet restart the pod. */
  readonly live: readonly Check[];
  /** What must hold for /readyz. */
  readonly ready: readonly Check[];
}

export interface Servers {
  /** Ports really listened on. */
  readonly metricsPort: number;
  readonly healthPort: number;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  /** Whole, or in parts that are made as they are sent. */
  readonly body: string | AsyncIterable<string>;
}

type Route = () => Answer;

/**
 * Serves /metrics on one port and /healthz and /readyz on another, so that the first can be closed to the public and the second open
 * to kubelet. An answer of /healthz also proves that the event loop turns.
 * @throws Error when a port is taken
 */
export async function createServers(options: ServersOptions): Promise<Servers> {
  const { registry, host } = options;
  const metrics = serve({
    "/metrics": () => ({ status: 200, type: registry.contentType, body: textOf(registry) }),
  });
  const health = serve({
    "/healthz": () => report(options.live),
    "/readyz": () => report(options.ready),
  });
  const metricsPort = await listen(metrics, options.metricsPort, host);
  const healthPort = await listen(health, options.healthPort, host).catch(async (error: unknown) => {
    await close(metrics);
    throw error;
  });
  return {
    metricsPort,
    healthPort,
    async close() {
      await Promise.all([close(metrics), close(health)]);
    },
  };
}

/** One metric after the other: those of a thousand bridges together are megabytes of text, and as lines several times that. */
async function* textOf(registry: Registry): AsyncGenerator<string> {
  for (const { name } of registry.getMetricsAsArray())
    yield `${await registry.getSingleMetricAsString(name)}\n\n`;
}

function report(checks: readonly Check[]): Answer {
  const found = checks.map(({ name, problem, note }) => ({ name, problem: problem(), note: note?.() }));
  const lines = found.map(({ name, problem, note }) => {
    const said = [problem, note].filter((text) => text !== undefined).join("; ");
    return `[${problem === undefined ? "+" : "-"}] ${name}${said === "" ? "" : `: ${said}`}`;
  });
  const status = found.some(({ problem }) => problem !== undefined) ? 503 : 200;
  return {
    status,
    type: "text/plain; charset=utf-8",
    body: `${[...lines, status === 200 ? "ok" : "failed"].join("\n")}\n`,
  };
}

function serve(routes: Readonly<Record<string, Route>>): Server {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD" }).end();
    } else if (!route) {
      response
        .writeHead(404, { "content-type": "text/plain" })
        .end(`not found; try ${Object.keys(routes).join(" or ")}\n`);
    } else {
      const { status, type, body } = route();
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
      if (typeof body === "string") response.end(body);
      else await pipeline(body, response);
    }
  };
  return createServer((request, response) => {
    answer(request, response).catch(() => {
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
}

function listen(server: Server, port: number, host: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE";
      reject(taken ? new Error(`port ${port} is taken; choose another one`, { cause: error }) : error);
    });
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () =>
      resolve((server.address() as AddressInfo).port),
    );
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
