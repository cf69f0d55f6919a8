import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createMetrics, type Metrics } from "../metrics/registry.ts";
import { runBridge } from "../testing/bridge.ts";
import { startModel } from "../testing/model.ts";
import { type PostgresStub, startPostgresStub } from "../testing/postgres.ts";
import { usageRecord as record } from "../testing/usage.ts";
import { createUsage, type Usage } from "./usage.ts";

let server: PostgresStub;
let folder = "";
let metrics: Metrics;
let usage: Usage;

beforeEach(async () => {
  server = await startPostgresStub();
  folder = await mkdtemp(join(tmpdir(), "usage-"));
  await writeFile(join(folder, "url"), server.url);
  metrics = createMetrics({ bridge: "b", revision: "r" });
  usage = createUsage({
    metrics,
    log: pino({ level: "silent" }),
    bridge: "ns/b",
    revision: "r1",
    urlFile: join(folder, "url"),
    connections: 1,
    flushEveryMs: 5,
    closeWithinMs: 200,
  });
});
afterEach(async () => {
  await usage.close();
  await server.close();
  await rm(folder, { recursive: true });
});

async function counted(result: string): Promise<number> {
  return (await metrics.usageRecords.get()).values.find(({ labels }) => labels.result === result)?.value ?? 0;
}

describe("records that Postgres refuses", () => {
  it.each([
    ["28P01", "the password is being rotated"],
    ["28000", "the account may not sign in"],
    ["3D000", "the database is not there"],
    ["25006", "the server is a standby"],
    ["42501", "a right is missing"],
    ["42703", "a column is missing"],
    ["40P01", "others lock the table"],
    ["53300", "connections are used up"],
    ["57P03", "the server is starting"],
    ["EPIPE", "the connection broke"],
  ])("for %s, since %s, are kept and written later", async (code) => {
    server.refusal = code;
    usage.record(record);
    await expect.poll(() => server.refused).toBe(1);
    await expect.poll(() => usage.stats().writing).toBe(0);
    expect(await counted("dropped")).toBe(0);
    server.refusal = undefined;
    await expect.poll(() => counted("written")).toBe(1);
  });

  it.each(["22P02", "23514"])("for their own fault (%s) are dropped and counted", async (code) => {
    server.refusal = code;
    usage.record(record);
    await expect.poll(() => counted("dropped")).toBe(1);
    expect(usage.stats().queued).toBe(0);
  });
});

describe("a lower ceiling of connections", () => {
  it("is waited for while writes hang, beyond pg's time for a connection", async () => {
    server.hangs = true;
    usage.record(record);
    await expect.poll(() => usage.stats()).toMatchObject({ writing: 1, pool: { size: 1 } });
    const resized = usage.resize(0);
    const outcome = vi.fn();
    resized.then(outcome, outcome);
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    expect(outcome).not.toHaveBeenCalled();
    server.hangs = false;
    await resized;
    expect(usage.stats().pool).toMatchObject({ limit: 0, size: 0 });
  });
});

describe("records whose tokens are still being counted at the end", () => {
  it("are waited for, within the time allowed", async () => {
    const made = Promise.withResolvers<void>();
    const closing = usage.close(made.promise);
    await new Promise((resolve) => setTimeout(resolve, 20));
    usage.record(record);
    made.resolve();
    await closing;
    expect([await counted("written"), await counted("dropped")]).toEqual([1, 0]);
    usage.record(record);
    expect(await counted("dropped")).toBe(1);
  });

  it("are given up after it", async () => {
    await usage.close(new Promise(() => undefined));
    usage.record(record);
    expect([await counted("written"), await counted("dropped")]).toEqual([0, 1]);
  });

  it("are written when the bridge stops right after its last answer", async () => {
    const message = { role: "assistant", content: "an answer whose tokens nobody has counted" };
    const choices = [{ index: 0, message, finish_reason: "stop" }];
    const model = await startModel((response) => {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ choices }));
    });
    const bridge = await runBridge({
      upstreams: [{ url: model.url }],
      postgresUrl: server.url,
      workersCap: 1,
      runtime: { postgresConnections: 1, workers: 1 },
    });
    const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "hello" }] });
    await (await fetch(`${bridge.url}/v1/chat/completions`, { method: "POST", body })).text();
    await bridge.close();
    await model.close();
    expect(server.statements).toContainEqual(expect.stringContaining("insert into llmbridge_usage"));
  });
});
