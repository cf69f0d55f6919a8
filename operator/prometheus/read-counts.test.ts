import { describe, expect, it } from "vitest";
import { METRICS } from "../../contract/metrics.ts";
import type { PrometheusClient } from "./client.ts";
import type { QueryResult } from "./problems.ts";
import { type CountReader, readBaseline, readIntervals } from "./read-counts.ts";
import type { Series } from "./response.ts";
import type { IntervalQuery } from "./source.ts";

const T0 = 1_700_000_000_000;
const query: IntervalQuery = {
  namespace: "ai",
  bridge: "chat",
  canary: "new",
  stable: "old",
  fromMs: T0,
  toMs: T0 + 60_000,
  intervalMs: 10_000,
  readyPods: ["a", "b"],
};

/** Requests of a pod: one every second, a sample every 5 s up to `untilS`. */
function requests(pod: string, revision: string, untilS: number, fromS = 0): Series {
  return {
    labels: { __name__: METRICS.requests, route: "chat", cache: "miss", pod, revision },
    samples: Array.from({ length: Math.floor((untilS - fromS) / 5) + 1 }, (_, index) => ({
      atMs: T0 + (fromS + index * 5) * 1000,
      value: 1000 + fromS + index * 5,
    })),
  };
}

/** The counter of failed requests of the same pod, which is there from the start. */
function withoutErrors({ labels, samples }: Series): Series {
  const { cache: _, ...rest } = labels;
  return {
    labels: { ...rest, __name__: METRICS.errors, domain: "bridge" },
    samples: samples.map(({ atMs }) => ({ atMs, value: 0 })),
  };
}

/** Answers as a source that holds these series would: ranges are left open, the last sample before a moment is asked for apart. */
function holding(
  series: readonly Series[],
  refuse: (rangeMs: number) => QueryResult | undefined = () => undefined,
) {
  const asked: { rangeMs: number; atMs: number }[] = [];
  const all = [...series, ...series.map(withoutErrors)];
  const client: PrometheusClient = {
    async query(expression, atMs) {
      const rangeMs = Number(/\[(\d+)ms\]/.exec(expression)?.[1]);
      const last = expression.startsWith("last_over_time");
      if (!last) asked.push({ rangeMs, atMs });
      const refused = last ? undefined : refuse(rangeMs);
      if (refused !== undefined) return refused;
      return {
        ok: true,
        series: all
          .map(({ labels, samples }) => {
            const inside = samples.filter((sample) => sample.atMs > atMs - rangeMs && sample.atMs <= atMs);
            return { labels, samples: last ? inside.slice(-1) : inside };
          })
          .filter(({ samples }) => samples.length > 0),
      };
    },
    close: async () => undefined,
  };
  const reader: CountReader = {
    client,
    labels: { namespace: "namespace", pod: "pod" },
    matchers: [],
    sourceLagMs: 0,
  };
  return { reader, asked };
}

const tooLarge = (rangeMs: number, most: number): QueryResult | undefined =>
  rangeMs > most ? { ok: false, problem: "TooLarge", message: "too long" } : undefined;

