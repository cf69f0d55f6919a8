import type { IncomingHttpHeaders } from "node:http";
import { type OutboundConnections, openConnections } from "./connections.ts";
import { CredentialError, readSecretLine } from "./credential-file.ts";
import { readKeys, signatureHeaders } from "./signature.ts";
import type { TlsFiles } from "./tls-files.ts";

export interface SignedPostOptions {
  readonly url?: string | undefined;
  /** File that holds the URL, where the URL itself is the secret. */
  readonly urlFile?: string | undefined;
  /** File of the keys that sign. */
  readonly secretFile?: string | undefined;
  readonly tls?: TlsFiles | undefined;
  /** @throws RangeError where the text is no URL that may be posted to */
  readonly urlOf: (text: string) => URL;
  readonly connections: number;
  /** For connecting, for the head of an answer, and between two parts of its body. */
  readonly timeoutMs: number;
  /** Longest answer that is read. */
  readonly maxBytes: number;
}

export interface Message {
  /** The same however often it is sent. */
  readonly id: string;
  readonly contentType: string;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** To be read to its end, so that the connection can be used again; rejects where it is longer than `maxBytes`. */
  text(): Promise<string>;
}

/** Posts to one URL, signed as Standard Webhooks say. Files are read for every post, so that what was rotated is used at once. Redirects are not followed. */
export interface SignedPost {
  /**
   * @throws CredentialError or RangeError where the files or the URL cannot be used, with a message for people; anything else is the connection's or
   * the signal's
   */
  send(message: Message, nowMs: number, signal: AbortSignal): Promise<Answer>;
  /** Ends every connection at once. */
  close(): Promise<void>;
}

export function createSignedPost(options: SignedPostOptions): SignedPost {
  const { tls, connections: most, timeoutMs, maxBytes } = options;
  let open: { readonly href: string; readonly connections: OutboundConnections } | undefined;

  const connectionsTo = (url: URL): OutboundConnections => {
    if (open?.href === url.href) return open.connections;
    void open?.connections.destroy();
    const connections = openConnections({ url, tls, connections: most, timeoutMs, maxBytes });
    open = { href: url.href, connections };
    return connections;
  };

  return {
    async send({ id, contentType, body }, nowMs, signal) {
      const { url: given = "", urlFile, secretFile } = options;
      const url = options.urlOf(urlFile === undefined ? given : await readSecretLine(urlFile, "urlFile"));
      const keys = secretFile === undefined ? [] : await readKeys(secretFile);
      const agent = await connectionsTo(url).current();
      const answer = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: "POST",
        headers: { "content-type": contentType, ...signatureHeaders(keys, id, body, nowMs) },
        body,
        signal,
      });
      return {
        status: answer.statusCode,
        headers: answer.headers,
        text: () => answer.body.text(),
      };
    },
    async close() {
      await open?.connections.destroy();
    },
  };
}

/** Why nothing came of a post, with nothing in it of the URL, a key, or an answer. */
export function postFailure(error: unknown, timeoutMs: number): string {
  if (error instanceof CredentialError || error instanceof RangeError) return error.message;
  if (error instanceof Error && error.name === "TimeoutError")
    return `no answer within ${timeoutMs / 1000} s`;
  const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
  return `no connection${code}`;
}
