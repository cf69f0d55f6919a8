import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type MetricTarget, startMetricTarget } from "../../test/servers/metric-target.ts";
import { type PrometheusServer, type ScrapeTarget, startPrometheus } from "../../test/servers/prometheus.ts";
import type { ArmCounts } from "../evidence/counts.ts";
import { createPrometheusSource } from "./prometheus-source.ts";
import type { CountedIntervals, IntervalQuery, MetricSource, Reading } from "./source.ts";

const SCRAPE_MS = 200;
const INTERVAL_MS = 1000;
const LATENCY = { signal: "FirstByte", objectiveMs: 1100 } as const; // judged at 1 s, which Prometheus writes as le="1.0"

/** A bridge of its own for every test: two versions with a pod each, and a third pod that is scraped once it stops failing. */
interface World {
  readonly bridge: string;
  readonly canary: MetricTarget;
  readonly stable: MetricTarget;
  readonly late: MetricTarget;
  /** Names of the two pods that are ready from the start. */
  readonly ready: readonly string[];
}

const WORLDS = 13;
const worlds: World[] = [];
let server: PrometheusServer;
let source: MetricSource & { close(): Promise<void> };
/** Waits for longer than any scrape takes to be stored on a machine with much else to do, so that exact counts can be asked of it. */
let patient: typeof source;

beforeAll(async () => {
  server = await startPrometheus({ scrapeIntervalMs: SCRAPE_MS });
  const options = { name: "default", url: server.url, timeoutMs: 2000 };
  source = createPrometheusSource({ ...options, sourceLagMs: 500 });
  patient = createPrometheusSource({ ...options, sourceLagMs: 1_500 });
  for (let number = 0; number < WORLDS; number++) worlds.push(await startWorld(`chat-${number}`));
  const pods = worlds.flatMap(({ canary, stable, late }) => [canary, stable, late]);
  // Prometheus takes seconds to take over new targets, so all are there from the start; one is scraped by two jobs.
  await server.setTargets([
    ...pods.map((target) => scrape(target, "pods")),
    ...worlds.slice(0, 1).map(({ canary }) => scrape(canary, "again")),
  ]);
  await Promise.all(worlds.flatMap(({ canary, stable }) => [canary.scraped(), stable.scraped()]));
});
afterAll(async () => {
  await Promise.all([source?.close(), patient?.close()]);
  await server?.stop();
  await Promise.all(
    worlds.flatMap(({ canary, stable, late }) => [canary.close(), stable.close(), late.close()]),
  );
});

async function startWorld(bridge: string): Promise<World> {
  const pod = (name: string, revision: string) =>
    startMetricTarget({ pod: `${bridge}-${name}`, bridge, revision });
  const [canary, stable, late] = [await pod("a", "new"), await pod("b", "old"), await pod("c", "new")];
  late.failing = true;
  return { bridge, canary, stable, late, ready: [canary.pod, stable.pod] };
}

function scrape(target: MetricTarget, job: string): ScrapeTarget {
  return { port: target.port, labels: { namespace: "ai", pod: target.pod }, job };
}

/** The first world is scraped by two jobs; every other one belongs to the test that asks for it. */
async function world(number = next++) {
  const own = worlds[number] as World;
  const counted = counter(own.bridge, Date.now());
  // A scrape under way carries a time before the counting began; what is served from here on is in a later one.
  await Promise.all([own.canary.scraped(), own.stable.scraped()]);
  return { ...own, counted };
}
let next = 1;

/** Asks until it is true, at most 20 s. */
function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  return vi.waitFor(async () => expect(await condition()).toBe(true), { timeout: 20_000, interval: 50 });
}