describe("readIntervals", () => {
  it("counts the intervals that every ready pod has been scraped after", async () => {
    const { reader } = holding([requests("a", "new", 50), requests("b", "old", 34)]);
    const reading = await readIntervals(reader, query);
    expect(reading).toMatchObject({ kind: "ok", value: { throughMs: T0 + 30_000, waitingFor: [] } });
    expect(reading.kind === "ok" && reading.value.intervals).toEqual(
      [10_000, 20_000, 30_000].map((ms) => ({
        endMs: T0 + ms,
        signals: {
          errors: { canary: { requests: 10, bad: 0, pods: 1 }, stable: { requests: 10, bad: 0, pods: 1 } },
        },
      })),
    );
  });

  it("waits for a ready pod without samples, and says for which", async () => {
    const { reader } = holding([requests("a", "new", 50)]);
    expect(await readIntervals(reader, query)).toEqual({
      kind: "ok",
      value: { intervals: [], throughMs: T0, waitingFor: ["b"], readableMs: T0 + 60_000 },
    });
  });

  it("waits as long as the source lags behind", async () => {
    const { reader } = holding([requests("a", "new", 60), requests("b", "old", 60)]);
    const reading = await readIntervals({ ...reader, sourceLagMs: 25_000 }, query);
    expect(reading).toMatchObject({
      kind: "ok",
      value: { throughMs: T0 + 30_000, readableMs: T0 + 35_000 },
    });
  });

  it("asks nothing before an interval can be over", async () => {
    const { reader, asked } = holding([]);
    const reading = await readIntervals(reader, { ...query, toMs: T0 + 9_999 });
    expect(reading).toEqual({
      kind: "ok",
      value: { intervals: [], throughMs: T0, waitingFor: [], readableMs: T0 + 9_999 },
    });
    expect(asked).toEqual([]);
  });

  it("has no data where no pod has samples", async () => {
    const { reader } = holding([]);
    expect(await readIntervals(reader, query)).toMatchObject({ kind: "failing", reason: "NoData" });
  });

  it("counts at most 240 intervals a call, and all of them in several", async () => {
    const day = { ...query, toMs: T0 + 6_000_000 };
    const { reader } = holding([requests("a", "new", 6000), requests("b", "old", 6000)]);
    const first = await readIntervals(reader, day);
    if (first.kind !== "ok") throw new Error(first.message);
    expect(first.value.intervals).toHaveLength(240);
    const second = await readIntervals(reader, { ...day, fromMs: first.value.throughMs });
    if (second.kind !== "ok") throw new Error(second.message);
    const all = [...first.value.intervals, ...second.value.intervals];
    expect(all.reduce((sum, { signals }) => sum + (signals.errors?.canary.requests ?? 0), 0)).toBe(
      all.length * 10,
    );
    expect(new Set(all.map(({ endMs }) => endMs)).size).toBe(all.length);
  });

  /** Reads on until nothing more is counted. */
  async function readOn(
    reader: CountReader,
    from: IntervalQuery,
  ): Promise<{ throughMs: number; requests: number }> {
    let [throughMs, requests] = [from.fromMs, 0];
    for (;;) {
      const reading = await readIntervals(reader, { ...from, fromMs: throughMs });
      if (reading.kind !== "ok") throw new Error(reading.message);
      if (reading.value.throughMs === throughMs) return { throughMs, requests };
      throughMs = reading.value.throughMs;
      for (const { signals } of reading.value.intervals) requests += signals.errors?.canary.requests ?? 0;
    }
  }

  it("goes on after a gap in the samples that is longer than one call reads", async () => {
    const late = { ...query, toMs: T0 + 10_000_000 };
    const { reader } = holding(
      ["a", "b"].flatMap((pod) => [requests(pod, "new", 15), requests(pod, "new", 10_000, 9_000)]),
    );
    expect((await readOn(reader, late)).throughMs).toBe(late.toMs);
  });

  it("does not wait in the past for a pod that was not there yet", async () => {
    const late = { ...query, toMs: T0 + 10_000_000 };
    const { reader } = holding([requests("a", "new", 10_000), requests("b", "old", 10_000, 9_900)]);
    expect(await readOn(reader, late)).toEqual({ throughMs: late.toMs, requests: 10_000 });
  });

  it("stays behind for a pod that is never scraped", async () => {
    const late = { ...query, toMs: T0 + 10_000_000 };
    const { reader } = holding([requests("a", "new", 10_000)]);
    expect((await readOn(reader, late)).throughMs).toBe(late.toMs - 2_520_000);
  });

  it("asks for less where the answer is too long", async () => {
    const series = [requests("a", "new", 6000), requests("b", "old", 6000)];
    const { reader, asked } = holding(series, (rangeMs) => tooLarge(rangeMs, 300_000));
    const reading = await readIntervals(reader, { ...query, toMs: T0 + 6_000_000 });
    expect(reading.kind === "ok" && reading.value.intervals.length).toBe(15);
    expect(asked.map(({ rangeMs }) => rangeMs)).toEqual([2_520_000, 720_000, 270_000]);
  });

  it("fails where even one interval is too long", async () => {
    const { reader } = holding([], (rangeMs) => tooLarge(rangeMs, 0));
    expect(await readIntervals(reader, query)).toEqual({
      kind: "failing",
      reason: "SourceFailing",
      message: "too long",
    });
  });

  it("fails with the source", async () => {
    const { reader } = holding([], () => ({ ok: false, problem: "Timeout", message: "did not answer" }));
    expect(await readIntervals(reader, query)).toEqual({
      kind: "failing",
      reason: "SourceFailing",
      message: "did not answer",
    });
    expect(await readBaseline(reader, query)).toEqual({
      kind: "failing",
      reason: "SourceFailing",
      message: "did not answer",
      isTooMuch: true,
    });
  });

  it("goes on by what it sees where no pod is ready", async () => {
    const { reader } = holding([requests("a", "new", 22)]);
    expect(await readIntervals(reader, { ...query, readyPods: [] })).toMatchObject({
      kind: "ok",
      value: { throughMs: T0 + 20_000 },
    });
  });
});

