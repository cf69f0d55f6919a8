import { expect, it } from "vitest";
import { METRICS } from "../../contract/metrics.ts";
import type { QueryResult } from "./problems.ts";
import { type CountReader, readIntervals } from "./read-counts.ts";
import type { Series } from "./response.ts";

const T0 = 1_800_000_000_000;
const INTERVAL_MS = 10_000;
const at = (s: number): number => T0 + s * 1_000;

type Points = readonly (readonly [s: number, value: number])[];

function seriesOf(pod: string, revision: string, name: string, points: Points): Series {
  const labels = { __name__: name, namespace: "ai", pod, bridge: "chat", revision, route: "chat" };
  const more =
    name === METRICS.requests ? { cache: "miss" } : name === METRICS.errors ? { domain: "bridge" } : {};
  return { labels: { ...labels, ...more }, samples: points.map(([s, value]) => ({ atMs: at(s), value })) };
}

/** A source as Prometheus is one: the last sample of a range may be no number. */
function reader(all: readonly Series[]): CountReader {
  const query = async (expression: string, atMs: number): Promise<QueryResult> => {
    const rangeMs = Number(/\[(\d+)ms\]/.exec(expression)?.[1]);
    const found = all.map(({ labels, samples }) => {
      const inside = samples.filter((one) => one.atMs > atMs - rangeMs && one.atMs <= atMs);
      return { labels, samples: expression.startsWith("last_over_time") ? inside.slice(-1) : inside };
    });
    const there = found.filter(({ samples }) => samples.length > 0);
    const finite = there.map((one) => ({
      ...one,
      samples: one.samples.filter(({ value }) => Number.isFinite(value)),
    }));
    return {
      ok: true,
      series: finite.filter(({ samples }) => samples.length > 0),
      numberless: finite.filter(({ samples }) => samples.length === 0).map(({ labels }) => labels),
    };
  };
  const client = { query, close: async () => undefined };
  return { client, labels: { namespace: "namespace", pod: "pod" }, matchers: [], sourceLagMs: 0 };
}

/** What the canary is found to have answered in the interval from T0 on; its counter showed these. */
async function counted(points: Points): Promise<number | undefined> {
  const times: Points = points.map(([s]) => [s, T0 / 1_000 - 30]);
  const pods = [
    ["new-1", "new", points],
    [
      "old-1",
      "old",
      [
        [-5, 50],
        [5, 60],
        [15, 60],
      ],
    ],
  ] as const;
  const all = pods.flatMap(([pod, revision, requests]) => [
    seriesOf(pod, revision, "process_start_time_seconds", times),
    seriesOf(pod, revision, METRICS.requests, requests),
    seriesOf(
      pod,
      revision,
      METRICS.errors,
      requests.map(([s]) => [s, 0]),
    ),
  ]);
  const reading = await readIntervals(reader(all), {
    ...{ namespace: "ai", bridge: "chat", canary: "new", stable: "old" },
    ...{ fromMs: T0, toMs: at(20), intervalMs: INTERVAL_MS, readyPods: ["new-1", "old-1"] },
  });
  return reading.kind === "ok" ? reading.value.intervals[0]?.signals.errors?.canary.requests : undefined;
}

it.each([
  [
    "a number",
    [
      [-5, 100],
      [5, 108],
      [15, 108],
    ],
    8,
  ],
  [
    "no number, after one",
    [
      [-9, 100],
      [-5, Number.NaN],
      [5, 108],
      [15, 108],
    ],
    8,
  ],
  [
    "an infinity, after a number",
    [
      [-9, 100],
      [-5, Number.POSITIVE_INFINITY],
      [5, 108],
      [15, 108],
    ],
    8,
  ],
  [
    "no number for longer than is looked back",
    [
      [-400, 100],
      [-5, Number.NaN],
      [5, 108],
      [15, 108],
    ],
    0,
  ],
] as const)(
  "a counter that showed %s before the interval is not counted in full",
  async (_, points, requests) => {
    expect(await counted(points)).toBe(requests);
  },
);
