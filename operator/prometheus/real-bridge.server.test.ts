import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type BridgeProcess, startBridgeProcess } from "../../test/servers/bridge.ts";
import { type PrometheusServer, startPrometheus } from "../../test/servers/prometheus.ts";
import { createPrometheusSource } from "./prometheus-source.ts";

let server: PrometheusServer;
let bridge: BridgeProcess;
let source: ReturnType<typeof createPrometheusSource>;
let folder: string;
let token: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "llmbridge-secrets-"));
  token = join(folder, "openai", "token");
  await mkdir(join(folder, "openai"));
  await writeFile(token, "first");
  [server, bridge] = await Promise.all([
    startPrometheus({ scrapeIntervalMs: 200 }),
    startBridgeProcess({ upstreamUrl: "http://127.0.0.1:9", revision: "old", tokenFile: token }),
  ]);
  source = createPrometheusSource({ name: "default", url: server.url, sourceLagMs: 200 });
});
afterAll(async () => {
  await source?.close();
  await Promise.all([server?.stop(), bridge?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

it("reads what a real bridge exports: every gauge of a pod, and each request once", async () => {
  const fromMs = Date.now();
  await server.setTargets([
    { port: Number(new URL(bridge.adminUrl).port), labels: { namespace: "ai", pod: "a" } },
  ]);
  const own = { namespace: "ai", bridge: "test" };
  const fleet = () => source.readFleet({ ...own, atMs: Date.now(), windowMs: 5000 });
  await vi.waitFor(async () => expect((await fleet()).kind).toBe("ok"), { timeout: 20_000, interval: 200 });

  for (let request = 0; request < 25; request++) await (await fetch(`${bridge.url}/v1/models`)).text();
  let throughMs = fromMs;
  let requests = 0;
  const count = (isEnough: () => boolean) =>
    vi.waitFor(
      async () => {
        const reading = await source.readIntervals({
          ...own,
          canary: "new",
          stable: "old",
          fromMs: throughMs,
          toMs: Date.now(),
          intervalMs: 500,
          latency: { signal: "FirstByte", objectiveMs: 120 },
          readyPods: ["a"],
        });
        if (reading.kind !== "ok") throw new Error(reading.message);
        throughMs = reading.value.throughMs;
        for (const { signals } of reading.value.intervals) requests += signals.errors?.stable.requests ?? 0;
        expect(isEnough(), `${requests} requests counted`).toBe(true);
      },
      { timeout: 20_000, interval: 200 },
    );
  await count(() => requests >= 25);
  // Two intervals more show whether any is counted again.
  const afterMs = throughMs + 1000;
  await count(() => throughMs >= afterMs);
  expect(requests).toBe(25);

  const reading = await fleet();
  if (reading.kind !== "ok") throw new Error(reading.message);
  expect(reading.value).toEqual([
    {
      pod: "a",
      revision: "old",
      atMs: expect.any(Number),
      windowMs: expect.any(Number),
      stale: false,
      generation: 1,
      draining: false,
      // Means; a scrape may have met a request.
      inFlight: expect.any(Number),
      inFlightLast: 0,
      inFlightRecent: expect.any(Number),
      capacity: 500,
      openStreams: 0,
      workers: 0,
      workerCap: 0,
      workerQueue: 0,
      elu: expect.any(Number),
      gcShare: expect.any(Number),
      heapAfterMajorShare: expect.any(Number),
      poolHitRate: expect.any(Number),
      secrets: { openai: { sinceMs: expect.any(Number), changes: 0, refused: false } },
      poolWaiting: expect.any(Object),
      poolSize: expect.any(Object),
      poolLimit: expect.any(Object),
      memoryBytes: expect.any(Number),
      cpuCores: expect.any(Number),
      requestsPerSecond: expect.any(Number),
      errorShare: 0,
      messagesPerSecond: 0,
    },
  ]);

  const changedMs = Date.now();
  await writeFile(token, "second");
  await vi.waitFor(
    async () => {
      const later = await fleet();
      const openai = later.kind === "ok" ? later.value[0]?.secrets?.openai : undefined;
      expect(openai).toMatchObject({ changes: 1, refused: false });
      expect(openai?.sinceMs).toBeGreaterThanOrEqual(changedMs);
    },
    { timeout: 20_000, interval: 200 },
  );
});
