import { describe, expect, it } from "vitest";
import { METRICS } from "../../contract/metrics.ts";
import { evidenceConfig } from "../evidence/config.ts";
import { judge } from "../evidence/judge.ts";
import { observeInterval } from "../evidence/observe.ts";
import { startEvidence } from "../evidence/state.ts";
import { type CountReader, readBaseline, readIntervals } from "./read-counts.ts";
import type { Series } from "./response.ts";
import type { IntervalQuery } from "./source.ts";

const T0 = 1_700_000_000_000;
const latency = { signal: "FirstByte", objectiveMs: 120 } as const;
const query: IntervalQuery = {
  ...{ namespace: "ai", bridge: "chat", canary: "new", stable: "old" },
  ...{ fromMs: T0, toMs: T0 + 60_000, intervalMs: 10_000, latency, readyPods: ["a", "b"] },
};
const config = evidenceConfig({
  errors: { rollbackAbove: "0.1%", promoteBelow: "1%" },
  latency: {
    ...{ signal: "FirstByte", objective: "120ms", rollbackAbove: "1%", promoteBelow: "3%" },
    dryRun: false,
  },
  ...{ gates: [], falseRollback: "1%", falsePromotion: "5%", interval: "10s" },
});

const BUCKET = `${METRICS.firstByteSeconds}_bucket`;
const COUNT = `${METRICS.firstByteSeconds}_count`;
const NO_BUCKET = `The metric source has no series ${BUCKET}{le="0.12"} of pod a; every pod must export it from its start, and scraping must keep it.`;
const NO_ERRORS = `The metric source has no series ${METRICS.errors}{domain="bridge"} of pod a and others; every pod must export it from its start, and scraping must keep it.`;

/** A pod that serves 100 requests a second, all in time, and is scraped every 5 s, from a minute before T0 on; of each series only from when it is told to be there. */
function pod(name: string, revision: string, fromS: Record<string, number> = {}): Series[] {
  const growth: Record<string, number> = {
    [METRICS.requests]: 500,
    [METRICS.errors]: 0,
    [COUNT]: 500,
    [BUCKET]: 500,
  };
  return Object.entries(growth).map(([series, each]) => ({
    labels: { __name__: series, route: "chat", pod: name, revision },
    samples: Array.from({ length: 25 }, (_, index) => ({
      atMs: T0 - 60_000 + index * 5_000,
      value: 100_000 + index * each,
    })).filter(({ atMs }) => atMs >= T0 + (fromS[series] ?? -60) * 1000),
  }));
}

const NEVER = 3600;

function holding(...pods: Series[][]): CountReader {
  return {
    client: {
      async query(expression, atMs) {
        const rangeMs = Number(/\[(\d+)ms\]/.exec(expression)?.[1]);
        const isLast = expression.startsWith("last_over_time");
        const series = pods.flat().map(({ labels, samples }) => {
          const inside = samples.filter((one) => one.atMs > atMs - rangeMs && one.atMs <= atMs);
          return { labels, samples: isLast ? inside.slice(-1) : inside };
        });
        return { ok: true, series: series.filter(({ samples }) => samples.length > 0) };
      },
      close: async () => undefined,
    },
    labels: { namespace: "namespace", pod: "pod" },
    ...{ matchers: [], sourceLagMs: 0 },
  };
}

async function intervals(reader: CountReader, asked = query) {
  const reading = await readIntervals(reader, asked);
  if (reading.kind !== "ok") throw new Error(reading.message);
  return reading.value.intervals;
}

async function verdicts(reader: CountReader, known = startEvidence(config, {}, T0)) {
  const state = (await intervals(reader)).reduce((at, one) => observeInterval(at, config, one), known);
  return judge(state, config);
}

