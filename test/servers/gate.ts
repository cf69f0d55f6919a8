import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";

export interface Gate {
  readonly url: string;
  /** Paths with queries that came through, and those that did not. */
  readonly passed: readonly string[];
  readonly refused: readonly string[];
  close(): Promise<void>;
}

export interface GateOptions {
  /** Base URL of the server behind it. */
  readonly target: string;
  /** Path in front of the server's own, taken away. */
  readonly prefix: string;
  /** What a request must have, by name in lower case; without them it is answered 401. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A proxy as it stands in front of a shared source: it lets through who names the tenant and shows the token. */
export async function startGate({ target, prefix, headers }: GateOptions): Promise<Gate> {
  const [passed, refused]: [string[], string[]] = [[], []];
  const mayPass = (incoming: IncomingMessage) =>
    incoming.url?.startsWith(`${prefix}/`) === true &&
    Object.entries(headers).every(([name, value]) => incoming.headers[name] === value);
  const server = createServer((incoming, response) => {
    const { url = "", method } = incoming;
    if (!mayPass(incoming)) {
      refused.push(url);
      incoming.resume();
      response.writeHead(401).end("who are you?");
      return;
    }
    passed.push(url);
    const onward = request(`${target}${url.slice(prefix.length)}`, { method, headers: incoming.headers });
    onward.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`,
    passed,
    refused,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
