import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMetrics } from "../metrics/registry.ts";
import type { CacheKey } from "./key.ts";
import { createRedisTier, type RedisTier, type RedisTierOptions } from "./redis.ts";

let folder = "";
/** What clients sent, in Redis' protocol. */
let received = "";
let connections = 0;
/** What the server says to commands of a name in lower case, others succeed; empty: nothing. */
let replies: Record<string, string> = {};
const warnings: string[] = [];
let server: Server;
let tier: RedisTier;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "redis-"));
  received = "";
  connections = 0;
  replies = {};
  warnings.length = 0;
  server = createServer((socket) => {
    connections++;
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      received += data.toString();
      const names = [...data.toString().matchAll(/^\*\d+\r\n\$\d+\r\n(\w+)\r\n/gm)].map(([, name]) => name);
      socket.write(names.map((name) => replies[name?.toLowerCase() ?? ""] ?? "+OK\r\n").join(""));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  await tier.close();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

const address = () => `127.0.0.1:${(server.address() as AddressInfo).port}`;
/** In one step, as Kubernetes puts a Secret in place: the file is read every 10 ms. */
async function hold(url: string): Promise<void> {
  await writeFile(join(folder, "next"), url);
  await rename(join(folder, "next"), join(folder, "url"));
}

function start(options: Partial<RedisTierOptions> = {}): void {
  tier = createRedisTier({
    metrics: createMetrics({ bridge: "b", revision: "r" }),
    log: { info: () => undefined, warn: (...told: unknown[]) => void warnings.push(JSON.stringify(told)) },
    urlFile: join(folder, "url"),
    connections: 1,
    ttlMs: 1_000,
    pollMs: 10,
    now: () => performance.now(),
    clock: Date.now,
    random: () => 0.5,
    ...options,
  });
}

const key = "k" as CacheKey;
const connected = () => expect.poll(() => tier.stats().connected).toBe(true);

describe("createRedisTier", () => {
  it("signs in with a password that holds a % as it is", async () => {
    await hold(`redis://:100%@${address()}`);
    start();
    await expect.poll(() => received).toContain("\r\n100%\r\n");
  });

  it("goes on without a URL that its client does not take, names no secret, and connects when it is corrected", async () => {
    // A query sets options of the client, and this one is to be a class.
    await hold(`redis://:hunter2@${address()}?Connector=x`);
    start();
    await expect.poll(() => warnings).toEqual([expect.stringContaining("does not take this URL")]);
    expect(warnings[0]).not.toContain("hunter2");
    await tier.resize(0);
    await tier.resize(1);
    await hold(`redis://:hunter3@${address()}`);
    await expect.poll(() => received).toContain("hunter3");
  });

  it("leaves a server that has become a replica, and stays where all are", async () => {
    await hold(`redis://${address()}`);
    start();
    await connected();
    replies.set = "-READONLY You can't write against a read only replica.\r\n";
    tier.set(key, { status: 200, contentType: "a/b", storedMs: Date.now(), body: Buffer.from("x") });
    await expect.poll(() => connections).toBe(2);
    await connected();
    tier.set(key, { status: 200, contentType: "a/b", storedMs: Date.now(), body: Buffer.from("x") });
    await expect.poll(() => tier.stats().pendingBytes).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect([connections, tier.stats().connected]).toEqual([2, true]);
  });

  it("leaves a server that has fallen silent while a command waits, and keeps an idle connection", async () => {
    await hold(`redis://${address()}`);
    start({ silenceMs: 200 });
    await connected();
    await tier.get(key);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect([connections, tier.stats().connected]).toEqual([1, true]);
    replies.get = "";
    await tier.get(key);
    await expect.poll(() => connections).toBe(2);
    await connected();
  });
});
