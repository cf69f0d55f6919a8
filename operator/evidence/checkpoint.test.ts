import { describe, expect, it } from "vitest";
import { rollout } from "../api/v1alpha1/rollout.ts";
import { parseCheckpoint, serialiseCheckpoint } from "./checkpoint.ts";
import { evidenceConfig } from "./config.ts";
import { NO_GATE_EVIDENCE, observeGate, type Side } from "./gate-evidence.ts";
import { judge } from "./judge.ts";
import { observeInterval } from "./observe.ts";
import { type EvidenceState, startEvidence } from "./state.ts";

const config = evidenceConfig({
  errors: { rollbackAbove: "0.1%", promoteBelow: "1%" },
  latency: {
    signal: "FirstByte",
    objective: "120ms",
    rollbackAbove: "1%",
    promoteBelow: "3%",
    dryRun: false,
  },
  gates: [],
  falseRollback: "1%",
  falsePromotion: "5%",
  interval: "15s",
});
const counts = (number: number) => ({
  endMs: 1_700_000_000_000 + number * 15_000,
  signals: {
    errors: { canary: { requests: 373, bad: number % 3 }, stable: { requests: 1131, bad: 2 } },
    latency: { canary: { requests: 373, bad: 3 + (number % 5) }, stable: { requests: 1131, bad: 9 } },
  },
});
const long = Array.from({ length: 500 }, (_, index) => counts(index + 1)).reduce(
  (state, one) => observeInterval(state, config, one),
  startEvidence(config, {}, 1_700_000_000_000),
);

describe("a checkpoint", () => {
  it("is read back as the same evidence, also with everything in it", () => {
    const levels = { falseRollback: 0.005, falsePromotion: 0.05, gates: 16 };
    const evidence = Array.from({ length: 999 }, (_, index) => (index % 3 === 0 ? "Over" : "Within")).reduce(
      (before, side) => observeGate(before, side as Side, levels),
      NO_GATE_EVIDENCE,
    );
    const full: EvidenceState = {
      ...long,
      gates: Object.fromEntries(
        Array.from({ length: 16 }, (_, index) => [
          `a-gate-with-a-name-of-forty-characters-${index}`,
          { subject: 0xffffffff - index, lookedMs: 1_700_000_000_000, evidence },
        ]),
      ),
    };
    const text = serialiseCheckpoint(full);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4096);
    const back = parseCheckpoint(text);
    expect(back).toMatchObject({
      intervalEndMs: full.intervalEndMs,
      subject: config.subject,
    });
    expect(Object.keys(back?.gates ?? {})).toEqual(Object.keys(full.gates));
    expect(Object.values(back?.gates ?? {})[15]?.evidence.looks).toBe(999);
    expect(serialiseCheckpoint(back ?? full)).toBe(text);
  });

  it("goes on as if nothing had happened", () => {
    const resumed = parseCheckpoint(serialiseCheckpoint(long));
    if (resumed === undefined) throw new Error("not read back");
    const [going, back] = [long, resumed].map((state) =>
      judge(observeInterval(state, config, counts(501)), config),
    );
    for (const [index, verdict] of (going ?? []).entries()) {
      expect(back?.[index]?.category).toBe(verdict.category);
      expect(back?.[index]?.logEWorse).toBeCloseTo(verdict.logEWorse, 5);
      expect(back?.[index]?.logEBelow).toBeCloseTo(verdict.logEBelow, 5);
    }
  });

  it.each([
    "",
    "{",
    "null",
    "[]",
    '{"v":2}',
    serialiseCheckpoint(long).replace('"v":1', '"v":2'),
    serialiseCheckpoint(long).replace(/-\d+\.\d+/, "null"),
  ])("that is none is not read: %.20s", (text) => {
    expect(parseCheckpoint(text)).toBeUndefined();
  });

  it("of the time when all alternatives had the same share is read, and goes on", () => {
    const text =
      '{"v":1,"subject":"errors 0.1% 1%, FirstByte 120ms 1% 3%, 15s","end":1700000015000,"signals":{"errors":[[0.001,0.01],1,[-2.8,-2.9,-3,-3.1,-3.3,-3.6,-4,-4.5],0,[-1.2,-1.3,-1.4,-1.5],[373,1],[1131,2],[5631,12],[9000,20],0.001,[280,0.2,1,0.5]]},"gatesEnd":1700000015000,"violations":{"memory":2}}';
    const old = parseCheckpoint(text);
    if (old === undefined) throw new Error("not read");
    // Those that began before keep their part; all that begin together have the weight of their interval, whatever the shares.
    expect(Math.exp(old.signals.errors?.worse[0] ?? 0)).toBeCloseTo(Math.exp(-2.8), 9);
    expect(old.gates).toEqual({});
    const next = observeInterval(old, config, counts(2));
    expect(next.signals.errors).toMatchObject({ intervals: 2, canary: { requests: 746 } });
    expect(judge(next, config)[0]?.category).toBe("Undecided");
  });

  it("keeps that a signal was not to be had, and is the same text as before where all were", () => {
    const why = "There is no such series.";
    const { latency: _, ...signals } = counts(501).signals;
    const lacking = observeInterval(long, config, { ...counts(501), signals, missing: { latency: why } });
    expect(judge(lacking, config)[1]).toMatchObject({ category: "NoData", message: why });
    const back = parseCheckpoint(serialiseCheckpoint(lacking));
    if (back === undefined) throw new Error("not read back");
    expect(judge(back, config)[1]).toMatchObject({
      category: "NoData",
      message: "The metric source lacked series of latency when it was last read.",
    });
    const whole = observeInterval(back, config, counts(502));
    expect(judge(whole, config)[1]?.category).not.toBe("NoData");
    expect(JSON.parse(serialiseCheckpoint(whole))).not.toHaveProperty("missing");
  });

  it("keeps margins that grow with stable's own share", () => {
    const margins = { rollbackAbove: 0.001, promoteBelow: 0.01, rollbackIncrease: 0.5, promoteIncrease: 1 };
    const state = startEvidence({ ...config, signals: { errors: margins } }, {}, 0);
    expect(parseCheckpoint(serialiseCheckpoint(state))?.signals.errors?.margins).toEqual(margins);
    expect(long.signals.errors && "rollbackIncrease" in long.signals.errors.margins).toBe(false);
  });

  it("names what was counted", () => {
    expect(config.subject).toBe("errors 0.1% 1%, FirstByte 120ms 1% 3%, 15s");
    expect(config.signals.latency).toEqual({ rollbackAbove: 0.01, promoteBelow: 0.03 });
    const relative = evidenceConfig(
      rollout.parse({
        analysis: { errors: { rollbackIncrease: "50%", promoteIncrease: "80%" } },
      }).analysis,
    );
    expect(relative.subject).toBe("errors 0.1%+50% 1%+80%, 15s");
    expect(relative.signals.errors).toMatchObject({ rollbackIncrease: 0.5, promoteIncrease: 0.8 });
  });
});
