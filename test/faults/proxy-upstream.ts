import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request as forward } from "node:https";
import { readCredentials } from "../../operator/kube/credentials.ts";
import { loadKubeConfig } from "../../operator/kube/kubeconfig.ts";

export interface Upstream {
  readonly url: URL;
  /** What tells the server who asks, where that is not a certificate. */
  readonly headers: Readonly<Record<string, string>>;
  readonly agent: Agent;
}

/** Reads where the server of a kubeconfig is, and what it wants to see. */
export async function readUpstream(kubeconfigPath: string): Promise<Upstream> {
  const { origin, headers, tls } = await readCredentials(loadKubeConfig({ kubeconfig: kubeconfigPath }));
  return { url: new URL(origin), headers, agent: new Agent({ keepAlive: true, ...tls }) };
}

/** @param path what is asked for in the place of what the client asked for */
export async function passOn(
  upstream: Upstream,
  message: IncomingMessage,
  body: Buffer,
  path = message.url,
): Promise<IncomingMessage> {
  const { url, headers, agent } = upstream;
  const sent = forward({
    host: url.hostname,
    port: url.port,
    method: message.method,
    path,
    agent,
    headers: {
      ...headers,
      ...pick(message.headers, "content-type", "user-agent"),
      accept: inWords(message.headers.accept),
      ...(body.length > 0 ? { "content-length": body.length } : {}),
    },
  });
  sent.end(body);
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  return answer;
}

/** What is passed on event by event has to be read: of the forms that the client takes, the server is asked for JSON. */
const inWords = (accept = "application/json"): string =>
  accept
    .split(",")
    .filter((form) => !form.includes("protobuf"))
    .join(",");

export function pick(
  headers: IncomingMessage["headers"],
  ...names: readonly string[]
): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]])),
  );
}

export async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
