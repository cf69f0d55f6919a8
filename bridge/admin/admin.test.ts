import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type * as z from "zod";
import { PATHS } from "../../contract/endpoints.ts";
import { METRICS, PROCESS_METRICS } from "../../contract/metrics.ts";
import {
  alertsBody,
  cacheStatsBody,
  healthBody,
  optimizationBody,
  poolStatsBody,
  statusBody,
} from "../../contract/status.ts";
import { type RunningBridge, runBridge } from "../testing/bridge.ts";
import { completion, type Model, startModel } from "../testing/model.ts";
import { localAlerts, type Vitals } from "./alerts.ts";
import { recommendations } from "./recommend.ts";

describe("the admin port", () => {
  let model: Model;
  let bridge: RunningBridge;

  beforeEach(async () => {
    model = await startModel(completion("hi"));
    bridge = await runBridge({ upstreams: [{ name: "up", url: model.url, token: "t" }] });
  });
  afterEach(async () => {
    await bridge.close();
    await model.close();
  });

  it.each<[string, z.ZodType]>([
    [PATHS.health, healthBody],
    [PATHS.apiHealth, healthBody],
    [PATHS.live, healthBody],
    [PATHS.ready, healthBody],
    [PATHS.status, statusBody],
    [PATHS.optimization, optimizationBody],
    [PATHS.alerts, alertsBody],
    [PATHS.cacheStats, cacheStatsBody],
    [PATHS.poolStats, poolStatsBody],
  ])("answers %s as the contract says", async (path, schema) => {
    const response = await fetch(`${bridge.adminUrl}${path}`);
    expect(response.status).toBe(200);
    const body: unknown = await response.json();
    expect(schema.parse(body)).toEqual(body);
  });

  it("answers health on the traffic port too", async () => {
    for (const path of [PATHS.health, PATHS.apiHealth]) {
      expect(await (await fetch(`${bridge.url}${path}`)).json()).toEqual({ status: "ok" });
    }
  });

  it("exports every metric of the contract that has a value from the start, under both paths", async () => {
    const later: string[] = [METRICS.workerUtilization, METRICS.workerWaitSeconds, METRICS.workerJobSeconds];
    for (const path of [PATHS.metrics, PATHS.apiMetrics]) {
      const text = await (await fetch(`${bridge.adminUrl}${path}`)).text();
      const series = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
      for (const name of [...Object.values(METRICS), ...Object.values(PROCESS_METRICS)]) {
        if (later.includes(name)) continue;
        expect(
          series.some((line) => line.startsWith(name)),
          name,
        ).toBe(true);
      }
      expect(series.every((line) => line.includes('revision="abc123"'))).toBe(true);
    }
  });

  it("says what this pod is and has done", async () => {
    const body = JSON.stringify({ model: "m", messages: [] });
    await fetch(`${bridge.url}/v1/chat/completions`, { method: "POST", body });
    const status = async () => statusBody.parse(await (await fetch(`${bridge.adminUrl}/api/status`)).json());
    await expect.poll(async () => (await status()).requests.finished).toBe(1);
    expect(await status()).toMatchObject({
      bridge: "chat",
      namespace: "ai",
      revision: "abc123",
      pod: "chat-0",
      state: "ready",
      runtime: { confirmedGeneration: 1, generation: 1 },
      upstreams: [{ name: "up", protocol: "OpenAI", pool: { pool: "http-up", limit: 50, size: 1 } }],
    });
  });

  it("tells of every pool that the bridge has", async () => {
    const nowhere = "127.0.0.1:1";
    const other = await runBridge({
      upstreams: [{ name: "up", url: model.url }],
      cacheTtlMs: 1_000,
      redisUrl: `redis://${nowhere}`,
      postgresUrl: `postgres://${nowhere}/db`,
      runtime: { redisConnections: 1, postgresConnections: 3 },
    });
    const none = { size: 0, idle: 0, waiting: 0 };
    try {
      const { pools } = poolStatsBody.parse(
        await (await fetch(`${other.adminUrl}${PATHS.poolStats}`)).json(),
      );
      expect(pools).toEqual([
        { pool: "http-up", limit: 50, ...none },
        { pool: "postgres", limit: 3, ...none },
        { pool: "redis-cache", limit: 1, ...none },
      ]);
    } finally {
      await other.close();
    }
  });

  it("knows no other path and no other method", async () => {
    expect((await fetch(`${bridge.adminUrl}/other`)).status).toBe(404);
    expect((await fetch(`${bridge.adminUrl}/constructor`)).status).toBe(404);
    expect((await fetch(`${bridge.adminUrl}/metrics`, { method: "POST" })).status).toBe(405);
  });
});

describe("localAlerts", () => {
  const calm: Vitals = {
    heapLimitBytes: 100,
    heapAfterMajorGcBytes: 70,
    gcShare: 0.05,
    eventLoopUtilization: 0.9,
    pools: [{ pool: "http-up", limit: 1, size: 1, idle: 0, waiting: 0 }],
    workersQueued: 1,
    workerThreads: 1,
    runtimeProblem: undefined,
  };

  it("are none at the thresholds themselves", () => {
    expect(localAlerts(calm)).toEqual([]);
  });

  it.each<[Partial<Vitals>, string, string]>([
    [{ heapAfterMajorGcBytes: 71 }, "heap-after-major-gc", "Warning"],
    [{ heapAfterMajorGcBytes: 86 }, "heap-after-major-gc", "Critical"],
    [{ gcShare: 0.06 }, "gc-time-share", "Warning"],
    [{ eventLoopUtilization: 0.91 }, "event-loop-utilization", "Warning"],
    [{ pools: [{ pool: "http-up", limit: 1, size: 1, idle: 0, waiting: 1 }] }, "pool-waiting", "Warning"],
    [{ workersQueued: 2 }, "worker-queue", "Warning"],
    [{ runtimeProblem: "x" }, "runtime-refused", "Warning"],
  ])("above one (%j) name it and say what to do", (vitals, name, severity) => {
    const alerts = localAlerts({ ...calm, ...vitals });
    expect(alerts).toHaveLength(1);
    expect(alerts[0]).toMatchObject({ name, severity });
    expect(alerts[0]?.recommendation).toMatch(/\.$/);
  });

  it("of pools name the pool", () => {
    const pools = ["postgres", "http-up"].map((pool) => ({ pool, limit: 1, size: 1, idle: 0, waiting: 3 }));
    expect(localAlerts({ ...calm, pools }).map((alert) => alert.subject)).toEqual(["postgres", "http-up"]);
  });
});

describe("recommendations", () => {
  const MIB = 1024 * 1024;
  const tuned = { alerts: [], heapLimitBytes: 256 * MIB, containerLimitBytes: 512 * MIB, nodeOptions: "--x" };

  it("are none for a heap that fits its container", () => {
    expect(recommendations(tuned)).toEqual([]);
  });

  it.each([
    [{ heapLimitBytes: 500 * MIB }, "leaves too little"],
    [{ heapLimitBytes: 100 * MIB }, "uses little"],
    [{ nodeOptions: "" }, "No NODE_OPTIONS"],
  ])("name what does not fit (%j)", (change, part) => {
    expect(recommendations({ ...tuned, ...change })).toEqual([expect.stringContaining(part)]);
  });

  it("say nothing of a container where there is none", () => {
    expect(
      recommendations({ ...tuned, containerLimitBytes: undefined, heapLimitBytes: 1, nodeOptions: "" }),
    ).toEqual([]);
  });
});
