import { describe, expect, it } from "vitest";
import { requestLimitMs } from "./config.ts";

const upstream = (connectMs: number, firstByteMs: number) => ({
  ...{ name: "m", protocol: "OpenAI" as const, url: "http://m/v1", models: [], maxConcurrency: 16 },
  timeouts: { connectMs, firstByteMs, idleMs: 15_000 },
});

describe("the longest time of a request", () => {
  it.each([
    ["is ten minutes", [upstream(1_000, 30_000)], 600_000],
    [
      "leaves a stream two minutes after the longest first byte",
      [upstream(1_000, 30_000), upstream(1_000, 1_800_000)],
      1_921_000,
    ],
  ])("%s", (_, upstreams, ms) => {
    expect(requestLimitMs(upstreams)).toBe(ms);
  });
});
