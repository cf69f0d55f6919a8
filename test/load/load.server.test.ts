import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Model, startModel } from "../model/server.ts";
import { type Balancer, startBalancer } from "../servers/balancer.ts";
import { type BridgeProcess, startBridgeProcess } from "../servers/bridge.ts";
import { type Load, type LoadOptions, startLoad } from "./load.ts";

let model: Model;
let balancer: Balancer | undefined;
const bridges: BridgeProcess[] = [];
let load: Load | undefined;

beforeEach(async () => {
  model = await startModel({ knobs: { delayMs: 10, tokenGapMs: 20 } });
});
afterEach(async () => {
  await load?.stop(0);
  load = undefined;
  await balancer?.close();
  balancer = undefined;
  await Promise.all(bridges.splice(0).map((bridge) => bridge.stop(0)));
  await model.close();
});

async function bridge(revision: string): Promise<BridgeProcess> {
  const started = await startBridgeProcess({ upstreamUrl: `${model.url}/v1`, revision });
  bridges.push(started);
  return started;
}

const portOf = ({ url }: BridgeProcess) => Number(new URL(url).port);

async function twoPods(): Promise<{ one: BridgeProcess; two: BridgeProcess; url: string }> {
  const [one, two] = await Promise.all([bridge("one"), bridge("two")]);
  balancer = await startBalancer([portOf(one), portOf(two)]);
  return { one, two, url: balancer.url };
}

function start(options: Pick<LoadOptions, "url"> & Partial<LoadOptions>): Load {
  load = startLoad({
    rps: 60,
    longStreams: 6,
    longStreamSeconds: 3,
    agents: 4,
    agentEveryMs: 200,
    timeoutMs: 5_000,
    ...options,
  });
  return load;
}

async function sent(running: Load, count: number): Promise<void> {
  await expect.poll(() => running.snapshot().finished, { timeout: 20_000 }).toBeGreaterThan(count);
}

/** Requests that the model was asked. */
const asked = () => Object.values(model.stats.requests).reduce((sum, count) => sum + count, 0);

/**
 * Breaks every connection while the server has all chats that were sent and no answer is about to come: what is on its way then, in either direction,
 * is lost indeed. Where there is no such moment within a second, the answers come, and another one is looked for.
 */
async function breakWhileAnswersAreFar(running: Load): Promise<void> {
  const { timeToFirstTokenMs } = model.knobs;
  for (;;) {
    model.set({ timeToFirstTokenMs: 3_000 });
    const answeredSoon = asked();
    const until = performance.now() + 1_000;
    while (performance.now() < until) {
      const { sent, finished } = running.snapshot();
      if (asked() === sent && finished === answeredSoon && sent > finished) {
        balancer?.breakAll();
        model.set({ timeToFirstTokenMs });
        return;
      }
      await delay(5);
    }
    model.set({ timeToFirstTokenMs });
    const waiting = asked();
    await expect.poll(() => running.snapshot().finished).toBeGreaterThanOrEqual(waiting);
  }
}

