import { describe, expect, it } from "vitest";
import { type Demand, isBurst, loadForGrowth, loadForShrinking, podsNeeded, readDemand } from "./demand.ts";
import { joinReadings, type PodReading } from "./reading.ts";

const NOW = 1_000_000;

function pod(over: Partial<PodReading> = {}): PodReading {
  return {
    pod: "p",
    revision: "r",
    ready: true,
    atMs: NOW - 5_000,
    inFlight: 5,
    capacity: 10,
    elu: 0.1,
    ...over,
  };
}

function known(...pods: PodReading[]): Demand {
  const demand = readDemand(pods, NOW);
  if (demand.kind === "Missing") throw new Error("demand is missing");
  return demand;
}

describe("readDemand", () => {
  it("adds up ready pods only", () => {
    expect(known(pod(), pod({ inFlight: 7 }), pod({ ready: false, inFlight: 100 }))).toMatchObject({
      ready: 2,
      known: 2,
      streams: 12,
      recentStreams: 12,
      capacity: 10,
    });
  });

  it.each<[string, Partial<PodReading>]>([
    ["never scraped", { atMs: undefined, inFlight: undefined, capacity: undefined }],
    ["scraped long ago", { atMs: NOW - 30_001 }],
    ["called stale by the source", { stale: true }],
    ["NaN", { inFlight: Number.NaN }],
    ["negative", { inFlight: -1 }],
    ["infinite", { inFlight: Number.POSITIVE_INFINITY }],
    ["without capacity", { capacity: undefined }],
    ["of no capacity", { capacity: 0 }],
  ])("knows nothing of a pod that is %s", (_, over) => {
    expect(readDemand([pod(over)], NOW)).toEqual({ kind: "Missing", ready: 1 });
    expect(known(pod(), pod(over))).toMatchObject({ ready: 2, known: 1, streams: 5 });
  });

  it("believes the source that a sample of a slow scrape is fresh", () => {
    expect(known(pod({ atMs: NOW - 50_000, stale: false })).streams).toBe(5);
  });
});

describe("load", () => {
  it("takes a pod without a reading for an average one to grow, and for one at the target to shrink", () => {
    const demand = known(pod({ inFlight: 9 }), pod({ inFlight: 9 }), pod({ atMs: undefined }));
    expect(loadForGrowth(demand, demand.streams)).toMatchObject({ streams: 27, pods: 2.7 });
    expect(loadForShrinking(demand, demand.streams, 0.7)).toMatchObject({ streams: 25, pods: 2.5 });
  });

  it("lets the event loop cap the capacity: n / u where it is less than the upstreams allow", () => {
    const demand = known(pod({ inFlight: 4, elu: 0.8 }), pod({ inFlight: 4, elu: 0.8 }));
    expect(loadForGrowth(demand, demand.streams)).toEqual({
      streams: 8,
      pods: 1.6,
      capacity: 5,
      boundBy: "EventLoop",
    });
  });

  it.each([
    ["an idle loop, which says nothing", 1, 0.29, 10],
    ["a loop less busy than the upstreams' limit", 8, 0.5, 10],
    ["no event-loop utilisation at all", 4, undefined, 10],
  ])("keeps the upstreams' capacity with %s", (_, inFlight, elu, capacity) => {
    const demand = known(pod({ inFlight, elu }));
    expect(loadForGrowth(demand, demand.streams)).toMatchObject({ capacity, boundBy: "Concurrency" });
  });

  it("makes the same assumptions about the event loop of pods without a reading", () => {
    const demand = known(
      pod({ inFlight: 2, elu: 0.9 }),
      pod({ inFlight: 2, elu: 0.9 }),
      pod({ atMs: undefined }),
    );
    expect(loadForGrowth(demand, demand.streams).pods).toBeCloseTo(2.7);
    expect(loadForShrinking(demand, demand.streams, 0.7).pods).toBeCloseTo(2.5);
  });

  it("counts a loop that is busy without requests, as with WebSocket messages", () => {
    const demand = known(pod({ inFlight: 0, elu: 0.9 }));
    expect(loadForGrowth(demand, demand.streams)).toMatchObject({ pods: 0.9, capacity: 0 });
  });
});

describe("podsNeeded", () => {
  it.each([
    ["the target decides for many streams", 700, 10, 1, 100],
    ["square-root headroom decides for few", 4, 10, 3, 1],
    ["nothing to do", 0, 10, 3, 0],
  ])("%s", (_, streams, capacity, z, pods) => {
    expect(
      podsNeeded({ streams, pods: streams / capacity, capacity, boundBy: "Concurrency" }, 0.7, z),
    ).toBeCloseTo(pods);
  });
});

describe("isBurst", () => {
  it.each([
    [100, 120, false],
    [100, 121, true],
    [0, 2, false],
    [0, 3, true],
    [100, 10, false],
  ])("mean %i, last seconds %i: %s", (inFlight, inFlightRecent, expected) => {
    expect(isBurst(known(pod({ inFlight, inFlightRecent })))).toBe(expected);
  });
});

describe("joinReadings", () => {
  it("keeps pods without samples and drops samples without a pod", () => {
    const exists = [
      { pod: "a", revision: "r", ready: true },
      { pod: "b", revision: "r", ready: false },
    ];
    const { ready: _, ...measured } = pod({ pod: "a" });
    expect(joinReadings(exists, [measured, { ...measured, pod: "gone" }])).toEqual([
      { ...pod({ pod: "a" }), ready: true },
      { pod: "b", revision: "r", ready: false },
    ]);
  });
});
