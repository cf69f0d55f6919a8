import { describe, expect, it } from "vitest";
import { METRICS } from "../../contract/metrics.ts";
import { readMetric } from "../testing/bridge.ts";
import { createLedger } from "./account.ts";
import { watchIsolate } from "./isolate.ts";
import { createMetrics, flushTallies } from "./registry.ts";

function ledgerAnd() {
  const metrics = createMetrics({ bridge: "b", revision: "r" });
  const ledger = createLedger(metrics);
  const read = async (name: string, labels: Record<string, string>) => {
    flushTallies(metrics);
    return readMetric(await metrics.registry.metrics(), name, labels);
  };
  return { metrics, ledger, read };
}

describe("the account of a request", () => {
  it("is counted once, however often it is closed, with its last cache label", async () => {
    const { ledger, read } = ledgerAnd();
    const account = ledger.open("chat");
    expect(ledger.inFlight).toBe(1);
    account.cache = "hit";
    account.close("upstream");
    account.close("client");
    expect(ledger.inFlight).toBe(0);
    expect(await read(METRICS.requests, { route: "chat", cache: "hit" })).toBe(1);
    expect(await read(METRICS.errors, { route: "chat", domain: "upstream" })).toBe(1);
    expect(await read(METRICS.errors, { route: "chat", domain: "client" })).toBe(0);
    expect(await read(`${METRICS.requestSeconds}_count`, { route: "chat", cache: "hit" })).toBe(1);
    expect(ledger.totals).toEqual({ requests: 1, errors: { bridge: 0, upstream: 1, client: 0 } });
  });

  it("does not charge the bridge for the time that the upstream took", async () => {
    const { ledger, read } = ledgerAnd();
    const account = ledger.open("chat");
    account.ready();
    account.sent();
    const until = performance.now() + 30;
    while (performance.now() < until);
    account.firstByte();
    account.upstreamEnd();
    account.replied();
    account.close(undefined);
    const labels = { route: "chat", cache: "off" };
    expect(await read(`${METRICS.requestSeconds}_sum`, labels)).toBeGreaterThanOrEqual(0.03);
    expect(await read(`${METRICS.firstByteSeconds}_sum`, labels)).toBeGreaterThanOrEqual(0.03);
    expect(await read(`${METRICS.addedSeconds}_sum`, labels)).toBeLessThan(0.02);
  });
});

describe("watchIsolate", () => {
  it("reports heap, event loop and every kind of collection from the start", async () => {
    const { metrics, read } = ledgerAnd();
    const watch = watchIsolate(metrics);
    expect(await read(METRICS.heapLimit, { isolate: "main" })).toBeGreaterThan(0);
    expect(await read(METRICS.heapUsed, { isolate: "main" })).toBeGreaterThan(0);
    const minor = () => read(METRICS.gcSeconds, { isolate: "main", kind: "minor" });
    expect(await minor()).toBe(0);
    let kept: unknown[] = [];
    await expect
      .poll(
        async () => {
          kept = Array.from({ length: 200_000 }, (_, index) => ({ index }));
          return kept.length > 0 && ((await minor()) ?? 0) > 0;
        },
        { interval: 10, timeout: 5_000 },
      )
      .toBe(true);
    watch.close();
  });
});