/** Counts the way a controller does: every pass goes on where the last one ended. */
function counter(bridge: string, fromMs: number) {
  const total = { canary: { requests: 0, bad: 0, slow: 0 }, stable: { requests: 0, bad: 0, slow: 0 } };
  const ends: number[] = [];
  let throughMs = fromMs;
  const query = (readyPods: readonly string[]): IntervalQuery => ({
    namespace: "ai",
    bridge,
    canary: "new",
    stable: "old",
    fromMs: throughMs,
    toMs: Date.now(),
    intervalMs: INTERVAL_MS,
    latency: LATENCY,
    readyPods,
  });
  const book = (sum: typeof total.canary, errors: ArmCounts | undefined, latency: ArmCounts | undefined) => {
    sum.requests += errors?.requests ?? 0;
    sum.bad += errors?.bad ?? 0;
    sum.slow += latency?.bad ?? 0;
  };
  const pass = async (readyPods: readonly string[]): Promise<Reading<CountedIntervals>> => {
    const reading = await patient.readIntervals(query(readyPods));
    if (reading.kind !== "ok") return reading;
    for (const { endMs, signals } of reading.value.intervals) {
      ends.push(endMs);
      book(total.canary, signals.errors?.canary, signals.latency?.canary);
      book(total.stable, signals.errors?.stable, signals.latency?.stable);
    }
    throughMs = reading.value.throughMs;
    return reading;
  };
  /** Passes until everything up to now is counted. */
  const untilNow = async (readyPods: readonly string[]) => {
    const nowMs = Date.now();
    await eventually(async () => {
      await pass(readyPods);
      return throughMs >= nowMs;
    });
    return total;
  };
  return { total, ends, pass, untilNow, throughMs: () => throughMs };
}

describe.concurrent("readIntervals against a real Prometheus", () => {
  it("counts exactly what the targets served, on a grid without gaps", async () => {
    const { canary, stable, ready, counted } = await world();
    const fromMs = counted.throughMs();
    for (let burst = 1; burst <= 6; burst++) {
      canary.serve({ requests: 7 * burst, errors: burst, seconds: burst % 2 === 0 ? 0.5 : 2 });
      canary.serve({ requests: 1000, cache: "hit" });
      stable.serve({ requests: 31 * burst, seconds: 1 });
      await Promise.all([canary.scraped(), stable.scraped()]);
      await counted.pass(ready);
    }
    expect(await counted.untilNow(ready)).toEqual({
      canary: { requests: 7 * 21, bad: 21, slow: 7 * (1 + 3 + 5) },
      stable: { requests: 31 * 21, bad: 0, slow: 0 },
    });
    expect(counted.ends).toEqual(counted.ends.map((_, index) => fromMs + (index + 1) * INTERVAL_MS));
  });

  it("loses and doubles nothing when a process restarts, even where its counters have grown past the old ones", async () => {
    const { canary, ready, counted } = await world();
    canary.serve({ requests: 5, errors: 1 });
    await canary.scraped();
    await canary.scraped();
    canary.restart();
    canary.serve({ requests: 9, errors: 2 });
    await canary.scraped();
    expect((await counted.untilNow(ready)).canary).toMatchObject({ requests: 14, bad: 3 });
  });

  it("counts a new pod from its first request on", async () => {
    const { late, ready, counted } = await world();
    await counted.untilNow(ready);
    late.restart();
    late.serve({ requests: 40, errors: 4 });
    late.failing = false;
    await late.scraped();
    expect((await counted.untilNow([...ready, late.pod])).canary).toMatchObject({ requests: 40, bad: 4 });
  });

  it("does not count what a long-running pod served before it was scraped for the first time", async () => {
    const { late, ready, counted } = await world();
    late.startedSeconds = 1_000_000;
    late.serve({ requests: 100_000, errors: 100 });
    late.failing = false;
    await late.scraped();
    await late.scraped();
    late.serve({ requests: 3 });
    await late.scraped();
    expect((await counted.untilNow([...ready, late.pod])).canary).toMatchObject({ requests: 3, bad: 0 });
  });

  it("waits for the samples of every ready pod through a scrape gap, then counts the gap", async () => {
    const { canary, ready, counted } = await world();
    await counted.untilNow(ready);
    canary.failing = true;
    canary.serve({ requests: 50, errors: 5 });
    const heldAtMs = Date.now() + INTERVAL_MS;
    await eventually(async () => {
      await counted.pass(ready);
      return Date.now() > heldAtMs + 2 * INTERVAL_MS;
    });
    expect(counted.throughMs()).toBeLessThanOrEqual(heldAtMs);
    expect(counted.total.canary.requests).toBe(0);
    expect(await counted.pass(ready)).toMatchObject({ kind: "ok", value: { waitingFor: [canary.pod] } });
    canary.failing = false;
    await canary.scraped();
    expect((await counted.untilNow(ready)).canary).toMatchObject({ requests: 50, bad: 5 });
  });

  it("counts what a vanished pod showed, and waits for it no longer", async () => {
    const { canary, stable, counted } = await world();
    canary.serve({ requests: 12, errors: 3 });
    await canary.scraped();
    await canary.scraped();
    await canary.close();
    expect((await counted.untilNow([stable.pod])).canary).toMatchObject({ requests: 12, bad: 3 });
  });

  it("holds on NaN, +Inf and -Inf, and counts when numbers are back", async () => {
    const { canary, ready, counted } = await world();
    for (const shows of ["NaN", "+Inf", "-Inf"] as const) {
      canary.serve({ requests: 8, errors: 2 });
      canary.shows = shows;
      await canary.scraped();
      await canary.scraped();
      canary.shows = undefined;
      await canary.scraped();
    }
    expect((await counted.untilNow(ready)).canary).toMatchObject({ requests: 24, bad: 6 });
  });

  it("counts a pod once that two jobs scrape", async () => {
    const { canary, ready, counted } = await world(0);
    canary.serve({ requests: 21, errors: 1 });
    await canary.scraped();
    await canary.scraped();
    expect((await counted.untilNow(ready)).canary).toMatchObject({ requests: 21, bad: 1 });
  });

  it("has no data for a bridge that nobody scrapes, in another namespace too", async () => {
    const { bridge } = await world();
    for (const [namespace, name] of [
      ["ai", "nobody"],
      ["other", bridge],
      ['ai"} or {namespace="ai', bridge],
    ] as const) {
      const reading = await source.readIntervals({
        namespace,
        bridge: name,
        canary: "new",
        stable: "old",
        fromMs: Date.now() - 10_000,
        toMs: Date.now(),
        intervalMs: INTERVAL_MS,
        readyPods: [],
      });
      expect(reading).toMatchObject({ kind: "failing", reason: "NoData" });
    }
  });
});

