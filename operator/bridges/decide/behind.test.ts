import { describe, expect, it } from "vitest";
import { durationMs } from "../../api/v1alpha1/scalars.ts";
import { whyBehind } from "./behind.ts";

const MINUTE_MS = 60_000;
const counted = (readableMs: number, waitingFor: readonly string[]) => ({
  ...{ intervals: [], throughMs: 0, readableMs, waitingFor },
});
const named = (...pods: string[]) => `Ready pods without samples: ${pods.join(", ")}.`;

describe("whyBehind", () => {
  it.each([
    ["nothing waits", 15_000, [], "15s", undefined],
    ["a new pod has not been scraped yet", 2 * MINUTE_MS, ["p-1"], "15s", undefined],
    ["a pod is not scraped", 2 * MINUTE_MS + 1, ["p-1"], "15s", named("p-1")],
    [
      "it is more than one call reads",
      60 * MINUTE_MS,
      [],
      "15s",
      "Samples of some time ago are still being counted.",
    ],
    ["intervals are long", 15 * MINUTE_MS, ["p-1"], "5m", undefined],
    ["three of them are over", 15 * MINUTE_MS + 1, ["p-1"], "5m", named("p-1")],
    ["several are not scraped", 3 * MINUTE_MS, ["p-2", "p-1"], "15s", named("p-1", "p-2")],
    ["many are not scraped", 3 * MINUTE_MS, ["d", "c", "b", "a"], "15s", named("a", "b", "c and others")],
  ] as const)("where %s", (_, readableMs, waitingFor, interval, why) => {
    expect(whyBehind(counted(readableMs, waitingFor), 0, durationMs(interval))).toBe(why);
  });
});
