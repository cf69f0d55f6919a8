import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type RedisServer, startRedis } from "../../test/servers/redis.ts";
import { createMetrics, type Metrics } from "../metrics/registry.ts";
import { type AnswerCache, type CacheKey, createAnswerCache } from "./cache.ts";

const answer = { status: 200, contentType: "application/json", body: Buffer.from('{"id":1}') };
let server: RedisServer;
let folder = "";
const open: AnswerCache[] = [];

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cache-"));
  await writeFile(join(folder, "url"), server.url);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((cache) => cache.close()));
  await rm(folder, { recursive: true });
});

function pod(options: { scope?: string; maxBytes?: number } = {}): { cache: AnswerCache; metrics: Metrics } {
  const metrics = createMetrics({ bridge: "b", revision: "r" });
  const cache = createAnswerCache({
    metrics,
    log: pino({ level: "silent" }),
    scope: options.scope ?? "ns/b",
    maxBytes: options.maxBytes ?? 1e6,
    ttlMs: 60_000,
    redis: { urlFile: join(folder, "url"), connections: 1, commandTimeoutMs: 100, pollMs: 20 },
  });
  open.push(cache);
  return { cache, metrics };
}

async function connected(cache: AnswerCache): Promise<void> {
  await expect.poll(() => cache.stats().redis?.connected, { timeout: 10_000 }).toBe(true);
}

function keyFor(cache: AnswerCache, tenant: string, text: string): CacheKey {
  const body = { messages: [{ role: "user", content: text }] };
  const upstream = { name: "u", protocol: "OpenAI", url: "http://u/v1" } as const;
  const key = cache.key({ tenant, route: "chat", upstream, model: "m", body });
  if (key === undefined) throw new Error("not cacheable");
  return key;
}

async function lookups(metrics: Metrics, result: string): Promise<number> {
  const { values } = await metrics.cacheLookups.get();
  return values.find(({ labels }) => labels.tier === "redis" && labels.result === result)?.value ?? 0;
}

/** What was answered without waiting for anything outside of the process. */
const atOnce = <T>(answer: Promise<T>) =>
  Promise.race([answer, new Promise<string>((resolve) => setImmediate(resolve, "it waited"))]);

describe("createAnswerCache with Redis", () => {
  it("lets another pod of the bridge reuse an answer, byte for byte", async () => {
    const [one, two] = [pod(), pod()];
    await Promise.all([connected(one.cache), connected(two.cache)]);
    const key = keyFor(one.cache, "t", "shared");
    expect(await two.cache.get(key)).toBeUndefined();
    one.cache.set(key, answer);
    await expect.poll(() => two.cache.get(key)).toMatchObject(answer);
    expect(await lookups(two.metrics, "hit")).toBe(1);
    await two.cache.get(key); // now from memory
    expect(await lookups(two.metrics, "hit")).toBe(1);
  });

  it("shares nothing between tenants or bridges", async () => {
    const [one, other] = [pod(), pod({ scope: "ns/other" })];
    await Promise.all([connected(one.cache), connected(other.cache)]);
    one.cache.set(keyFor(one.cache, "a", "secret"), answer);
    await expect.poll(() => one.cache.stats().redis?.pendingBytes).toBe(0);
    expect(await one.cache.get(keyFor(one.cache, "b", "secret"))).toBeUndefined();
    expect(await other.cache.get(keyFor(other.cache, "a", "secret"))).toBeUndefined();
  });

  it("costs nothing and counts errors while Redis is dead, and recovers by itself", async () => {
    const { cache, metrics } = pod({ maxBytes: 0 });
    await connected(cache);
    await server.kill();
    await expect.poll(() => cache.stats().redis?.connected).toBe(false);
    for (let i = 0; i < 1_000; i++)
      expect(await atOnce(cache.get(keyFor(cache, "t", `dead ${i}`)))).toBeUndefined();
    cache.set(keyFor(cache, "t", "dead"), answer);
    expect(await lookups(metrics, "error")).toBeGreaterThanOrEqual(1_000);
    await server.start();
    await connected(cache);
    const key = keyFor(cache, "t", "alive");
    cache.set(key, answer);
    await expect.poll(() => cache.get(key)).toMatchObject(answer);
  });

  it("gives up on a Redis that hangs: a few slow look-ups, then none until a probe succeeds", async () => {
    const { cache } = pod({ maxBytes: 0 });
    await connected(cache);
    await server.pause();
    try {
      await Promise.all(Array.from({ length: 20 }, (_, i) => cache.get(keyFor(cache, "t", `slow ${i}`))));
      expect(cache.stats().redis?.circuitOpen).toBe(true);
      expect(await atOnce(cache.get(keyFor(cache, "t", "after")))).toBeUndefined();
    } finally {
      server.resume();
    }
    const key = keyFor(cache, "t", "again");
    await expect
      .poll(
        () => {
          cache.set(key, answer);
          return cache.get(key);
        },
        { timeout: 10_000, interval: 100 },
      )
      .toMatchObject(answer);
  });

  it("takes values it did not write for misses", async () => {
    const { cache, metrics } = pod({ maxBytes: 0 });
    await connected(cache);
    const key = keyFor(cache, "t", "foreign");
    const redis = new Redis(server.url);
    await redis.set(`llmbridge:answer:${key}`, "not ours");
    expect(await cache.get(key)).toBeUndefined();
    expect(await lookups(metrics, "miss")).toBe(1);
    expect(await redis.pttl(`llmbridge:answer:${key}`)).toBe(-1);
    redis.disconnect();
  });

  it("moves to the address that the file names now, over one connection", async () => {
    const next = await startRedis();
    try {
      const { cache } = pod();
      await connected(cache);
      await writeFile(join(folder, "url"), next.url);
      const redis = new Redis(next.url);
      const clients = async () => String(await redis.client("LIST")).match(/name=llmbridge/g)?.length ?? 0;
      await expect.poll(clients, { timeout: 10_000 }).toBe(1);
      await connected(cache);
      await cache.resizeRedis(0);
      await expect.poll(clients).toBe(0);
      await cache.resizeRedis(4);
      await connected(cache);
      expect(await clients()).toBe(1);
      redis.disconnect();
    } finally {
      await next.stop();
    }
  });
});