describe("readBaseline against a real Prometheus", () => {
  it("measures stable's rate from its own requests", async () => {
    const { bridge, canary, stable } = await world();
    const fromMs = Date.now();
    stable.serve({ requests: 400, errors: 4 });
    canary.serve({ requests: 400, errors: 400 });
    await stable.scraped();
    await stable.scraped();
    const toMs = Date.now();
    const query = {
      namespace: "ai",
      bridge,
      stable: "old",
      fromMs: fromMs - 3000,
      toMs,
      intervalMs: 500,
      latency: LATENCY,
    };
    expect(await source.readBaseline(query)).toMatchObject({
      kind: "ok",
      value: { errors: { requests: 400, bad: 4, rate: 0.01 }, latency: { requests: 400, bad: 0 } },
    });
    expect(await source.readBaseline({ ...query, bridge: "nobody" })).toMatchObject({
      kind: "ok",
      value: { errors: { requests: 0, rateUpper: 1 } },
    });
  });
});

describe.concurrent("readFleet against a real Prometheus", () => {
  it("reads every pod with its gauges, rates and percentiles", async () => {
    const { bridge, canary, stable } = await world();
    for (const [series, value] of Object.entries(GAUGES)) canary.set(series, value);
    await canary.scraped();
    for (let second = 0; second < 4; second++) {
      canary.serve({ requests: 100, errors: 10, seconds: 0.11 });
      await canary.scraped();
      await canary.scraped();
    }
    const reading = await source.readFleet({ namespace: "ai", bridge, atMs: Date.now(), windowMs: 5000 });
    if (reading.kind !== "ok") throw new Error(reading.message);
    expect(reading.value.map(({ pod }) => pod)).toEqual([canary.pod, stable.pod]);
    const [pod] = reading.value;
    expect(pod).toMatchObject({
      revision: "new",
      // Percentiles are over three scrapes or more, whatever was asked for.
      // The least window, and what the source lags.
      windowMs: 45_500,
      stale: false,
      generation: 7,
      inFlight: 12,
      inFlightLast: 12,
      inFlightRecent: 12,
      capacity: 64,
      workers: 2,
      workerCap: 4,
      workerQueue: 3,
      elu: 0.25,
      heapAfterMajorShare: 0.5,
      poolWaiting: { postgres: 2, "redis-cache": 0 },
      memoryBytes: 90_000_000,
    });
    expect(pod?.workerUtilization).toBeCloseTo(0.4, 5);
    expect(pod?.errorShare).toBeCloseTo(0.1, 5);
    expect(pod?.firstByteP95Seconds).toBeGreaterThan(0.1);
    expect(pod?.firstByteP95Seconds).toBeLessThanOrEqual(0.12);
    expect(pod?.requestsPerSecond).toBeGreaterThan(50);
    expect(reading.value[1]?.inFlight).toBeUndefined();
  });

  it("marks a pod stale whose scrapes fail, and says so of a bridge whose pods all are", async () => {
    const { bridge, canary, stable } = await world();
    canary.failing = true;
    const read = (atMs: number) => source.readFleet({ namespace: "ai", bridge, atMs, windowMs: 60_000 });
    await stable.scraped();
    const laterMs = Date.now() + 5500;
    await eventually(() => Date.now() > laterMs);
    expect(await read(Date.now())).toMatchObject({
      kind: "ok",
      value: [
        { pod: canary.pod, stale: true },
        { pod: stable.pod, stale: false },
      ],
    });
    expect(await read(Date.now() + 20_000)).toMatchObject({ kind: "failing", reason: "Stale" });
  });
});

