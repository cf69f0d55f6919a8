import { constants, type PerformanceEntry } from "node:perf_hooks";
import { describe, expect, it } from "vitest";
import { createGcTally } from "./gc-tally.ts";

const collection = (kind: number, durationMs: number) =>
  ({ duration: durationMs, detail: { kind } }) as unknown as PerformanceEntry;

describe("createGcTally", () => {
  it("sums seconds by kind and starts anew after each report", () => {
    const tally = createGcTally(() => 123);
    tally.add(collection(constants.NODE_PERFORMANCE_GC_MINOR, 2));
    tally.add(collection(constants.NODE_PERFORMANCE_GC_MINOR, 3));
    tally.add(collection(constants.NODE_PERFORMANCE_GC_INCREMENTAL, 10));
    expect(tally.take()).toEqual({
      type: "gc",
      seconds: { minor: 0.005, major: 0, incremental: 0.01, weak: 0 },
    });
    expect(tally.take().seconds.minor).toBe(0);
  });

  it("reports the heap after a major collection only when there was one", () => {
    const tally = createGcTally(() => 123);
    tally.add(collection(constants.NODE_PERFORMANCE_GC_MAJOR, 1));
    expect(tally.take().heapAfterMajorBytes).toBe(123);
    expect(tally.take()).not.toHaveProperty("heapAfterMajorBytes");
  });
});
