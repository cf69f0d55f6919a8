import { describe, expect, it } from "vitest";
import { METRICS } from "../../../contract/metrics.ts";
import { rollout } from "../../api/v1alpha1/rollout.ts";
import { durationMs } from "../../api/v1alpha1/scalars.ts";
import { type CountReader, readIntervals } from "../../prometheus/read-counts.ts";
import { failing, type MetricSource } from "../../prometheus/source.ts";
import { baselineWindowMs, countingMs, readEvidence } from "./evidence.ts";

describe("baselineWindowMs", () => {
  it.each([
    ["5s", 30],
    ["15s", 30],
    ["1m", 120],
  ])(
    "with intervals of %s holds %d minutes: half an hour, and enough intervals to see bursts that last",
    (interval, minutes) => {
      expect(baselineWindowMs(durationMs(interval))).toBe(minutes * 60_000);
    },
  );
});

describe("countingMs", () => {
  it.each([
    ["15s", undefined, 15],
    ["15s", 5_000, 15],
    ["15s", 15_000, 15],
    ["15s", 60_000, 60],
  ])("is of intervals of %s and scrapes every %j ms %d s", (interval, scrapeMs, seconds) => {
    expect(countingMs({ interval }, scrapeMs)).toBe(seconds * 1000);
  });
});

const T0 = 1_700_000_000_000;

/** One pod of each version with ten requests a second, scraped every 30 s: the canary's at 5 s, the stable one's at 20 s of them. */
function scrapedEvery30s(): MetricSource {
  const pod = (name: string, revision: string, metric: string, phaseS: number, perSecond: number) => ({
    labels: { __name__: metric, pod: name, revision },
    samples: Array.from({ length: 12 }, (_, index) => ({
      atMs: T0 + (phaseS + 30 * (index - 2)) * 1000,
      value: 10_000 + 30 * perSecond * index,
    })),
  });
  const all = [METRICS.requests, METRICS.errors].flatMap((metric) => {
    const perSecond = metric === METRICS.requests ? 10 : 0;
    return [pod("a", "new", metric, 5, perSecond), pod("b", "old", metric, 20, perSecond)];
  });
  const reader: CountReader = {
    client: {
      async query(expression, atMs) {
        const rangeMs = Number(/\[(\d+)ms\]/.exec(expression)?.[1]);
        const series = all.map(({ labels, samples }) => {
          const inside = samples.filter((one) => one.atMs > atMs - rangeMs && one.atMs <= atMs);
          return { labels, samples: expression.startsWith("last") ? inside.slice(-1) : inside };
        });
        return { ok: true, series: series.filter(({ samples }) => samples.length > 0) };
      },
      close: async () => undefined,
    },
    labels: { namespace: "namespace", pod: "pod" },
    ...{ matchers: [], sourceLagMs: 0 },
  };
  return {
    ...{ name: "main", scrapeIntervalMs: 30_000 },
    readIntervals: (query) => readIntervals(reader, query),
    readBaseline: async () => failing("NoData", "none"),
    readFleet: async () => failing("NoData", "none"),
  };
}

describe("readEvidence", () => {
  it("compares both versions in every interval, however seldom and at whatever offsets they are scraped", async () => {
    const { analysis } = rollout.parse({ analysis: { interval: "15s" } });
    const found = await readEvidence(scrapedEvery30s(), {
      ...{ namespace: "ai", bridge: "chat", stable: "old", canary: "new", reference: "old", analysis },
      ...{ countedThroughMs: T0, readyPods: ["a", "b"], pastEndMs: T0, nowMs: T0 + 240_000 },
    });
    if (found.kind !== "Intervals" || found.reading.kind !== "ok") throw new Error("no intervals");
    const pairs = found.reading.value.intervals.map(({ signals }) => signals.errors);
    expect(pairs).toHaveLength(7);
    for (const pair of pairs) expect([pair?.canary.requests, pair?.stable.requests]).toEqual([300, 300]);
  });
});
