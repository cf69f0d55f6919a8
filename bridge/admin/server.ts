import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { PATHS } from "../../contract/endpoints.ts";
import type { HealthBody } from "../../contract/status.ts";
import type { Metrics } from "../metrics/registry.ts";
import type { Report } from "./report.ts";

export interface AdminOptions {
  readonly report: Report;
  readonly metrics: Metrics;
  /** Brings gauges up to date before a scrape. */
  readonly refresh: () => void;
  readonly health: () => HealthBody["status"];
}

type Answer = (response: ServerResponse) => void;

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** The server of the admin port (not listening yet): health, status and metrics, all with GET. */
export function createAdmin(options: AdminOptions): Server {
  const { report, metrics, health } = options;
  const json =
    (body: () => unknown): Answer =>
    (response) =>
      sendJson(response, 200, body());
  const ready: Answer = (response) => sendJson(response, health() === "ok" ? 200 : 503, { status: health() });
  // A process that answers is alive, draining or not: restarting it would cut what it still serves.
  const live: Answer = (response) => sendJson(response, 200, { status: health() });
  const scrape: Answer = (response) => {
    options.refresh();
    metrics.registry.metrics().then(
      (text) => response.writeHead(200, { "content-type": metrics.registry.contentType }).end(text),
      (error: Error) => sendJson(response, 500, { error: error.message }),
    );
  };

  const answers: Readonly<Record<string, Answer>> = {
    [PATHS.health]: ready,
    [PATHS.apiHealth]: ready,
    [PATHS.ready]: ready,
    [PATHS.live]: live,
    [PATHS.metrics]: scrape,
    [PATHS.apiMetrics]: scrape,
    [PATHS.status]: json(() => report.status()),
    [PATHS.optimization]: json(() => report.optimization()),
    [PATHS.alerts]: json(() => ({ alerts: report.alerts() })),
    [PATHS.cacheStats]: json(() => report.cache()),
    [PATHS.poolStats]: json(() => ({ pools: report.pools() })),
  };

  return createServer((request: IncomingMessage, response: ServerResponse) => {
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    const answer = Object.hasOwn(answers, path) ? answers[path] : undefined;
    if (answer === undefined) {
      sendJson(response, 404, {
        error: `${path}: no such path; use one of ${Object.values(PATHS).join(", ")}.`,
      });
    } else if (request.method !== "GET" && request.method !== "HEAD") {
      sendJson(response, 405, { error: `${request.method} ${path}: this path takes GET.` });
    } else {
      answer(response);
    }
  });
}
