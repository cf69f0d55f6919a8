import { describe, expect, it } from "vitest";
import { measureBaseline } from "./baseline.ts";
import type { EvidenceConfig } from "./config.ts";
import { earliestDecision } from "./earliest.ts";
import { type Scenario, seededRandom, simulateHistory, simulateRollout } from "./simulated-traffic.ts";

const config: EvidenceConfig = {
  signals: { errors: { rollbackAbove: 0.001, promoteBelow: 0.01 } },
  falseRollback: 0.01,
  falsePromotion: 0.05,
  subject: "simulated",
};
const scenario: Scenario = {
  intervalMs: 5000,
  requestsPerSecond: 100,
  wave: 0,
  weights: [0.25],
  runMs: 600_000,
  historyMs: 600_000,
  pods: { canary: 1, stable: 3 },
  stableRate: 0.004,
  extra: 0,
  correlation: 0,
};
const traffic = { canaryPerSecond: 25, stablePerSecond: 75, canaryPods: 1, stablePods: 3, intervalMs: 5000 };

function medianMs(extra: number, which: "worseMs" | "belowMs"): number {
  const random = seededRandom(11);
  const times = Array.from(
    { length: 101 },
    () => simulateRollout({ ...scenario, extra }, config, random)[which] ?? Number.NaN,
  );
  return times.toSorted((a, b) => a - b)[50] ?? Number.NaN;
}

describe("earliestDecision", () => {
  const baseline = measureBaseline({ errors: simulateHistory(scenario, seededRandom(12)) });
  const earliest = earliestDecision(config, baseline, traffic);

  it("expects promotion when simulated rollouts of a good version are promoted", () => {
    const median = medianMs(0, "belowMs");
    expect(earliest.promoteAfterMs).toBeGreaterThan(median / 2);
    expect(earliest.promoteAfterMs).toBeLessThan(median * 2);
  });

  it("expects rollback when simulated rollouts of a bad version are rolled back", () => {
    const median = medianMs(0.02, "worseMs");
    expect(earliest.rollbackAfterMs).toBeGreaterThan(median / 2.5);
    expect(earliest.rollbackAfterMs).toBeLessThan(median * 2.5);
  });

  it("needs longer with less traffic, and forever without any", () => {
    const thin = earliestDecision(config, baseline, { ...traffic, canaryPerSecond: 1, stablePerSecond: 3 });
    expect(thin.promoteAfterMs).toBeGreaterThan(10 * (earliest.promoteAfterMs ?? 0));
    expect(earliestDecision(config, baseline, { ...traffic, canaryPerSecond: 0 })).toEqual({});
    expect(earliestDecision(config, baseline, { ...traffic, stablePerSecond: 0 })).toEqual({});
  });

  it("works without a baseline", () => {
    expect(earliestDecision(config, {}, traffic).promoteAfterMs).toBeGreaterThan(0);
  });
});

describe("earliestDecision of several signals", () => {
  const errors = { rollbackAbove: 0.001, promoteBelow: 0.01 };
  const latency = { rollbackAbove: 0.01, promoteBelow: 0.005 };
  const of = (
    signals: EvidenceConfig["signals"],
    more: Partial<EvidenceConfig> = {},
    times: Partial<typeof traffic> = {},
  ) => earliestDecision({ ...config, signals, ...more }, {}, { ...traffic, ...times });

  it("waits for the slowest to promote and the fastest to roll back", () => {
    const [one, other, both] = [of({ errors }), of({ latency }), of({ errors, latency })];
    expect(both.promoteAfterMs).toBe(Math.max(one.promoteAfterMs ?? 0, other.promoteAfterMs ?? 0));
    expect(one.promoteAfterMs).not.toBe(other.promoteAfterMs);
    // Each has half of falseRollback, so that both take a little longer than the faster one alone.
    const fastest = Math.min(one.rollbackAfterMs ?? Infinity, other.rollbackAfterMs ?? Infinity);
    expect(both.rollbackAfterMs).toBeGreaterThanOrEqual(fastest);
    expect(both.rollbackAfterMs).toBeLessThan(1.5 * fastest);
  });

  it("leaves out what runs dry", () => {
    expect(of({ errors, latency }, { dryRun: ["latency"] })).toEqual(of({ errors }));
  });

  it("is whole intervals, and at least one", () => {
    const { promoteAfterMs = 0, rollbackAfterMs = 0 } = of({ errors });
    expect([promoteAfterMs % 5000, rollbackAfterMs % 5000]).toEqual([0, 0]);
    const huge = of(
      { errors },
      {},
      { canaryPerSecond: 1e6, stablePerSecond: 1e6, canaryPods: 1e6, stablePods: 1e6 },
    );
    expect(huge).toEqual({ promoteAfterMs: 5000, rollbackAfterMs: 5000 });
  });

  it("is sooner where requests are spread over more pods, and with longer intervals of as many requests", () => {
    const spread = of({ errors }, {}, { canaryPods: 10, stablePods: 30 });
    expect(spread.promoteAfterMs).toBeLessThan(of({ errors }).promoteAfterMs ?? 0);
  });

  it("is out of reach where it would take a hundred thousand intervals", () => {
    const thin = of({ errors }, {}, { canaryPerSecond: 1e-5, stablePerSecond: 1e-5 });
    expect(thin).toEqual({});
  });
});
