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
