import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { Authority } from "../../test/cluster/pki.ts";
import { question } from "./testing/questions.ts";
import { createWebhook, type Webhook, type WebhookSettings } from "./webhook.ts";

/** What the resolver says of `evals.example`, which is nobody's. */
const addresses = vi.hoisted(() => ({ now: "127.0.0.1" }));
vi.mock("node:dns", async (original) => {
  const dns = await original<typeof import("node:dns")>();
  const lookup = (name: string, options: object, done: (error: null, found: object[]) => void): void => {
    if (name !== "evals.example") return void dns.lookup(name, options, done as never);
    done(null, [{ address: addresses.now, family: addresses.now.includes(":") ? 6 : 4 }]);
  };
  return { ...dns, lookup };
});

let folder = "";
let authority: Authority;
const opened: Webhook[] = [];
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "llmbridge-webhook-"));
  authority = new Authority(folder);
  await authority.create();
  await authority.issue({ name: "server", user: "evals", addresses: ["DNS:evals.example", "IP:127.0.0.1"] });
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
  await Promise.all(ends.splice(0).map((end) => end()));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** An HTTPS server of the test; how often it was asked, and its port. */
async function serve(answer: RequestListener) {
  const [cert, key] = await Promise.all(
    ["server.crt", "server.key"].map((file) => readFile(authority.path(file))),
  );
  const asked: string[] = [];
  const server = createServer({ cert, key }, (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { asked, port: (server.address() as AddressInfo).port };
}

const ask = (
  settings: Partial<WebhookSettings>,
  timeoutMs = 5_000,
  signal = new AbortController().signal,
) => {
  const webhook = createWebhook(
    { name: "evals", tls: { caFile: authority.path("ca.crt") }, ...settings },
    Date.now,
  );
  opened.push(webhook);
  return webhook.ask(question(), 1, timeoutMs, signal);
};

const passes: RequestListener = (_, response) => void response.end(JSON.stringify({ verdict: "pass" }));

describe("a webhook over https", () => {
  it("is asked where its certificate is one of the authority's, and not otherwise", async () => {
    const { asked, port } = await serve(passes);
    const url = `https://127.0.0.1:${port}/gate?team=ai`;
    expect(await ask({ url })).toEqual({ kind: "Passed", reason: "" });
    expect(asked).toEqual(["POST /gate?team=ai"]);
    expect(await ask({ url, tls: undefined })).toMatchObject({
      kind: "Error",
      reason: expect.stringMatching(/^no connection \([A-Z_]+\)$/),
    });
    expect(asked).toHaveLength(1);
  });

  it.each(["127.0.0.1", "169.254.169.254", "::ffff:169.254.169.254", "::1", "0.0.0.0", "64:ff9b::a9fe:a9fe"])(
    "is not dialled where its name has come to mean %s",
    async (address) => {
      const { asked, port } = await serve(passes);
      addresses.now = address;
      expect(await ask({ url: `https://evals.example:${port}/` })).toEqual({
        kind: "Error",
        reason: "no connection",
      });
      expect(asked).toEqual([]);
    },
  );

  it("is not followed where it leads elsewhere", async () => {
    const other = await serve(passes);
    const { port } = await serve((_, response) => {
      response.writeHead(307, { location: `https://127.0.0.1:${other.port}/` }).end('{"verdict": "pass"}');
    });
    expect(await ask({ url: `https://127.0.0.1:${port}/` })).toEqual({
      kind: "Error",
      reason: "HTTP status 307",
    });
    expect(other.asked).toEqual([]);
  });

  it("is not listened to for longer than the answer may be", async () => {
    const { port } = await serve((_, response) => {
      response.write('{"verdict": "pass", "reason": "');
      const more = setInterval(() => response.write("x".repeat(32 * 1024)), 1);
      response.on("close", () => clearInterval(more));
    });
    expect(await ask({ url: `https://127.0.0.1:${port}/` })).toEqual({
      kind: "Error",
      reason: "an answer of more than 64 KiB",
    });
  });

  it.each<[string, RequestListener]>([
    ["says nothing", () => undefined],
    ["begins and does not end", (_, response) => void response.write('{"verdict":')],
  ])("that %s has until its time is over", async (_, answer) => {
    const { port } = await serve(answer);
    expect(await ask({ url: `https://127.0.0.1:${port}/` }, 1_000)).toEqual({
      kind: "Error",
      reason: "no answer within 1 s",
    });
  });

  it("is given up at once when nobody wants to know any more", async () => {
    const { asked, port } = await serve(() => undefined);
    const given = new AbortController();
    const asking = ask({ url: `https://127.0.0.1:${port}/` }, 60_000, given.signal);
    await expect.poll(() => asked).toHaveLength(1);
    given.abort();
    expect((await asking).kind).toBe("Error");
  });

  it("with a key that is no key says how to make one, and asks nobody", async () => {
    const { asked, port } = await serve(passes);
    const secretFile = authority.path("ca.crt");
    expect(await ask({ url: `https://127.0.0.1:${port}/`, secretFile })).toMatchObject({
      kind: "Error",
      reason: expect.stringContaining("openssl rand -base64 32"),
    });
    expect(asked).toEqual([]);
  });
});
