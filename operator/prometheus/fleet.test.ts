import { describe, expect, it } from "vitest";
import { podReadings } from "./fleet.ts";
import type { Series } from "./response.ts";

const T0 = 1_700_000_000_000;
const LABELS = { namespace: "namespace", pod: "pod" };

function series(
  name: string,
  values: readonly number[],
  labels: Record<string, string> = {},
  stepMs = 5000,
): Series {
  return {
    labels: { __name__: name, pod: "a", revision: "new", instance: "1", ...labels },
    samples: values.map((value, index) => ({ atMs: T0 + index * stepMs, value })),
  };
}
function read(all: readonly Series[], atMs = T0 + 20_000, windowMs = 60_000, lagMs = 0) {
  return podReadings(all, LABELS, { atMs, windowMs, scrapeIntervalMs: undefined, lagMs });
}

describe("podReadings", () => {
  it("averages gauges over the window, the newest seconds apart", () => {
    const [pod] = read([series("llmbridge_in_flight", [10, 10, 20, 30, 50])]);
    expect(pod).toMatchObject({ inFlight: 24, inFlightLast: 50, inFlightRecent: 40, atMs: T0 + 20_000 });
  });

  it("takes the window that was asked for, but no fewer than three scrapes", () => {
    const gauge = series("llmbridge_in_flight", [10, 10, 20, 30, 50]);
    expect(read([gauge], T0 + 20_000, 9000)[0]?.inFlight).toBeCloseTo(100 / 3, 9);
    expect(read([gauge], T0 + 20_000, 20_000)[0]?.inFlight).toBe(110 / 4);
  });

  it("differences counters through a restart", () => {
    const [pod] = read([
      series("llmbridge_requests_total", [100, 150, 10, 30, 40], { route: "chat", cache: "miss" }),
      series("llmbridge_request_errors_total", [5, 10, 1, 1, 1], { route: "chat", domain: "bridge" }),
      series("llmbridge_request_errors_total", [0, 90, 100, 100, 100], { route: "chat", domain: "upstream" }),
      series("llmbridge_messages_total", [0, 100, 0, 60, 60], { direction: "in" }),
      series("process_cpu_seconds_total", [1, 2, 0.5, 1, 1.5]),
      series("llmbridge_gc_seconds_total", [0, 0.1, 0.1, 0.3, 0.4], { isolate: "main", kind: "minor" }),
      series("llmbridge_gc_seconds_total", [0, 5, 10, 15, 20], { isolate: "worker-1", kind: "minor" }),
      series("llmbridge_pool_acquires_total", [0, 9, 9, 9, 9], { pool: "postgres", result: "hit" }),
      series("llmbridge_pool_acquires_total", [0, 1, 1, 1, 1], { pool: "postgres", result: "miss" }),
    ]);
    expect(pod?.requestsPerSecond).toBeCloseTo(90 / 20, 9);
    expect(pod?.errorShare).toBeCloseTo(6 / 90, 9);
    expect(pod?.messagesPerSecond).toBeCloseTo(160 / 20, 9);
    expect(pod?.cpuCores).toBeCloseTo(2.5 / 20, 9);
    expect(pod?.gcShare).toBeCloseTo(0.4 / 20, 9);
    expect(pod?.poolHitRate).toBeCloseTo(0.9, 9);
  });

  it("does not count what a new pod did before its first sample", () => {
    const [pod] = read([
      series("process_cpu_seconds_total", [3, 3.5, 4]),
      series("process_start_time_seconds", [T0 / 1000, T0 / 1000, T0 / 1000]),
    ]);
    expect(pod?.cpuCores).toBeCloseTo(0.1, 9);
  });

  it("leaves out what a pod does not tell, and what one sample cannot", () => {
    const [pod] = read([series("llmbridge_requests_total", [7], { route: "chat", cache: "miss" })]);
    expect(pod).toEqual({
      pod: "a",
      revision: "new",
      atMs: T0,
      windowMs: 60_000,
      stale: false,
      poolWaiting: {},
      poolSize: {},
      poolLimit: {},
    });
  });

  it("reads what a pod tells of each Secret that it mounts", () => {
    const [pod] = read([
      series("llmbridge_secret_read_seconds", [1_700_000_000.5, 1_700_000_009.25], { secret: "openai" }),
      series("llmbridge_secret_changes_total", [0, 1], { secret: "openai" }),
      series("llmbridge_secret_refused", [0, 0], { secret: "openai" }),
      series("llmbridge_secret_changes_total", [0, 0], { secret: "pg" }),
      series("llmbridge_secret_refused", [1, 1], { secret: "pg" }),
    ]);
    expect(pod?.secrets).toEqual({
      openai: { sinceMs: 1_700_000_009_250, changes: 1, refused: false },
      pg: { changes: 0, refused: true },
    });
  });

  it("takes the worst isolate's heap, and only what the newest scrape still had", () => {
    const gone = series("llmbridge_worker_utilization", [0.9, 0.9], { worker: "2" });
    const [pod] = read([
      series("llmbridge_heap_limit_bytes", [100, 100, 100, 100, 100], { isolate: "main" }),
      series("llmbridge_heap_after_major_gc_bytes", [10, 10, 10, 10, 40], { isolate: "main" }),
      series("llmbridge_heap_limit_bytes", [100, 100, 100, 100, 100], { isolate: "worker-1" }),
      series("llmbridge_heap_after_major_gc_bytes", [10, 10, 10, 10, 70], { isolate: "worker-1" }),
      series("llmbridge_worker_utilization", [0.1, 0.1, 0.1, 0.1, 0.1], { worker: "1" }),
      gone,
      series("llmbridge_pool_waiting", [0, 0, 0, 0, 3], { pool: "postgres" }),
    ]);
    expect(pod).toMatchObject({ heapAfterMajorShare: 0.7, poolWaiting: { postgres: 3 } });
    expect(pod?.workerUtilization).toBeCloseTo(0.1, 9);
  });

  it.each([
    ["two scrapes of 5 s", 5000, 10_000, false],
    ["more than two scrapes of 5 s", 5000, 10_001, true],
    ["some seconds late however short the interval", 1000, 5000, false],
    ["more than some seconds", 1000, 5001, true],
  ])("takes samples as stale after %s", (_, stepMs, ageMs, stale) => {
    const gauge = series("llmbridge_in_flight", [1, 1, 1, 1], {}, stepMs);
    expect(read([gauge], T0 + 3 * stepMs + ageMs)[0]?.stale).toBe(stale);
    expect(read([gauge], T0 + 3 * stepMs + ageMs + 30_000, 60_000, 30_000)[0]?.stale).toBe(stale);
  });

  it("lets the newest of a pod's addresses speak", () => {
    const old = series("llmbridge_in_flight", [9, 9], { instance: "0" });
    const now: Series = { ...series("llmbridge_in_flight", []), samples: [{ atMs: T0 + 10_000, value: 2 }] };
    expect(read([old, now]).map(({ inFlightLast }) => inFlightLast)).toEqual([2]);
  });
});
