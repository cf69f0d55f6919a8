import { describe, expect, it } from "vitest";
import type { EvidenceConfig } from "./config.ts";
import { type Scenario, seededRandom, simulateRollout } from "./simulated-traffic.ts";

/**
 * The stated probabilities, by seeded simulation; bench/evidence.ts and bench/evidence/rollouts.ts measure them with more runs and more worlds. A rollout is looked at
 * after each of its intervals.
 */
const RUNS = 400;

const config: EvidenceConfig = {
  signals: { errors: { rollbackAbove: 0.001, promoteBelow: 0.01 } },
  falseRollback: 0.01,
  falsePromotion: 0.05,
  subject: "simulated",
};
const patient: EvidenceConfig = { ...config, falseRollback: 0 };

/** An hour in which the canary's weight grows four times and the load swings by half. */
const ramp: Scenario = {
  intervalMs: 60_000,
  requestsPerSecond: 10,
  wave: 0.5,
  weights: [0.05, 0.1, 0.25, 0.5],
  runMs: 3_600_000,
  historyMs: 3_600_000,
  pods: { canary: 1, stable: 3 },
  stableRate: 0.01,
  extra: 0,
  correlation: 0,
};
const demo: Scenario = {
  intervalMs: 5000,
  requestsPerSecond: 300,
  wave: 0,
  weights: [0.25],
  runMs: 120_000,
  historyMs: 300_000,
  pods: { canary: 1, stable: 3 },
  stableRate: 0,
  extra: 0,
  correlation: 0,
};

function shares(scenario: Scenario, judged = config, runs = RUNS) {
  const random = seededRandom(7);
  const outcomes = Array.from({ length: runs }, () => simulateRollout(scenario, judged, random));
  const median = (times: number[]) =>
    times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
  const worse = outcomes.flatMap(({ worseMs }) => worseMs ?? []);
  const below = outcomes.flatMap(({ belowMs }) => belowMs ?? []);
  return {
    worse: worse.length / runs,
    below: below.length / runs,
    worseMs: median(worse),
    belowMs: median(below),
    stands: outcomes.filter(({ stands }) => stands).length / runs,
    missed: outcomes.filter(({ covered }) => !covered).length / runs,
  };
}

/** Two standard errors of a share of 1 % in 400 runs. */
const TOLERANCE = 0.01;

describe("a version that the spec allows is rolled back in at most falseRollback of rollouts", () => {
  it.each([
    ["the same version", { ...ramp }],
    ["the same version, bursts of errors", { ...ramp, correlation: 0.01 }],
    ["the same version, strong bursts", { ...ramp, correlation: 0.03 }],
    [
      "the same version, bursts that fade within some intervals",
      { ...ramp, historyMs: 7_200_000, correlation: 0.01, autocorrelation: 0.8 },
    ],
    ["exactly rollbackAbove worse", { ...ramp, extra: 0.001 }],
    ["exactly rollbackAbove worse, bursts", { ...ramp, extra: 0.001, correlation: 0.01 }],
    ["exactly rollbackAbove worse than a version without errors", { ...demo, extra: 0.001 }],
    [
      "bursts and no history to know of them",
      { ...demo, stableRate: 0.001, correlation: 0.01, historyMs: 0 },
    ],
    [
      "the same version, which serves all traffic in the end",
      { ...demo, stableRate: 0.002, weights: [0.25, 1] },
    ],
  ] satisfies [string, Scenario][])("%s", (_, scenario) => {
    expect(shares(scenario).worse).toBeLessThanOrEqual(config.falseRollback + TOLERANCE);
  });

  it("holds over both signals together", () => {
    const both: EvidenceConfig = {
      ...config,
      signals: { ...config.signals, latency: { rollbackAbove: 0.001, promoteBelow: 0.01 } },
    };
    expect(shares({ ...ramp, extra: 0.001 }, both, 200).worse).toBeLessThanOrEqual(
      config.falseRollback + TOLERANCE,
    );
  });
});

describe("a version that is worse than promoteBelow is promoted in at most falsePromotion of rollouts", () => {
  it.each([
    ["exactly promoteBelow worse", { ...ramp, extra: 0.01 }],
    ["exactly promoteBelow worse, bursts", { ...ramp, extra: 0.01, correlation: 0.01 }],
    ["exactly promoteBelow worse than a version without errors", { ...demo, extra: 0.01 }],
    [
      "exactly promoteBelow worse, rare bursts",
      { ...demo, stableRate: 0.001, extra: 0.01, correlation: 0.01 },
    ],
  ] satisfies [string, Scenario][])("%s", (_, scenario) => {
    expect(shares(scenario, patient).below).toBeLessThanOrEqual(config.falsePromotion + 2 * TOLERANCE);
  });
});