describe("readBaseline", () => {
  it("measures stable over the whole of its intervals", async () => {
    const { reader } = holding([requests("b", "old", 60)]);
    const reading = await readBaseline(reader, { ...query, fromMs: T0 + 5_000 });
    expect(reading).toMatchObject({ kind: "ok", value: { errors: { requests: 50, bad: 0 } } });
  });

  it("knows nothing of a version without samples, which is no failure", async () => {
    const { reader } = holding([]);
    expect(await readBaseline(reader, query)).toMatchObject({
      kind: "ok",
      value: { errors: { requests: 0, rateUpper: 1 } },
    });
    expect(await readBaseline(reader, { ...query, toMs: T0 })).toMatchObject({ kind: "ok" });
  });

  it("looks back less far where the answer is too long", async () => {
    const { reader, asked } = holding([requests("b", "old", 6000)], (rangeMs) =>
      tooLarge(rangeMs, 2_000_000),
    );
    expect(await readBaseline(reader, { ...query, toMs: T0 + 6_000_000 })).toMatchObject({
      kind: "ok",
      value: { errors: { requests: 1500 } },
    });
    expect(asked.map(({ rangeMs }) => rangeMs)).toEqual([6_000_000, 1_500_000]);
  });

  const aLot = { ...query, toMs: T0 + 6_000_000 };
  const no = (problem: "TooMuch" | "Timeout" | "Refused") => ({ ok: false, problem, message: "no" }) as const;
  it.each([
    ["is refused for the limits of the source", "TooMuch", [6_000_000, 1_500_000, 380_000], 380],
    ["takes too long", "Timeout", [6_000_000, 380_000], 380],
  ] as const)("looks back less far where the query %s", async (_, problem, ranges, known) => {
    const { reader, asked } = holding([requests("b", "old", 6000)], (rangeMs) =>
      rangeMs > 1_000_000 ? no(problem) : undefined,
    );
    expect(await readBaseline(reader, aLot)).toMatchObject({
      kind: "ok",
      value: { errors: { requests: known } },
    });
    expect(asked.map(({ rangeMs }) => rangeMs)).toEqual(ranges);
  });

  it.each([
    ["TooMuch", [6_000_000, 1_500_000, 380_000, 100_000, 30_000, 10_000]],
    ["Timeout", [6_000_000, 380_000]],
  ] as const)(
    "says that the past cannot be read where no shorter query is answered: %s",
    async (problem, ranges) => {
      const { reader, asked } = holding([], () => no(problem));
      expect(await readBaseline(reader, aLot)).toMatchObject({ kind: "failing", isTooMuch: true });
      expect(asked.map(({ rangeMs }) => rangeMs)).toEqual(ranges);
    },
  );

  it("asks no second time where a shorter query would be answered no better", async () => {
    const { reader, asked } = holding([], () => no("Refused"));
    const reading = await readBaseline(reader, aLot);
    expect(reading).toMatchObject({ kind: "failing" });
    expect(reading).not.toHaveProperty("isTooMuch");
    expect(asked).toHaveLength(1);
  });
});
