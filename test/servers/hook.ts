import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One post as it arrived. */
export interface Posted {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Hook {
  readonly url: string;
  /** Every post so far, whatever it was answered. */
  readonly posted: readonly Posted[];
  /** Bodies that were answered 2xx, parsed. */
  readonly taken: readonly Record<string, unknown>[];
  /** Answers from now on; default 204. It may leave a post without an answer. */
  answer: (response: ServerResponse, post: Posted) => void;
  close(): Promise<void>;
}

/** A receiver of webhooks, as whoever wants to be told runs it. */
export async function startHook(): Promise<Hook> {
  const posted: Posted[] = [];
  const taken: Record<string, unknown>[] = [];
  const hook: { answer: Hook["answer"] } = { answer: (response) => void response.writeHead(204).end() };
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => {
      body += part;
    });
    request.on("end", () => {
      const post = { headers: request.headers, body };
      posted.push(post);
      hook.answer(response, post);
      if (response.writableEnded && response.statusCode < 300)
        taken.push(JSON.parse(body) as Record<string, unknown>);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(hook, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?team=ai`,
    posted,
    taken,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

/** Whether a post is from who holds the key, as the specification of Standard Webhooks has a receiver check it. */
export function isSignedBy(key: string, { headers, body }: Posted): boolean {
  const secret = Buffer.from(key.replace(/^whsec_/, ""), "base64");
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const expected = createHmac("sha256", secret).update(signed).digest();
  return String(headers["webhook-signature"])
    .split(" ")
    .map((one) => one.split(","))
    .some(([version, text = ""]) => {
      const given = Buffer.from(text, "base64");
      return version === "v1" && given.length === expected.length && timingSafeEqual(given, expected);
    });
}
