import { describe, expect, it } from "vitest";
import { createMetrics } from "../metrics/registry.ts";
import type { CacheKey } from "./key.ts";
import { createMemoryTier } from "./memory.ts";

const answer = (bytes: number) => ({
  status: 200,
  contentType: "application/json",
  body: Buffer.alloc(bytes, 1),
});
const key = (name: string) => name as CacheKey;

function tier(maxBytes: number, ttlMs = 1_000) {
  const clock = { ms: 1 };
  const metrics = createMetrics({ bridge: "b", revision: "r" });
  return { clock, metrics, memory: createMemoryTier({ metrics, maxBytes, ttlMs, now: () => clock.ms }) };
}

describe("createMemoryTier", () => {
  it("returns what was stored until its time is over", async () => {
    const { memory, clock } = tier(1e6, 1_000);
    memory.set(key("a"), answer(10));
    clock.ms += 999;
    expect(memory.get(key("a"))?.body).toEqual(Buffer.alloc(10, 1));
    clock.ms += 2;
    await new Promise((resolve) => setImmediate(resolve)); // lru-cache reads its clock once per millisecond
    await expect.poll(() => memory.get(key("a"))).toBeUndefined();
  });

  it("keeps an answer that was stored elsewhere before for what is left of its time", async () => {
    const { memory, clock } = tier(1e6, 1_000);
    memory.set(key("a"), answer(10), 100);
    clock.ms += 99;
    expect(memory.get(key("a"))).toBeDefined();
    memory.resize(2e6);
    clock.ms += 2;
    await expect.poll(() => memory.get(key("a"))).toBeUndefined();
  });

  it("stays within its bytes by dropping what was used least recently", () => {
    const { memory } = tier(10_000);
    for (const name of ["a", "b", "c", "d"]) memory.set(key(name), answer(1_700));
    memory.get(key("a"));
    memory.set(key("e"), answer(1_700));
    expect(memory.stats().bytes).toBeLessThanOrEqual(10_000);
    expect(memory.get(key("a"))).toBeDefined();
    expect(memory.get(key("b"))).toBeUndefined();
  });

  it("does not keep an answer that would push out most others", () => {
    const { memory } = tier(10_000);
    memory.set(key("a"), answer(5_000));
    expect(memory.get(key("a"))).toBeUndefined();
  });

  it("keeps the answers used last when it shrinks, all when it grows, none at 0", () => {
    const { memory } = tier(10_000);
    for (const name of ["a", "b", "c", "d"]) memory.set(key(name), answer(500));
    memory.resize(4_000);
    expect(memory.stats()).toMatchObject({ maxBytes: 4_000 });
    expect(memory.stats().bytes).toBeLessThanOrEqual(4_000);
    expect(memory.get(key("d"))).toBeDefined();
    memory.resize(20_000);
    expect(memory.get(key("d"))).toBeDefined();
    memory.resize(0);
    memory.set(key("x"), answer(1));
    expect(memory.get(key("x"))).toBeUndefined();
    expect(memory.stats()).toEqual({ entries: 0, bytes: 0, maxBytes: 0 });
  });

  it("does not keep a large buffer alive for a small slice of it", () => {
    const { memory } = tier(1e6);
    memory.set(key("a"), { ...answer(0), body: Buffer.alloc(65_536).subarray(0, 100) });
    expect(memory.get(key("a"))?.body.buffer.byteLength).toBe(100);
  });

  it("counts hits and misses, bytes and entries", async () => {
    const { memory, metrics } = tier(1e6);
    memory.set(key("a"), answer(10));
    memory.get(key("a"));
    memory.get(key("b"));
    const text = await metrics.registry.metrics();
    expect(text).toMatch(/llmbridge_cache_lookups_total\{tier="memory",result="hit",.*\} 1/);
    expect(text).toMatch(/llmbridge_cache_lookups_total\{tier="memory",result="miss",.*\} 1/);
    expect(text).toMatch(/llmbridge_cache_entries\{.*\} 1/);
  });
});