describe("a series that scraping drops or an image does not export", () => {
  it("is nothing to miss where all are there", async () => {
    const reader = holding(pod("a", "new"), pod("b", "old"));
    expect(await verdicts(reader)).toMatchObject([
      { signal: "errors", category: "ProvedBelow" },
      { signal: "latency", category: "ProvedBelow" },
    ]);
  });

  it.each([
    ["both versions", { [BUCKET]: NEVER }, `${NO_BUCKET.replace("pod a", "pod a and others")}`],
    ["the canary alone", {}, NO_BUCKET],
  ])(
    "says nothing of latency where %s lack the bound, and of errors what it does",
    async (_, old, message) => {
      const reader = holding(pod("a", "new", { [BUCKET]: NEVER }), pod("b", "old", old));
      const [first] = await intervals(reader);
      expect(first?.signals).toMatchObject({ errors: { canary: { requests: 1000, bad: 0 } } });
      expect(first?.signals.latency).toBeUndefined();
      expect(await verdicts(reader)).toMatchObject([
        { signal: "errors", category: "ProvedBelow" },
        { signal: "latency", category: "NoData", message },
      ]);
    },
  );

  it("says nothing of errors where nobody counts them", async () => {
    const none = { [METRICS.errors]: NEVER };
    const reader = holding(pod("a", "new", none), pod("b", "old", none));
    expect(await verdicts(reader)).toMatchObject([
      { signal: "errors", category: "NoData", message: NO_ERRORS },
      { signal: "latency", category: "ProvedBelow" },
    ]);
  });

  it("takes back what was proved good enough while it was there, and nothing that was proved worse", async () => {
    const good = (await intervals(holding(pod("a", "new"), pod("b", "old")))).reduce(
      (at, one) => observeInterval(at, config, one),
      startEvidence(config, {}, T0 - 60_000),
    );
    const before = { ...good, intervalEndMs: T0 };
    const reader = holding(pod("a", "new", { [BUCKET]: NEVER }), pod("b", "old"));
    expect((await verdicts(reader, before))[1]).toMatchObject({ category: "NoData", message: NO_BUCKET });
    const worse = { ...before.signals.latency, worseMost: 100 } as NonNullable<typeof before.signals.latency>;
    const proved = { ...before, signals: { ...before.signals, latency: worse } };
    expect((await verdicts(reader, proved))[1]?.category).toBe("ProvedWorse");
  });

  it("does not count at once what it counted before it could be seen", async () => {
    const late = holding(pod("a", "new", { [METRICS.errors]: 8 }), pod("b", "old"));
    const [first] = await intervals(late);
    expect(first?.signals.errors).toBeUndefined();
    const next = await intervals(late, { ...query, fromMs: T0 + 10_000 });
    expect(next[0]?.signals.errors?.canary).toEqual({ requests: 1000, bad: 0, pods: 1 });
  });

  it("is not missed of a pod that has only just come, of whose scrape the source shows a part so far", async () => {
    const partly = Object.fromEntries(
      [METRICS.requests, METRICS.errors, COUNT, BUCKET].map((name) => [name, 56]),
    );
    const late = pod("c", "new", { ...partly, [METRICS.errors]: NEVER, [BUCKET]: NEVER });
    const reader = { ...holding(pod("a", "new"), pod("b", "old"), late), sourceLagMs: 5_000 };
    const [first] = await intervals(reader);
    expect(first?.signals).toMatchObject({ errors: { canary: { requests: 1000 } }, latency: {} });
    expect(first?.missing).toBeUndefined();
  });

  it("leaves the stable version's past unknown, which is no past without errors", async () => {
    const past = async (...pods: Series[][]) => {
      const reading = await readBaseline(holding(...pods), { ...query, fromMs: T0 });
      return reading.kind === "ok" ? Object.keys(reading.value) : reading;
    };
    expect(await past(pod("b", "old"))).toEqual(["errors", "latency"]);
    expect(await past(pod("b", "old", { [BUCKET]: NEVER }))).toEqual(["errors"]);
    expect(await past(pod("b", "old", { [METRICS.errors]: NEVER }))).toEqual(["latency"]);
  });
});
