import { resolve } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Model, startModel } from "../../model/server.ts";
import { type BridgeProcess, type BridgeProcessOptions, startBridgeProcess } from "../../servers/bridge.ts";

let model: Model;
const running: BridgeProcess[] = [];
beforeAll(async () => {
  model = await startModel({ knobs: { delayMs: 5 } });
});
afterAll(() => model.close());
afterEach(async () => {
  await Promise.all(running.splice(0).map((bridge) => bridge.stop(0)));
});

async function version(name: string, options: Partial<BridgeProcessOptions> = {}): Promise<BridgeProcess> {
  const entry = resolve(import.meta.dirname, `${name}.ts`);
  const bridge = await startBridgeProcess({ upstreamUrl: `${model.url}/v1`, entry, ...options });
  running.push(bridge);
  return bridge;
}

let asked = 0;
async function ask(bridge: BridgeProcess, model = "m"): Promise<number> {
  asked += 1;
  const body = JSON.stringify({ model, messages: [{ role: "user", content: `question ${asked}` }] });
  const response = await fetch(`${bridge.url}/v1/chat/completions`, { method: "POST", body });
  await response.arrayBuffer();
  return response.status;
}

function sum(metrics: string, series: RegExp): number {
  const lines = metrics.split("\n").filter((line) => series.test(line));
  return lines.reduce((total, line) => total + Number(line.split(" ").at(-1)), 0);
}

describe("the bad versions", () => {
  it("errors: fails 5 % of requests by the bridge's own fault", async () => {
    const bridge = await version("errors");
    const statuses: number[] = [];
    for (let i = 0; i < 100; i++) statuses.push(await ask(bridge));
    expect(statuses.filter((status) => status === 200)).toHaveLength(95);
    const metrics = await bridge.metrics();
    expect(sum(metrics, /^llmbridge_request_errors_total\{.*domain="bridge"/)).toBe(5);
    expect(sum(metrics, /^llmbridge_request_errors_total\{.*domain="(client|upstream)"/)).toBe(0);
  });

  it("errors: is well until it is asked for the model that makes it bad", async () => {
    const bridge = await version("errors", { env: { BAD_FROM_MODEL: "bad", BAD_ERROR_SHARE: "0.5" } });
    const statuses: number[] = [];
    for (const model of ["m", "m", "m", "bad", "m", "m"]) statuses.push(await ask(bridge, model));
    expect(statuses).toEqual([200, 200, 200, 200, 500, 200]);
  });

  it("slow: its first byte is late by 100 ms in its own histogram", async () => {
    const bridge = await version("slow");
    for (let i = 0; i < 5; i++) expect(await ask(bridge)).toBe(200);
    const metrics = await bridge.metrics();
    expect(sum(metrics, /^llmbridge_first_byte_seconds_bucket\{.*le="0.1"/)).toBe(0);
    expect(sum(metrics, /^llmbridge_first_byte_seconds_count/)).toBe(5);
  });

  it("crash: ends with status 1 and says why", async () => {
    await expect(version("crash")).rejects.toThrow(/exited with 1 .*Cannot find module/);
  });

  it("heap: serves, then V8 ends it", async () => {
    const bridge = await version("heap", {
      env: { BAD_AFTER_MS: "300" },
      nodeOptions: ["--max-old-space-size=96"],
    });
    expect(await ask(bridge)).toBe(200);
    await bridge.exited;
    expect(bridge.lastLines.join("\n")).toMatch(/FATAL ERROR: .*heap out of memory/);
  });

  it("killed: grows outside the heap", async () => {
    const bridge = await version("killed", { env: { BAD_AFTER_MS: "0" } });
    const resident = async () => sum(await bridge.metrics(), /^process_resident_memory_bytes/) / 2 ** 20;
    await expect.poll(resident, { timeout: 10_000 }).toBeGreaterThan(300);
    expect(sum(await bridge.metrics(), /^llmbridge_heap_used_bytes/) / 2 ** 20).toBeLessThan(100);
  });

  it("unready: answers requests but never its readiness probe", async () => {
    const bridge = await version("unready");
    expect(await ask(bridge)).toBe(200);
    expect((await fetch(`${bridge.adminUrl}/readyz`)).status).toBe(503);
    expect((await fetch(`${bridge.adminUrl}/livez`)).status).toBe(200);
    expect((await fetch(`${bridge.url}/health`)).status).toBe(503);
  });

  it("memory: needs at least half as much again as the bridge itself", async () => {
    const [good, bad] = await Promise.all([
      startBridgeProcess({ upstreamUrl: `${model.url}/v1` }),
      version("memory"),
    ]);
    running.push(good);
    const resident = async (bridge: BridgeProcess) =>
      sum(await bridge.metrics(), /^process_resident_memory_bytes/);
    await expect
      .poll(async () => (await resident(bad)) / (await resident(good)), { timeout: 10_000 })
      .toBeGreaterThan(1.5);
  });
});
