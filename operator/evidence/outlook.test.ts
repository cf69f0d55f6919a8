import { describe, expect, it } from "vitest";
import { measureBaseline } from "./baseline.ts";
import type { EvidenceConfig } from "./config.ts";
import { NO_GATE_EVIDENCE, observeGate, type Side } from "./gate-evidence.ts";
import { judge } from "./judge.ts";
import { observeInterval } from "./observe.ts";
import { intervalsToProof, looksToPass } from "./outlook.ts";
import { type EvidenceState, startEvidence } from "./state.ts";

const config: EvidenceConfig = {
  signals: { errors: { rollbackAbove: 0.001, promoteBelow: 0.01 } },
  gates: 1,
  falseRollback: 0.01,
  falsePromotion: 0.05,
  subject: "",
};
const counted = (state: EvidenceState, bad: number) =>
  observeInterval(state, config, {
    endMs: state.intervalEndMs + 15_000,
    signals: { errors: { canary: { requests: 50, bad }, stable: { requests: 450, bad: 0 } } },
  });
const start = startEvidence(config, {}, 0);
/** Where stable's past speaks for it while the canary serves alone. */
const known = startEvidence(
  config,
  measureBaseline({ errors: [{ endMs: 0, pods: [{ pod: "a", counts: { requests: 5000, bad: 5 } }] }] }),
  0,
);

describe("intervalsToProof", () => {
  it("is about right where everything goes on as it has", () => {
    let state = counted(counted(start, 0), 0);
    const said = intervalsToProof(state, config, "errors") ?? Number.NaN;
    expect(said).toBeGreaterThan(0);
    let needed = 0;
    for (; needed < 1000 && judge(state, config)[0]?.category !== "ProvedBelow"; needed++)
      state = counted(state, 0);
    expect(Math.abs(said - needed)).toBeLessThanOrEqual(needed / 4 + 1);
    expect(intervalsToProof(state, config, "errors")).toBe(0);
  });

  it("is reckoned anew for a proof that was lost, by what the intervals told and not by what is left of it", () => {
    let state = start;
    for (let index = 0; index < 2000; index++) state = counted(state, 0);
    while (judge(state, config)[0]?.category === "ProvedBelow") state = counted(state, 1);
    const said = intervalsToProof(state, config, "errors") ?? Number.NaN;
    let needed = 0;
    for (; needed < 1000 && judge(state, config)[0]?.category !== "ProvedBelow"; needed++)
      state = counted(state, 0);
    expect(Math.abs(said - needed)).toBeLessThanOrEqual(needed / 2 + 2);
  });

  it("is not in sight where it would take more than a hundred thousand", () => {
    const grown = (logM: number): EvidenceState => {
      const { errors } = counted(start, 0).signals;
      if (!errors) throw new Error("errors are judged");
      return { ...start, signals: { errors: { ...errors, intervals: 1, below: [logM] } } };
    };
    expect(intervalsToProof(grown(0.01), config, "errors")).toBe(299);
    expect(intervalsToProof(grown(1e-5), config, "errors")).toBe(Number.POSITIVE_INFINITY);
    expect(intervalsToProof(grown(0), config, "errors")).toBe(Number.POSITIVE_INFINITY);
  });

  it("is not in sight where the evidence does not grow, and not known without any", () => {
    expect(intervalsToProof(counted(start, 5), config, "errors")).toBe(Number.POSITIVE_INFINITY);
    expect(intervalsToProof(start, config, "errors")).toBeUndefined();
    expect(intervalsToProof(start, config, "latency")).toBeUndefined();
    const alone = { canary: { requests: 50, bad: 0 }, stable: { requests: 0, bad: 0 } };
    const unopposed = observeInterval(known, config, { endMs: 15_000, signals: { errors: alone } });
    expect(unopposed.signals.errors?.intervals).toBe(1);
    expect(intervalsToProof(unopposed, config, "errors")).toBeUndefined();
  });
});

describe("looksToPass", () => {
  const looked = (...sides: Side[]): EvidenceState => {
    const evidence = sides.reduce(
      (before, side) => observeGate(before, side, { falseRollback: 0.005, falsePromotion: 0.05, gates: 1 }),
      NO_GATE_EVIDENCE,
    );
    return { ...start, gates: { memory: { subject: 1, lookedMs: 0, evidence } } };
  };

  it.each([
    [[], 6],
    [["Within", "Within"], 4],
    [["Over", "Over"], 12],
    [Array(6).fill("Within"), 0],
    [Array(11).fill("Over"), undefined],
  ] satisfies [Side[], number | undefined][])("after %j is %s", (sides, looks) => {
    expect(looksToPass(looked(...sides), config, "memory")).toBe(looks);
  });

  it("is not known of a gate that was never looked at", () => {
    expect(looksToPass(start, config, "memory")).toBeUndefined();
  });
});
