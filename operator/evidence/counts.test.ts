import { describe, expect, it } from "vitest";
import { countedPair } from "./counts.ts";

const good = { requests: 100, bad: 1 };

describe("countedPair", () => {
  it.each([
    ["no number", { requests: Number.NaN, bad: 0 }],
    ["no number of bad ones", { requests: 10, bad: Number.NaN }],
    ["an infinity", { requests: Number.POSITIVE_INFINITY, bad: 0 }],
    ["fewer requests than none", { requests: -1, bad: 0 }],
    ["fewer bad ones than none", { requests: 10, bad: -1 }],
  ])("counts nothing of a pair with %s on either side", (_, odd) => {
    expect(countedPair({ canary: odd, stable: good })).toBeUndefined();
    expect(countedPair({ canary: good, stable: odd })).toBeUndefined();
  });

  it("counts nothing of what was not measured", () => {
    expect(countedPair(undefined)).toBeUndefined();
  });

  it("counts as many requests as were bad, and keeps how many pods they were spread over", () => {
    const none = { requests: 0, bad: 0 };
    expect(countedPair({ canary: { requests: 3, bad: 5, pods: 2 }, stable: none })).toEqual({
      canary: { requests: 5, bad: 5, pods: 2 },
      stable: none,
    });
  });
});
