import { describe, expect, it } from "vitest";
import { baselineWindowMs } from "./evidence.ts";

describe("baselineWindowMs", () => {
  it.each([
    ["5s", 30],
    ["15s", 30],
    ["1m", 120],
  ])(
    "with intervals of %s holds %d minutes: half an hour, and enough intervals to see bursts that last",
    (interval, minutes) => {
      expect(baselineWindowMs({ interval })).toBe(minutes * 60_000);
    },
  );
});
