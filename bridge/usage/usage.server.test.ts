import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../test/servers/postgres.ts";
import { createMetrics, type Metrics } from "../metrics/registry.ts";
import { usageRecord as record } from "../testing/usage.ts";
import { createUsage, type Usage, type UsageOptions } from "./usage.ts";

let server: PostgresServer;
let watcher: Client;
let folder = "";
const open: Usage[] = [];

beforeAll(async () => {
  server = await startPostgres();
  await watch();
});
afterAll(async () => {
  await watcher.end().catch(() => undefined);
  await server.stop();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "usage-"));
  await writeFile(join(folder, "url"), server.url);
  await watcher.query("drop table if exists llmbridge_usage");
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((usage) => usage.close()));
  await rm(folder, { recursive: true });
});

async function watch(): Promise<void> {
  watcher = new Client({ connectionString: server.url });
  watcher.on("error", () => undefined);
  await watcher.connect();
}

function pod(options: Partial<UsageOptions> = {}): { usage: Usage; metrics: Metrics } {
  const metrics = createMetrics({ bridge: "b", revision: "r" });
  const usage = createUsage({
    metrics,
    log: pino({ level: "silent" }),
    bridge: "ns/b",
    revision: "r1",
    urlFile: join(folder, "url"),
    connections: 2,
    flushEveryMs: 20,
    pollMs: 20,
    ...options,
  });
  open.push(usage);
  return { usage, metrics };
}

async function rows(): Promise<number> {
  const exists = await watcher.query("select to_regclass('llmbridge_usage') is not null as found");
  if (!exists.rows[0].found) return 0;
  return Number((await watcher.query("select count(*) as n from llmbridge_usage")).rows[0].n);
}

/** Connections of bridges as the server counts them. */
async function connections(): Promise<number> {
  const found = await watcher.query(
    "select count(*) as n from pg_stat_activity where application_name = 'llmbridge'",
  );
  return Number(found.rows[0].n);
}

async function counted(metrics: Metrics, result: string): Promise<number> {
  return (await metrics.usageRecords.get()).values.find(({ labels }) => labels.result === result)?.value ?? 0;
}

