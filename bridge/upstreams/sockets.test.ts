import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { METRICS } from "../../contract/metrics.ts";
import { type RunningBridge, runBridge } from "../testing/bridge.ts";
import { completion, type Model, startModel } from "../testing/model.ts";

let model: Model;
let bridge: RunningBridge;
let release: () => void;

beforeEach(async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  release = resolve;
  model = await startModel(
    (response, received) => void promise.then(() => completion("hi")(response, received)),
  );
});
afterEach(async () => {
  release();
  await bridge.close();
  await model.close();
});

const post = (): Promise<Response> =>
  fetch(`${bridge.url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ model: "m", messages: [] }),
  });
const pool = (name: string) => bridge.metric(name, { pool: "http-up" });

describe("the sockets to an upstream", () => {
  it("are reused, and counted by whether one was there", async () => {
    release();
    bridge = await runBridge({ upstreams: [{ name: "up", url: model.url }] });
    for (let round = 0; round < 3; round++) await (await post()).text();
    expect(model.sockets()).toBe(1);
    expect(await bridge.metric(METRICS.poolAcquires, { pool: "http-up", result: "miss" })).toBe(1);
    expect(await bridge.metric(METRICS.poolAcquires, { pool: "http-up", result: "hit" })).toBe(2);
    expect(await pool(METRICS.poolIdle)).toBe(1);
  });

  it("are never more than the runtime file allows, and a lower ceiling is confirmed when the surplus is closed", async () => {
    bridge = await runBridge({ upstreams: [{ name: "up", url: model.url }] });
    const answers = Array.from({ length: 4 }, post);
    await expect.poll(() => model.received.length).toBe(4);
    bridge.files.writeRuntime({ generation: 2, httpConnections: { up: 2 } });
    await expect.poll(() => pool(METRICS.poolLimit)).toBe(2);
    const more = Array.from({ length: 2 }, post);
    await expect.poll(() => pool(METRICS.poolWaiting)).toBe(2);
    expect(await bridge.metric(METRICS.runtimeGeneration)).toBe(1);
    expect(model.sockets()).toBe(4);
    release();
    for (const response of await Promise.all([...answers, ...more])) expect(response.status).toBe(200);
    await expect.poll(() => bridge.metric(METRICS.runtimeGeneration)).toBe(2);
    expect(model.sockets()).toBeLessThanOrEqual(2);
  });

  it("serve those who wait when the ceiling rises", async () => {
    bridge = await runBridge({
      upstreams: [{ name: "up", url: model.url }],
      runtime: { httpConnections: { up: 1 } },
    });
    const answers = Array.from({ length: 3 }, post);
    await expect.poll(() => pool(METRICS.poolWaiting)).toBe(2);
    bridge.files.writeRuntime({ generation: 2, httpConnections: { up: 3 } });
    await expect.poll(() => model.received.length).toBe(3);
    expect(await bridge.metric(METRICS.runtimeGeneration)).toBe(2);
    release();
    await Promise.all(answers);
  });

  it("are closed above the number that may be idle", async () => {
    bridge = await runBridge({
      upstreams: [{ name: "up", url: model.url }],
      runtime: { idleHttpConnections: 1 },
    });
    const answers = Array.from({ length: 3 }, post);
    await expect.poll(() => model.sockets()).toBe(3);
    release();
    await Promise.all(answers);
    await expect.poll(() => model.sockets()).toBe(1);
  });
});
