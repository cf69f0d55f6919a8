import { describe, expect, it } from "vitest";
import { METRICS } from "../../contract/metrics.ts";
import type { PrometheusClient } from "./client.ts";
import { START_METRIC } from "./counting.ts";
import { readIntervals } from "./read-counts.ts";
import { readFleet } from "./read-fleet.ts";
import type { Series } from "./response.ts";

/** By the operator's clock. The canary's evidence begins here, and its pod has just started. */
const T0 = 1_700_000_000_000;
const SCRAPE_S = 5;
const END_S = 600;

interface Clocks {
  /** Seconds that the clock of what scrapes is ahead of the operator's. */
  readonly source?: number;
  /** The same of the clock of the canary's node. */
  readonly node?: number;
  /** When the canary's process starts and when it is scraped for the first time, seconds after T0. */
  readonly startS?: number;
  readonly firstScrapeS?: number;
}

/** A pod that fails one request of ten from its first second on, at ten a second: scraped every 5 s, under the times of the source's clock. */
function pod(name: string, revision: string, startS: number, firstScrapeS: number, clocks: Clocks): Series[] {
  const times: number[] = [];
  for (let atS = firstScrapeS; atS <= END_S; atS += SCRAPE_S) times.push(atS);
  const series = (metric: string, value: (atS: number) => number, labels = {}): Series => ({
    labels: { __name__: metric, pod: name, revision, ...labels },
    samples: times.map((atS) => ({ atMs: T0 + (atS + (clocks.source ?? 0)) * 1000, value: value(atS) })),
  });
  const began = T0 / 1000 + startS + (clocks.node ?? 0);
  return [
    series(START_METRIC, () => began),
    series(METRICS.requests, (atS) => 10 * (atS - startS), { route: "chat", cache: "miss" }),
    series(METRICS.errors, (atS) => atS - startS, { route: "chat", domain: "bridge" }),
  ];
}

/** What there is up to the moment `nowS` of the operator's clock, asked at any. */
function sourceAt(nowS: number, clocks: Clocks) {
  const { startS = -10, firstScrapeS = 3 } = clocks;
  const all = [
    ...pod("a", "new", startS, firstScrapeS, clocks),
    ...pod("b", "old", -3600, firstScrapeS - 600, { source: clocks.source ?? 0 }),
  ];
  const scrapedMs = T0 + (nowS + (clocks.source ?? 0)) * 1000;
  const client: PrometheusClient = {
    async query(expression, atMs) {
      const rangeMs = Number(/\[(\d+)ms\]/.exec(expression)?.[1]);
      const isLast = expression.startsWith("last_over_time");
      const series = all
        .filter(({ labels }) => !expression.includes(`"${START_METRIC}"`) || labels.__name__ === START_METRIC)
        .map(({ labels, samples }) => {
          const inside = samples.filter(
            (one) => one.atMs > atMs - rangeMs && one.atMs <= Math.min(atMs, scrapedMs),
          );
          return { labels, samples: isLast ? inside.slice(-1) : inside };
        })
        .filter(({ samples }) => samples.length > 0);
      return { ok: true, series: expression.startsWith("label_replace") ? [] : series };
    },
    close: async () => undefined,
  };
  return {
    ...{ client, labels: { namespace: "namespace", pod: "pod" }, matchers: [] },
    ...{ sourceLagMs: 1000, scrapeIntervalMs: undefined },
  };
}

const fleetAt = (nowS: number, clocks: Clocks, there: { readonly pods?: string[] } = {}) =>
  readFleet(sourceAt(nowS, clocks), {
    ...{ namespace: "ai", bridge: "chat" },
    ...{ atMs: T0 + nowS * 1000, windowMs: 60_000 },
    ...there,
  });

/** What the canary served, counted by passes every ten seconds. */
async function counted(clocks: Clocks): Promise<{ requests: number; bad: number; throughS: number }> {
  const sum = { requests: 0, bad: 0 };
  let throughMs = T0;
  for (let nowS = 0; nowS <= END_S; nowS += 10) {
    const reading = await readIntervals(sourceAt(nowS, clocks), {
      ...{ namespace: "ai", bridge: "chat", canary: "new", stable: "old" },
      ...{ fromMs: throughMs, toMs: T0 + nowS * 1000, intervalMs: 15_000, readyPods: ["a", "b"] },
    });
    if (reading.kind !== "ok") continue;
    throughMs = reading.value.throughMs;
    for (const { signals } of reading.value.intervals) {
      sum.requests += signals.errors?.canary.requests ?? 0;
      sum.bad += signals.errors?.canary.bad ?? 0;
    }
  }
  return { ...sum, throughS: (throughMs - T0) / 1000 };
}

describe("a source whose clock is not the operator's", () => {
  it.each([
    ["two minutes ahead", 120, "is ahead of the operator's"],
    ["an hour ahead", 3600, "is ahead of the operator's"],
    ["two minutes behind", -120, "is behind the operator's"],
    ["a minute behind", -60, "is behind the operator's"],
  ])("%s is no reading of now, and says why", async (_, source, says) => {
    for (const nowS of [300, 305, 310, 400])
      expect(await fleetAt(nowS, { source, firstScrapeS: -END_S * 10 })).toMatchObject({
        ...{ kind: "failing", reason: "Stale", message: expect.stringContaining(says) },
      });
  });

  it.each([
    // Within the time for which samples are read, and long after it.
    ["a minute ago", -60],
    ["five minutes ago", -300],
  ])("is not suspected where pods that ended %s are all that was ever scraped", async (_, source) => {
    const at = (pods: string[]) => fleetAt(300, { source, firstScrapeS: -END_S * 10 }, { pods });
    const none = { kind: "failing", reason: "NoData", message: expect.stringContaining("that have ended") };
    for (const pods of [["c"], []]) expect(await at(pods)).toMatchObject(none);
    expect(await at(["c", "b"])).toMatchObject({ reason: "Stale" });
  });

  it.each([0, 20, -5])("by %d s does no harm", async (source) => {
    expect(await fleetAt(300, { source })).toMatchObject({ kind: "ok", value: [{ pod: "a" }, { pod: "b" }] });
  });

  it("of whose pods nothing was ever scraped has no data", async () => {
    expect(await fleetAt(300, { source: -7200 })).toMatchObject({ kind: "failing", reason: "NoData" });
  });

  it.each([
    // A sample at each full five seconds and three; the last interval that can be over ends at 585 s.
    ["agrees", 0, -10, 583],
    ["is two minutes ahead: late, and nothing is lost", 120, -10, 463],
    ["is two minutes behind: what came before is not counted, and nothing twice", -120, 118, 583],
  ])("counts each request once where it %s", async (_, source, fromS, toS) => {
    const { requests, bad, throughS } = await counted({ source });
    const lastS = throughS - source - ((throughS - source) % SCRAPE_S) - 2;
    expect(lastS).toBeGreaterThanOrEqual(toS - 15);
    expect({ requests, bad }).toEqual({ requests: 10 * (lastS - fromS), bad: lastS - fromS });
  });
});

describe("a node whose clock is not that of the source", () => {
  it.each([
    ["agrees", 0],
    ["is two minutes slow", -120],
    ["is two minutes fast", 120],
  ])(
    "has every request counted of a process that starts during the rollout, where it %s",
    async (_, node) => {
      const { requests, bad, throughS } = await counted({ node, startS: 200, firstScrapeS: 213 });
      const lastS = throughS - (throughS % SCRAPE_S) - 2;
      expect({ requests, bad }).toEqual({ requests: 10 * (lastS - 200), bad: lastS - 200 });
    },
  );
});
