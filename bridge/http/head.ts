import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { HEADERS } from "../../contract/endpoints.ts";
import type { CacheLabel } from "../../contract/metrics.ts";
import type { Connections } from "../lifecycle/connections.ts";
import { affinityCookie } from "./affinity.ts";

const PASSED = new Set([
  "content-type",
  "content-encoding",
  "retry-after",
  "retry-after-ms",
  "x-should-retry",
]);

/** Appends the upstream's headers that concern the client to a flat list of names and values. */
export function passHeaders(list: string[], headers: IncomingHttpHeaders): void {
  for (const name in headers) {
    if (!PASSED.has(name) && !name.startsWith("x-ratelimit-") && !name.startsWith("openai-")) continue;
    const value = headers[name];
    if (typeof value === "string") list.push(name, value);
  }
}

/** Writes the head of a response: the headers given, ours, a cookie where the route asks for one, and `Connection: close` where the connection should end. */
export function writeHead(
  response: ServerResponse,
  status: number,
  headers: string[],
  own: { readonly revision: string; readonly cache: CacheLabel; readonly requestId: string },
  connections: Connections,
): void {
  headers.push(HEADERS.revision, own.revision, HEADERS.cache, own.cache, HEADERS.requestId, own.requestId);
  const cookie = affinityCookie(response.req.headers, own.revision);
  if (cookie !== undefined) headers.push("set-cookie", cookie);
  const { socket } = response;
  if (socket === null || connections.shouldClose(socket)) response.shouldKeepAlive = false;
  response.writeHead(status, headers);
}
