import { describe, expect, it } from "vitest";
import { rollout } from "../api/v1alpha1/rollout.ts";
import {
  actingSignals,
  belowThreshold,
  type EvidenceConfig,
  evidenceConfig,
  gateLevels,
  judgedSignals,
  most,
  required,
  tolerated,
  worseThreshold,
} from "./config.ts";
import { countedOverMs } from "./counted-over.ts";

const analysisOf = (analysis: object) => rollout.parse({ analysis }).analysis;
const margins = { rollbackAbove: 0.001, promoteBelow: 0.01 };
const config: EvidenceConfig = {
  signals: { latency: margins, errors: margins },
  falseRollback: 0.01,
  falsePromotion: 0.05,
  subject: "",
};

describe("margins", () => {
  it("are lines over stable's own share", () => {
    const growing = { ...margins, rollbackIncrease: 0.5, promoteIncrease: 1 };
    expect([tolerated(growing), required(growing)]).toEqual([
      { points: 0.001, increase: 0.5 },
      { points: 0.01, increase: 1 },
    ]);
    expect([tolerated(margins), required(margins)].map(({ increase }) => increase)).toEqual([0, 0]);
    expect(most({ points: 0.001, increase: 0.5 }, 0.02)).toBeCloseTo(0.031, 12);
  });
});

describe("evidenceConfig", () => {
  const latency = { signal: "FirstByte", objective: "120ms", rollbackAbove: "1%", promoteBelow: "3%" };
  const gate = (name: string, dryRun: boolean) => ({ name, metric: "MemoryPerPod", below: "1Gi", dryRun });

  it("is what the spec asks for, in shares", () => {
    expect(evidenceConfig(analysisOf({}))).toEqual({
      signals: { errors: { rollbackAbove: 0.001, promoteBelow: 0.01 } },
      gates: 0,
      falseRollback: 0.01,
      falsePromotion: 0.05,
      subject: "errors 0.1% 1%, 15s",
    });
    expect(evidenceConfig(analysisOf({ latency, gates: [gate("a", false), gate("b", true)] }))).toMatchObject(
      {
        signals: { latency: { rollbackAbove: 0.01, promoteBelow: 0.03 } },
        gates: 1,
        subject: "errors 0.1% 1%, FirstByte 120ms 1% 3%, 15s",
      },
    );
    expect(evidenceConfig(analysisOf({ latency: { ...latency, dryRun: true } })).dryRun).toEqual(["latency"]);
    expect(evidenceConfig(analysisOf({ latency }))).not.toHaveProperty("dryRun");
  });

  it("names each increase that is stated", () => {
    const subject = (errors: object) => evidenceConfig(analysisOf({ errors })).subject;
    expect(subject({ rollbackIncrease: "50%" })).toBe("errors 0.1%+50% 1%, 15s");
    expect(subject({ promoteIncrease: "80%" })).toBe("errors 0.1% 1%+80%, 15s");
  });

  it("begins anew beside a baseline, and where the administrator changes the probabilities", () => {
    expect(evidenceConfig(analysisOf({}), "SameAge").subject).toBe("errors 0.1% 1%, 15s, beside a baseline");
    expect(evidenceConfig({ ...analysisOf({}), from: "strict" }).subject).toBe("errors 0.1% 1%, 15s, 1% 5%");
  });

  it("names the intervals that are counted where they are longer than its own", () => {
    const subject = (countedMs: number) => evidenceConfig(analysisOf({}), "SameAge", countedMs).subject;
    expect(subject(15_000)).toBe("errors 0.1% 1%, 15s, beside a baseline");
    expect(subject(60_000)).toBe("errors 0.1% 1%, 15s over 60000ms, beside a baseline");
    expect([15_000, 60_000].map((ms) => countedOverMs(subject(ms)))).toEqual([undefined, 60_000]);
    expect(countedOverMs(evidenceConfig(analysisOf({}), "Stable", 60_000).subject)).toBe(60_000);
  });
});

describe("signals", () => {
  it("are judged in a fixed order, and act unless they run dry", () => {
    expect(judgedSignals(config).map(([signal]) => signal)).toEqual(["errors", "latency"]);
    expect(actingSignals(config)).toHaveLength(2);
    expect(actingSignals({ ...config, dryRun: ["errors"] })).toEqual([["latency", margins]]);
    expect(judgedSignals({ ...config, signals: {} })).toEqual([]);
  });
});

describe("thresholds", () => {
  it.each([
    ["two signals", config, 200],
    ["one that acts", { ...config, dryRun: ["latency"] as const }, 100],
    ["none", { ...config, signals: {} }, 100],
    ["two beside gates", { ...config, gates: 3 }, 400],
  ])("share the false rollbacks between %s", (_, given, odds) => {
    expect(worseThreshold(given)).toBeCloseTo(Math.log(odds), 12);
  });

  it("of promotion and of gates", () => {
    expect(belowThreshold(config)).toBeCloseTo(Math.log(20), 12);
    expect(gateLevels(config)).toEqual({ falseRollback: 0.01, falsePromotion: 0.05, gates: 1 });
    expect(gateLevels({ ...config, gates: 3 })).toEqual({
      falseRollback: 0.005,
      falsePromotion: 0.05,
      gates: 3,
    });
  });
});