describe("a Prometheus whose clock is two minutes from the operator's", () => {
  it("gives no reading of now, and says where its clock is", async () => {
    const [{ bridge } = { bridge: "" }] = worlds;
    const asOf = (atMs: number) => source.readFleet({ namespace: "ai", bridge, atMs, windowMs: 5000 });
    const stale = (says: string) => ({
      ...{ kind: "failing", reason: "Stale", message: expect.stringContaining(`is ${says} the operator's`) },
    });
    expect(await asOf(Date.now() - 120_000)).toMatchObject(stale("ahead of"));
    expect(await asOf(Date.now() + 120_000)).toMatchObject(stale("behind"));
    expect(await asOf(Date.now())).toMatchObject({ kind: "ok" });
  });
});

describe("a Prometheus in trouble", () => {
  it("fails while Prometheus is away or hangs, and loses nothing over its restart", async () => {
    const { canary, ready, counted } = await world();
    canary.serve({ requests: 5, errors: 1 });
    await canary.scraped();
    await counted.untilNow(ready);
    await server.kill();
    canary.serve({ requests: 6, errors: 2 });
    const away = await source.readIntervals({
      namespace: "ai",
      bridge: "any",
      canary: "new",
      stable: "old",
      fromMs: Date.now() - 10_000,
      toMs: Date.now(),
      intervalMs: INTERVAL_MS,
      readyPods: [],
    });
    expect(away).toMatchObject({
      kind: "failing",
      reason: "SourceFailing",
      message: expect.stringContaining("cannot be reached"),
    });
    await server.start();
    await canary.scraped();
    expect((await counted.untilNow(ready)).canary).toMatchObject({ requests: 11, bad: 3 });
    await server.pause();
    const hung = await source.readFleet({
      namespace: "ai",
      bridge: "any",
      atMs: Date.now(),
      windowMs: 10_000,
    });
    server.resume();
    expect(hung).toMatchObject({
      kind: "failing",
      reason: "SourceFailing",
      message: expect.stringContaining("did not answer"),
    });
  });
});

const GAUGES = {
  "llmbridge_runtime_generation{}": 7,
  "llmbridge_in_flight{}": 12,
  "llmbridge_capacity{}": 64,
  "llmbridge_workers{}": 2,
  "llmbridge_worker_cap{}": 4,
  'llmbridge_worker_utilization{worker="1"}': 0.2,
  'llmbridge_worker_utilization{worker="2"}': 0.6,
  "llmbridge_worker_queue{}": 3,
  'llmbridge_event_loop_utilization{isolate="main"}': 0.25,
  'llmbridge_heap_limit_bytes{isolate="main"}': 200,
  'llmbridge_heap_after_major_gc_bytes{isolate="main"}': 100,
  'llmbridge_pool_waiting{pool="postgres"}': 2,
  'llmbridge_pool_waiting{pool="redis-cache"}': 0,
  "process_resident_memory_bytes{}": 90_000_000,
} as const;
