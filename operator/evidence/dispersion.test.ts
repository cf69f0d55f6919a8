import { describe, expect, it } from "vitest";
import type { HistoryInterval } from "./counts.ts";
import { correlationOf, designEffect } from "./dispersion.ts";
import { seededRandom, simulateHistory } from "./simulated-traffic.ts";

const scenario = {
  intervalMs: 1000,
  requestsPerSecond: 600,
  historyMs: 240_000,
  pods: { canary: 1, stable: 3 },
  stableRate: 0.02,
};

describe("correlationOf", () => {
  it.each([0.003, 0.01, 0.03])(
    "finds a correlation of %d between the requests of a pod in an interval",
    (correlation) => {
      const measured = correlationOf(simulateHistory({ ...scenario, correlation }, seededRandom(3)));
      expect(measured).toBeGreaterThan(correlation * 0.8);
      expect(measured).toBeLessThan(correlation * 2);
    },
  );

  it("finds next to none where every request fails on its own", () => {
    expect(correlationOf(simulateHistory({ ...scenario, correlation: 0 }, seededRandom(4)))).toBeLessThan(
      0.002,
    );
  });

  it("takes no notice of what hits all pods at once", () => {
    const wave = Array.from({ length: 100 }, (_, index): HistoryInterval => {
      const counts = { requests: 200, bad: index % 2 === 0 ? 40 : 2 };
      return {
        endMs: index,
        pods: [
          { pod: "a", counts },
          { pod: "b", counts },
        ],
      };
    });
    expect(correlationOf(wave)).toBeLessThan(0.001);
  });

  it("compares one pod with itself over time", () => {
    const bursts = Array.from(
      { length: 100 },
      (_, index): HistoryInterval => ({
        endMs: index,
        pods: [{ pod: "a", counts: { requests: 200, bad: index % 10 === 0 ? 40 : 0 } }],
      }),
    );
    expect(correlationOf(bursts)).toBeGreaterThan(0.1);
  });

  it("finds bursts that last for several intervals, and pods that differ for good", () => {
    const differing = Array.from(
      { length: 160 },
      (_, index): HistoryInterval => ({
        endMs: index,
        pods: [
          { pod: "a", counts: { requests: 200, bad: index % 5 === 0 ? 1 : 0 } },
          { pod: "b", counts: { requests: 200, bad: 1 + (index % 3) } },
        ],
      }),
    );
    const shuffled = differing.map(
      (interval, index): HistoryInterval =>
        index % 2 === 0
          ? interval
          : {
              ...interval,
              pods: interval.pods.map(({ pod, counts }) => ({ pod: pod === "a" ? "b" : "a", counts })),
            },
    );
    expect(correlationOf(differing)).toBeGreaterThan(3 * correlationOf(shuffled));
  });

  it.each([1, 3])("reckons with bursts that fade from interval to interval, of %d pods", (stable) => {
    const random = seededRandom(5);
    const past = { ...scenario, historyMs: 120_000, pods: { canary: 1, stable }, correlation: 0.01 };
    const mean = (autocorrelation: number) =>
      Array.from({ length: 20 }, () =>
        correlationOf(simulateHistory({ ...past, autocorrelation }, random)),
      ).reduce((sum, one) => sum + one / 20, 0);
    const single = mean(0);
    // Sums over a long time vary (1 + p) / (1 - p) times as much as those of independent intervals: 3 and 9 times.
    expect(mean(0.5) / single).toBeGreaterThan(2.5);
    expect(mean(0.8) / single).toBeGreaterThan(6);
  });

  it("is cautious without history", () => {
    expect(correlationOf([])).toBe(0.01);
    expect(correlationOf([{ endMs: 1, pods: [{ pod: "a", counts: { requests: 50, bad: 0 } }] }])).toBe(0.01);
  });
});

describe("designEffect", () => {
  it.each([
    [{ requests: 101, bad: 0 }, 0.01, 2],
    [{ requests: 202, bad: 0, pods: 2 }, 0.01, 2],
    [{ requests: 1, bad: 0 }, 0.5, 1],
    [{ requests: 0, bad: 0 }, 0.5, 1],
    [{ requests: 500, bad: 0 }, 0, 1],
  ])("of %o at %d is %d", (counts, correlation, effect) => {
    expect(designEffect(counts, correlation)).toBeCloseTo(effect, 12);
  });
});
