import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CONFIG_VERSION, type RuntimeConfig } from "../../contract/config.ts";
import { METRICS } from "../../contract/metrics.ts";
import { type RunningBridge, runBridge } from "../testing/bridge.ts";
import { completion, type Model, startModel } from "../testing/model.ts";
import { createRuntimeState } from "./runtime.ts";

function numbers(generation: number): RuntimeConfig {
  return {
    version: CONFIG_VERSION,
    generation,
    postgresConnections: 0,
    redisConnections: 0,
    httpConnections: {},
    idleHttpConnections: 1,
    workers: 0,
    cacheBytes: 0,
    maxConnectionAgeMs: 0,
    maxAgentConnectionAgeMs: 0,
    drain: { settleMs: 0, deadlineMs: 0 },
  };
}

describe("createRuntimeState", () => {
  it("confirms a generation when all parts have applied it", async () => {
    const confirmed: number[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const state = createRuntimeState({
      first: numbers(1),
      parts: [() => undefined, () => promise],
      onConfirmed: (generation) => confirmed.push(generation),
      onError: () => undefined,
    });
    const applied = state.apply(numbers(2));
    await Promise.resolve();
    expect(confirmed).toEqual([]);
    resolve();
    await applied;
    expect(confirmed).toEqual([2]);
  });

  it("never confirms one that a newer one overtook", async () => {
    const confirmed: number[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const state = createRuntimeState({
      first: numbers(1),
      parts: [(runtime) => (runtime.generation === 2 ? promise : undefined)],
      onConfirmed: (generation) => confirmed.push(generation),
      onError: () => undefined,
    });
    const second = state.apply(numbers(2));
    await state.apply(numbers(3));
    resolve();
    await second;
    expect(confirmed).toEqual([3]);
    expect(state.confirmed).toBe(3);
  });

  it("does not confirm what a part could not apply", async () => {
    const problems: string[] = [];
    const state = createRuntimeState({
      first: numbers(1),
      parts: [() => Promise.reject(new Error("no"))],
      onConfirmed: () => undefined,
      onError: (error) => problems.push(error.message),
    });
    await state.apply(numbers(2));
    expect(state.confirmed).toBe(0);
    expect(problems).toEqual(["no"]);
  });
});

describe("the runtime file", () => {
  let model: Model;
  let bridge: RunningBridge;

  beforeEach(async () => {
    model = await startModel(completion("hi"));
    bridge = await runBridge({ upstreams: [{ name: "up", url: model.url }] });
  });
  afterEach(async () => {
    await bridge.close();
    await model.close();
  });

  const generation = () => bridge.metric(METRICS.runtimeGeneration);
  const problem = async (): Promise<string | undefined> => {
    const body = (await (await fetch(`${bridge.adminUrl}/api/status`)).json()) as {
      runtime: { problem?: string };
    };
    return body.runtime.problem;
  };

  it("is in force from the start, and again when kubelet swaps it", async () => {
    expect(await generation()).toBe(1);
    bridge.files.writeRuntime({ generation: 2, cacheBytes: 4096 });
    await expect.poll(generation).toBe(2);
    const stats = (await (await fetch(`${bridge.adminUrl}/api/cache/stats`)).json()) as {
      memory: { maxBytes: number };
    };
    expect(stats.memory.maxBytes).toBe(4096);
  });

  it.each([
    ["{", "runtime.json: not valid JSON"],
    [{ generation: 2, cacheBytes: -1 }, "runtime.json: cacheBytes: "],
    [{ generation: 2, workers: 3 }, "runtime.json: workers: 3 is above the cap of 0"],
    [{ generation: 2, unknown: 1 } as object, "runtime.json: Unrecognized key"],
  ])("that is wrong (%j) keeps the one before in force and is reported", async (wrong, sentence) => {
    bridge.files.writeRuntime(wrong as Partial<RuntimeConfig> | string);
    await expect.poll(problem).toContain(sentence);
    expect(await generation()).toBe(1);
    const alerts = (await (await fetch(`${bridge.adminUrl}/api/alerts`)).json()) as {
      alerts: { name: string }[];
    };
    expect(alerts.alerts.map((alert) => alert.name)).toContain("runtime-refused");
    bridge.files.writeRuntime({ generation: 3 });
    await expect.poll(generation).toBe(3);
    expect(await problem()).toBeUndefined();
  });
});
