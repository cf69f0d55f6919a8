/** What the bridge is measured against: the least that a Node proxy does. Reads the body, dispatches, passes the answer on. */

import type { IncomingHttpHeaders } from "node:http";
import { createServer, type ServerResponse } from "node:http";
import { type Dispatcher, Pool } from "undici";

const pool = new Pool(process.argv[2] ?? "", {
  connections: 50,
  pipelining: 1,
  headersTimeout: 0,
  bodyTimeout: 0,
});

class Answer implements Dispatcher.DispatchHandler {
  readonly response: ServerResponse;

  constructor(response: ServerResponse) {
    this.response = response;
  }

  onRequestStart(): void {}

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    this.response.writeHead(status, {
      "content-type": headers["content-type"] ?? "",
      "content-length": headers["content-length"] ?? "",
    });
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.response.write(chunk);
  }

  onResponseEnd(): void {
    this.response.end();
  }

  onResponseError(): void {
    this.response.destroy();
  }
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    pool.dispatch(
      {
        method: "POST",
        path: request.url ?? "/",
        headers: { "content-type": "application/json" },
        body: Buffer.concat(chunks),
      },
      new Answer(response),
    );
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") process.send?.({ port: address?.port });
});
process.on("disconnect", () => process.exit(0));