describe("startLoad", () => {
  it("reports every kind of request by version, and sends none twice", async () => {
    const { url } = await twoPods();
    const running = start({ url, repeatShare: 0 });
    await sent(running, 150);
    const report = await running.stop();
    expect(report.samples).toEqual([]);
    expect(report).toMatchObject({ failed: 0, cut: 0, unfinished: 0 });
    expect(report.ok).toBe(report.sent);
    for (const kind of ["chat", "stream", "longStream", "embeddings", "agent"] as const) {
      expect(report.kinds[kind]?.ok, kind).toBeGreaterThan(0);
    }
    for (const version of ["one", "two"]) {
      expect(report.versions[version]?.lastStartMs).toBeGreaterThan(report.startedMs);
      expect(report.versions[version]?.latencyMs.p50).toBeGreaterThan(10);
    }
    expect(asked()).toBe(report.sent);
  });

  it("reports failed and cut requests when a pod is killed, and blames that pod", async () => {
    const { one, two, url } = await twoPods();
    const running = start({ url });
    await sent(running, 100);
    one.signal("SIGKILL");
    await one.exited;
    await expect.poll(() => running.snapshot().failed, { timeout: 10_000 }).toBeGreaterThan(10);
    balancer?.setBackends([portOf(two)]);
    const report = await running.stop();
    expect(report.cut).toBeGreaterThan(0);
    expect(report.versions.one?.cut).toBeGreaterThan(0);
    expect(report.versions.two).toMatchObject({ failed: 0, cut: 0 });
    expect(report.kinds.longStream?.cut).toBeGreaterThan(0);
    expect(report.kinds.socket?.cut).toBeGreaterThan(0);
  });

  it("reports no failure when a pod is drained, and when that pod took its last request", async () => {
    const { one, two, url } = await twoPods();
    const running = start({ url });
    await sent(running, 100);
    one.signal("SIGTERM");
    balancer?.setBackends([portOf(two)]);
    const drainedMs = running.snapshot().atMs;
    await one.exited;
    const exitedMs = running.snapshot().atMs;
    await sent(running, running.snapshot().finished + 30);
    const report = await running.stop();
    expect(report.samples).toEqual([]);
    expect(report).toMatchObject({ failed: 0, cut: 0 });
    expect(report.askedToReconnect).toBeGreaterThan(0);
    expect(report.versions.one?.lastStartMs).toBeLessThan(exitedMs);
    expect(report.versions.two?.lastStartMs).toBeGreaterThan(drainedMs);
  });

  it("counts a socket that broke as cut, and goes on with its chats where the server still has them", async () => {
    const one = await bridge("one");
    balancer = await startBalancer([portOf(one)]);
    const running = start({ url: balancer.url, rps: 0, longStreams: 0, agents: 3, agentEveryMs: 100 });
    await sent(running, 20);
    await breakWhileAnswersAreFar(running);
    await expect.poll(() => running.snapshot().cut).toBe(3);
    await sent(running, running.snapshot().finished + 30);
    const report = await running.stop();
    expect(report.kinds.agent).toMatchObject({ failed: 0, cut: 0 });
    expect(report.reasons).toEqual({ "socket closed 1006": 3 });
  });

  it("tells failed answers from cut ones", async () => {
    const { url } = await bridge("one");
    model.set({ errorShare: 0.2, midStreamResetShare: 0.5 });
    const running = start({ url, agents: 0, longStreams: 0, rps: 100, repeatShare: 0 });
    await sent(running, 150);
    const report = await running.stop();
    expect(report.reasons["status 500"]).toBeGreaterThan(10);
    expect(report.kinds.chat?.cut).toBe(0);
    expect(report.kinds.stream?.cut).toBeGreaterThan(3);
    expect(report.cut).toBe(report.kinds.stream?.cut);
  });

  it("counts a stall of the server as latency of all that was due meanwhile", async () => {
    const one = await bridge("one");
    const running = start({ url: one.url, agents: 0, longStreams: 0, rps: 100 });
    await sent(running, 50);
    const before = running.snapshot();
    await one.pause();
    await expect.poll(() => running.snapshot().sent - before.sent, { timeout: 10_000 }).toBeGreaterThan(60);
    one.resume();
    await sent(running, before.finished + 100);
    const report = await running.stop();
    expect(report).toMatchObject({ failed: 0 });
    expect(report.kinds.chat?.latencyMs.max).toBeGreaterThan(400);
    expect(report.kinds.chat?.latencyMs.p90).toBeGreaterThan(150);
  });

  it("changes its rate while it runs", async () => {
    const one = await bridge("one");
    const running = start({ url: one.url, agents: 0, longStreams: 0, rps: 0 });
    running.setRate(200);
    await sent(running, 100);
    running.setRate(0);
    await expect.poll(() => running.snapshot().sent - running.snapshot().finished).toBe(0);
    expect((await running.stop()).failed).toBe(0);
  });

  it("reports refused connections as failed, not cut", async () => {
    const one = await bridge("one");
    await one.stop(0);
    const running = start({ url: one.url, longStreams: 1, agents: 1 });
    await sent(running, 20);
    const report = await running.stop();
    expect(report).toMatchObject({ ok: 0, cut: 0 });
    expect(report.reasons).toMatchObject({
      refused: expect.any(Number),
      "socket refused": expect.any(Number),
    });
  });

  it("finds an answer that belongs to another question", async () => {
    const stranger = createServer((_request, response) => response.end('{"choices":[]}'));
    await new Promise<void>((resolve) => stranger.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
      const running = start({ url, agents: 0, longStreams: 0, streamShare: 0, embeddingShare: 0 });
      await sent(running, 10);
      const report = await running.stop();
      expect(report.reasons["answer to another question"]).toBe(report.finished);
    } finally {
      stranger.closeAllConnections();
      stranger.close();
    }
  });

  it("does not use a connection again that has been idle for too long", async () => {
    let connections = 0;
    const server = createServer((_request, response) => response.end("{}"));
    server.on("connection", () => connections++);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const mix = {
        freshShare: 0,
        streamShare: 0,
        embeddingShare: 0,
        verifyEcho: false,
        agents: 0,
        longStreams: 0,
      };
      const reusing = start({ url, ...mix, rps: 50, idleReuseMs: 3_000 });
      await sent(reusing, 30);
      await reusing.stop();
      expect(connections).toBeLessThan(10);
      connections = 0;
      const closing = start({ url, ...mix, rps: 10, idleReuseMs: 1 });
      await sent(closing, 10);
      await closing.stop();
      expect(connections).toBeGreaterThan(8);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
