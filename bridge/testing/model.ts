import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  /** Resolves when the connection closed before the answer was complete. */
  readonly aborted: Promise<void>;
}

export type Answer = (response: ServerResponse, received: Received) => void;

export interface Model {
  readonly url: string;
  readonly received: Received[];
  readonly server: Server;
  /** Sockets open now. */
  readonly sockets: () => number;
  answer: Answer;
  close(): Promise<void>;
}

/** A model server on loopback whose answers the test writes. */
export async function startModel(answer: Answer): Promise<Model> {
  const received: Received[] = [];
  let sockets = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    response.on("close", () => {
      if (!response.writableFinished) resolve();
    });
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const one: Received = {
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        text: Buffer.concat(chunks).toString(),
        aborted: promise,
      };
      received.push(one);
      model.answer(response, one);
    });
  });
  server.on("connection", (socket) => {
    sockets++;
    socket.on("close", () => sockets--);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const model: Model = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    server,
    sockets: () => sockets,
    answer,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return model;
}

/** An answer of OpenAI's API in one piece. */
export function completion(content: string): Answer {
  return (response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(
      JSON.stringify({
        id: "chatcmpl-1",
        object: "chat.completion",
        created: 1,
        model: "m",
        choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
        usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
      }),
    );
  };
}

/** @param reason Why the model stopped, in the last chunk of an answer. */
export function chunkEvent(content: string, reason: string | null = null): string {
  const choices = [{ index: 0, delta: { content }, finish_reason: reason }];
  return `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices })}\n\n`;
}

export const DONE_EVENT = "data: [DONE]\n\n";

/** A stream of OpenAI's API. */
export function stream(...pieces: (string | Buffer)[]): Answer {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const piece of pieces) response.write(piece);
    response.end();
  };
}
