import { describe, expect, it } from "vitest";
import { type GateEvidence, judgeGate, NO_GATE_EVIDENCE, observeGate } from "./gate-evidence.ts";
import { seededRandom } from "./simulated-traffic.ts";

const levels = { falseRollback: 0.01, falsePromotion: 0.05, gates: 1 };
const looked = (looks: readonly boolean[], from: GateEvidence = NO_GATE_EVIDENCE) =>
  looks.reduce(observeGate, from);
const times = (count: number, violated: boolean) => Array.from({ length: count }, () => violated);

describe("judgeGate", () => {
  it.each([
    ["nothing was compared", [], "NoData"],
    ["three values are over the limit", times(3, true), "Undecided"],
    ["a dozen are", times(12, true), "Broken"],
    ["one is within it", [false], "Undecided"],
    ["half a dozen are", times(6, false), "Kept"],
    ["every second is", Array.from({ length: 200 }, (_, index) => index % 2 === 0), "Undecided"],
    ["one of twelve is over it", [...times(6, false), true, ...times(5, false)], "Kept"],
  ])("when %s", (_, looks, finding) => {
    expect(judgeGate(looked(looks), levels)).toBe(finding);
  });

  it("finds what breaks late, and keeps that", () => {
    const late = looked(times(40, true), looked(times(500, false)));
    expect(judgeGate(late, levels)).toBe("Broken");
    expect(judgeGate(looked(times(500, false), late), levels)).toBe("Broken");
  });

  it("takes a proof of being kept back when the limit is broken", () => {
    expect(judgeGate(looked([...times(6, false), ...times(3, true)]), levels)).toBe("Undecided");
  });

  it("asks for more where more gates are looked at", () => {
    const looks = looked(times(10, true));
    expect(judgeGate(looks, levels)).toBe("Broken");
    expect(judgeGate(looks, { ...levels, gates: 16 })).toBe("Undecided");
  });
});

describe("gauges that are over their limit half of the time", () => {
  const random = seededRandom(41);
  const rollouts = Array.from({ length: 300 }, () => {
    const found = new Set<string>();
    const gates = Array.from({ length: 16 }, () => NO_GATE_EVIDENCE);
    for (let look = 0; look < 100; look++) {
      gates.forEach((evidence, index) => {
        const next = observeGate(evidence, random() < 0.5);
        gates[index] = next;
        found.add(`${index} ${judgeGate(next, { falseRollback: 0.05, falsePromotion: 0.05, gates: 16 })}`);
      });
    }
    return found;
  });

  it("roll back at most falseRollback of rollouts, over all gates and looks", () => {
    const broken = rollouts.filter((found) => [...found].some((one) => one.endsWith("Broken")));
    expect(broken.length / 300).toBeLessThanOrEqual(0.05);
  });

  it("are each found kept in at most falsePromotion of rollouts", () => {
    const kept = rollouts.filter((found) => found.has("0 Kept"));
    expect(kept.length / 300).toBeLessThanOrEqual(0.05);
  });
});
