import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createMetrics } from "../metrics/registry.ts";
import { type AnswerCache, type CacheKey, createAnswerCache } from "./cache.ts";

/** What the fake Redis holds; it forgets nothing by itself. */
const stored = new Map<string, Buffer>();

vi.mock("ioredis", () => ({
  Redis: class extends EventEmitter {
    status = "ready";
    async connect(): Promise<void> {}
    async getBuffer(key: string): Promise<Buffer | null> {
      return stored.get(key) ?? null;
    }
    async set(key: string, value: Buffer): Promise<void> {
      stored.set(key, value);
    }
    disconnect(): void {
      this.status = "end";
    }
  },
}));

const TTL_MS = 1_000;
const answer = { status: 200, contentType: "application/json", body: Buffer.from('{"id":1}') };
const key = "k" as CacheKey;
const clock = { ms: 1 };
const open: AnswerCache[] = [];
let folder = "";

beforeEach(() => {
  clock.ms = 1;
  stored.clear();
  folder = mkdtempSync(join(tmpdir(), "cache-"));
  writeFileSync(join(folder, "url"), "redis://r");
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((cache) => cache.close()));
  rmSync(folder, { recursive: true });
});

/** A pod that is connected to the Redis which all of them share. */
async function pod(ttlMs = TTL_MS): Promise<AnswerCache> {
  const cache = createAnswerCache({
    metrics: createMetrics({ bridge: "b", revision: "r" }),
    log: pino({ level: "silent" }),
    scope: "ns/b",
    maxBytes: 1e6,
    ttlMs,
    redis: { urlFile: join(folder, "url"), connections: 1 },
    now: () => clock.ms,
    clock: () => clock.ms,
  });
  open.push(cache);
  await expect.poll(() => cache.stats().redis?.connected).toBe(true);
  return cache;
}

describe("an answer that another pod stored", () => {
  it("is not reused after its time, however late it was read", async () => {
    const [one, two] = [await pod(), await pod()];
    one.set(key, answer);
    clock.ms += TTL_MS - 100;
    expect(await two.get(key)).toMatchObject(answer);
    stored.clear();
    clock.ms += 99;
    expect(await two.get(key)).toMatchObject(answer);
    clock.ms += 2;
    await expect.poll(() => two.get(key)).toBeUndefined();
  });

  it("is not reused for longer than this version allows, whatever the one that stored it did", async () => {
    const [one, two] = [await pod(10 * TTL_MS), await pod()];
    one.set(key, answer);
    clock.ms += TTL_MS;
    expect(await two.get(key)).toBeUndefined();
    expect(await one.get(key)).toMatchObject(answer);
  });
});
