// A version that lives and serves but never calls itself ready.

import type { ServerResponse } from "node:http";
import { Server } from "node:http";
import { startBridge } from "./bridge.ts";

const NEVER = ["/readyz", "/health", "/api/health"];
const emit = Server.prototype.emit as (event: string, ...rest: unknown[]) => boolean;

Server.prototype.emit = function (this: Server, ...all: [event: string, ...rest: unknown[]]) {
  const [event, request, response] = all;
  const path = String((request as { url?: unknown } | undefined)?.url ?? "").split("?")[0] ?? "";
  if (event !== "request" || !NEVER.includes(path)) return emit.apply(this, all);
  (response as ServerResponse).writeHead(503, { "content-type": "text/plain" }).end("still warming up\n");
  return true;
};
await startBridge();
