import { describe, expect, it } from "vitest";
import { drainTimes } from "./drain.ts";

const upstream = (connectMs: number, firstByteMs: number) => ({ connectMs, firstByteMs });

describe("drainTimes", () => {
  it.each([
    ["the defaults", { upstreams: [upstream(5_000, 30_000)], requestMs: 600_000 }, 155_000, 175],
    [
      "the slowest upstream",
      { upstreams: [upstream(1_000, 9_000), upstream(5_000, 55_000)], requestMs: 600_000 },
      180_000,
      200,
    ],
    [
      "never longer than a request may take",
      { upstreams: [upstream(5_000, 30_000)], requestMs: 60_000 },
      60_000,
      80,
    ],
    [
      "measured streams",
      { upstreams: [upstream(5_000, 30_000)], requestMs: 600_000, longestStreamMs: 20_500 },
      56_000,
      76,
    ],
    ["no upstream", { upstreams: [], requestMs: 600_000 }, 120_000, 140],
  ])("%s", (_, input, deadlineMs, terminationGracePeriodSeconds) => {
    expect(drainTimes(input)).toEqual({ settleMs: 5_000, deadlineMs, terminationGracePeriodSeconds });
  });
});