describe("createUsage", () => {
  it("writes every field of a record", async () => {
    const { usage } = pod({ wallClock: () => Date.UTC(2030, 0, 2) });
    usage.record({ ...record, tenant: "nul\0tenant" });
    await expect.poll(rows).toBe(1);
    const { rows: found } = await watcher.query("select * from llmbridge_usage");
    expect(found[0]).toMatchObject({
      at: new Date(Date.UTC(2030, 0, 2)),
      bridge: "ns/b",
      revision: "r1",
      tenant: "nultenant",
      route: "chat",
      model: "m",
      upstream: "main",
      prompt_tokens: "12",
      completion_tokens: "34",
      status: 200,
      duration_ms: 56.5,
      cache: "miss",
    });
  });

  it("makes the table when many pods start at once", async () => {
    const pods = Array.from({ length: 8 }, () => pod({ connections: 1 }));
    for (const { usage } of pods) usage.record(record);
    await expect.poll(rows, { timeout: 10_000 }).toBe(8);
    for (const { metrics } of pods) expect(await counted(metrics, "dropped")).toBe(0);
  });

  it("never opens more connections than allowed, and closes those above a lower limit before it resolves", async () => {
    const { usage, metrics } = pod({ connections: 4, batchSize: 10, flushEveryMs: 1 });
    let highest = 0;
    for (let i = 0; i < 2_000; i++) {
      usage.record(record);
      if (i % 100 === 0) highest = Math.max(highest, await connections());
    }
    await expect.poll(rows, { timeout: 10_000 }).toBe(2_000);
    expect(highest).toBeGreaterThan(1);
    expect(highest).toBeLessThanOrEqual(4);
    for (let i = 0; i < 500; i++) usage.record(record);
    await usage.resize(1);
    expect(usage.stats().pool).toMatchObject({ limit: 1 });
    expect(usage.stats().pool.size).toBeLessThanOrEqual(1);
    await expect.poll(connections, { interval: 5, timeout: 200 }).toBeLessThanOrEqual(1);
    await usage.resize(0);
    usage.record(record);
    await expect.poll(connections, { interval: 5, timeout: 200 }).toBe(0);
    await usage.resize(2);
    await expect.poll(rows, { timeout: 10_000 }).toBe(2_501);
    expect(await counted(metrics, "dropped")).toBe(0);
    expect(await metrics.registry.metrics()).toMatch(/llmbridge_pool_limit\{pool="postgres",.*\} 2/);
  });

  it("keeps records while Postgres is away, drops above the bound, and writes the rest once it is back", async () => {
    const { usage, metrics } = pod({ maxQueued: 100 });
    usage.record(record);
    await expect.poll(rows).toBe(1);
    await server.kill();
    for (let i = 0; i < 150; i++) usage.record(record);
    expect(await counted(metrics, "dropped")).toBe(50);
    await server.start();
    await watch();
    await expect.poll(rows, { timeout: 20_000 }).toBe(101);
    // A row is to be read a moment before its writer has heard of the commit.
    await expect.poll(() => counted(metrics, "written")).toBe(101);
  });

  it("survives the loss of a connection in the middle of a write, and writes nothing twice", async () => {
    const { usage, metrics } = pod();
    usage.record(record);
    await expect.poll(rows).toBe(1);
    const blocker = new Client({ connectionString: server.url });
    await blocker.connect();
    await blocker.query("begin; lock table llmbridge_usage in access exclusive mode");
    usage.record(record);
    await expect.poll(() => usage.stats().writing).toBe(1);
    const active = "application_name = 'llmbridge' and wait_event_type = 'Lock'";
    const kill = `select pg_terminate_backend(pid) from pg_stat_activity where ${active}`;
    await expect.poll(async () => (await watcher.query(kill)).rowCount).toBe(1);
    await expect.poll(() => usage.stats().queued).toBe(1);
    await blocker.query("commit");
    await blocker.end();
    await expect.poll(rows, { timeout: 10_000 }).toBe(2);
    await expect.poll(() => counted(metrics, "written")).toBe(2);
  });

  it("does not hold a request up while Postgres hangs, and close() gives up in time", async () => {
    const { usage, metrics } = pod({ closeWithinMs: 300 });
    usage.record(record);
    await expect.poll(rows).toBe(1);
    await server.pause();
    try {
      const startMs = performance.now();
      for (let i = 0; i < 1_000; i++) usage.record(record);
      expect(performance.now() - startMs).toBeLessThan(100);
      await usage.close();
      expect(performance.now() - startMs).toBeLessThan(3_000);
      expect(await counted(metrics, "dropped")).toBe(1_000);
    } finally {
      await server.resume();
    }
  });

  it("writes what is queued before it closes", async () => {
    const { usage, metrics } = pod({ flushEveryMs: 60_000 });
    await expect.poll(() => usage.stats().pool.limit).toBe(2);
    for (let i = 0; i < 700; i++) usage.record(record);
    await usage.close();
    expect(await rows()).toBe(700);
    expect(await counted(metrics, "written")).toBe(700);
    await expect.poll(connections).toBe(0);
  });

  it("moves to the address that the file names now", async () => {
    const { usage } = pod();
    usage.record(record);
    await expect.poll(rows).toBe(1);
    await watcher.query("create database moved");
    const there = new Client({ connectionString: server.url.replace(/postgres$/, "moved") });
    await there.connect();
    try {
      await writeFile(join(folder, "url"), server.url.replace(/postgres$/, "moved"));
      await expect
        .poll(
          async () => {
            usage.record(record);
            const found = await there.query("select to_regclass('llmbridge_usage') is not null as found");
            return found.rows[0].found;
          },
          { timeout: 10_000 },
        )
        .toBe(true);
    } finally {
      await there.end();
    }
  });
});