describe("a proof of being good enough", () => {
  // Two steps of a day, one of 10 % and one of 50 %.
  const long: Scenario = { ...ramp, weights: [0.1, 0.5], runMs: 48 * 3_600_000, historyMs: 7_200_000 };

  it("of a version that is worse by promoteBelow from the second step on does not stand when that ends", () => {
    const turned = { ...long, extra: 0.01, worseFromMs: long.runMs / 2 };
    const { below, stands } = shares(turned, patient, 20);
    expect(below).toBe(1);
    expect(stands).toBeLessThanOrEqual(config.falsePromotion);
  });

  it("of one that stays good does", () => {
    expect(shares(long, config, 40).stands).toBeGreaterThan(0.9);
  });
});

describe("margins that grow with stable's own share", () => {
  const relative = (rollbackIncrease: number, promoteIncrease: number): EvidenceConfig => ({
    ...config,
    signals: { errors: { rollbackAbove: 0, promoteBelow: 0.001, rollbackIncrease, promoteIncrease } },
  });

  it.each([
    ["exactly half again as bad", { ...ramp, stableRate: 0.02, extra: 0.01 }],
    ["the same in bursts", { ...ramp, stableRate: 0.02, extra: 0.01, correlation: 0.01 }],
    ["the same and alone in the end", { ...demo, stableRate: 0.02, extra: 0.01, weights: [0.25, 1] }],
  ] satisfies [string, Scenario][])("roll a version that is %s back as seldom as stated", (_, scenario) => {
    expect(shares(scenario, relative(0.5, 1)).worse).toBeLessThanOrEqual(config.falseRollback + TOLERANCE);
  });

  it("promote one that is exactly as much worse as they let pass as seldom as stated", () => {
    const judged = { ...relative(0.5, 1), falseRollback: 0 };
    const { below } = shares({ ...ramp, stableRate: 0.02, extra: 0.021 }, judged);
    expect(below).toBeLessThanOrEqual(config.falsePromotion + 2 * TOLERANCE);
  });

  it("find what is twice as bad where half again is allowed, and let pass what is as good", () => {
    expect(
      shares({ ...demo, stableRate: 0.02, extra: 0.03, runMs: 300_000 }, relative(0.5, 1), 50).worse,
    ).toBe(1);
    expect(shares({ ...demo, stableRate: 0.02, runMs: 300_000 }, relative(0.5, 1), 50).below).toBe(1);
  });
});

describe("decisions come early enough", () => {
  it("promotes a good version of a quiet service in seconds", () => {
    const { below, belowMs } = shares(demo, config, 50);
    expect(below).toBe(1);
    expect(belowMs).toBeLessThanOrEqual(15_000);
  });

  it("rolls back one with 5 % errors within three intervals", () => {
    const { worse, worseMs } = shares({ ...demo, extra: 0.05 }, config, 50);
    expect(worse).toBe(1);
    expect(worseMs).toBeLessThanOrEqual(15_000);
  });

  it("finds 3 % against 1 % at ten requests per second within the hour, bursts or not", () => {
    expect(shares({ ...ramp, extra: 0.02 }, config, 100).worse).toBeGreaterThan(0.98);
    expect(shares({ ...ramp, extra: 0.02, correlation: 0.01 }, config, 100).worse).toBeGreaterThan(0.95);
  });

  it.each([
    [0.02, 0.05, 0, 24],
    [0.03, 0.05, 0, 11],
    [0.03, 0.01, 0.001, 16],
    [0.03, 0.05, 0.005, 20],
  ])(
    "finds an error rate of %d at level %d and a margin of %d by minute %d of the ramp",
    (canary, falseRollback, rollbackAbove, minute) => {
      const judged = {
        ...config,
        signals: { errors: { rollbackAbove, promoteBelow: 0.01 } },
        falseRollback,
      };
      const world = { ...ramp, historyMs: 7_200_000, pods: { canary: 1, stable: 1 }, extra: canary - 0.01 };
      const { worse, worseMs } = shares(world, judged, 100);
      expect(worse).toBeGreaterThan(0.95);
      expect(worseMs / 60_000).toBeLessThanOrEqual(minute);
    },
  );

  it("finds what begins only after a good half hour", () => {
    const { worse, worseMs } = shares({ ...ramp, extra: 0.04, worseFromMs: 1_800_000 }, config, 100);
    expect(worse).toBe(1);
    expect(worseMs).toBeLessThan(1_800_000 + 8 * 60_000);
  });

  it("finds errors that begin when no stable version serves any more", () => {
    const late = { ...demo, weights: [0.25, 1], extra: 0.02, worseFromMs: 60_000 };
    const { worse, worseMs } = shares(late, config, 50);
    expect(worse).toBe(1);
    expect(worseMs).toBeLessThanOrEqual(75_000);
  });
});

describe("the confidence sequence", () => {
  it.each([
    ["of equal versions", ramp],
    ["of versions that differ", { ...ramp, extra: 0.01 }],
    ["under bursts", { ...ramp, correlation: 0.01 }],
  ] satisfies [string, Scenario][])(
    "%s holds the difference at every look in 95 %% of rollouts",
    (_, scenario) => {
      expect(shares(scenario, patient).missed).toBeLessThanOrEqual(0.05 + 2 * TOLERANCE);
    },
  );
});
