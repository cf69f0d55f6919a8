import { describe, expect, it } from "vitest";
import {
  type GateEvidence,
  type GateLevels,
  judgeGate,
  NO_GATE_EVIDENCE,
  observeGate,
  type Side,
} from "./gate-evidence.ts";
import { seededRandom } from "./simulated-traffic.ts";

const levels: GateLevels = { falseRollback: 0.005, falsePromotion: 0.05, gates: 1 };
const looked = (looks: readonly Side[], from: GateEvidence = NO_GATE_EVIDENCE) =>
  looks.reduce((before, side) => observeGate(before, side, levels), from);
const times = (count: number, side: Side) => Array.from({ length: count }, () => side);
const turns = (...sides: Side[]) => Array.from({ length: 40 }, () => sides).flat();

describe("judgeGate", () => {
  it.each([
    ["nothing was compared", [], "NoData"],
    ["three values are over the limit", times(3, "Over"), "Undecided"],
    ["a dozen are", times(12, "Over"), "Broken"],
    ["three are far over it", times(3, "Far"), "Undecided"],
    ["four are", times(4, "Far"), "Broken"],
    ["one is within it", ["Within"], "Undecided"],
    ["half a dozen are", times(6, "Within"), "Kept"],
    ["every second is", turns("Over", "Within"), "Undecided"],
    ["one of ten is far over it", turns("Far", ...times(9, "Within")), "Kept"],
    ["every second is far over it", turns("Far", "Within"), "Broken"],
    ["one of twelve is over it", [...times(6, "Within"), "Over", ...times(5, "Within")], "Kept"],
  ] satisfies [string, Side[], string][])("when %s", (_, looks, finding) => {
    expect(judgeGate(looked(looks), levels)).toBe(finding);
  });

  it("finds what breaks late, and keeps that", () => {
    const late = looked(times(40, "Over"), looked(times(500, "Within")));
    expect(judgeGate(late, levels)).toBe("Broken");
    expect(judgeGate(looked(times(500, "Within"), late), levels)).toBe("Broken");
  });

  it("takes a proof of being kept back when the limit is broken, however long it was kept", () => {
    expect(judgeGate(looked([...times(6, "Within"), "Over", "Over"]), levels)).toBe("Undecided");
    expect(judgeGate(looked([...times(900, "Within"), "Over", "Over"]), levels)).toBe("Undecided");
  });

  it("asks for more where more gates are looked at", () => {
    const looks = looked(times(12, "Over"));
    expect(judgeGate(looks, levels)).toBe("Broken");
    expect(judgeGate(looks, { ...levels, gates: 16 })).toBe("Undecided");
  });
});

describe.each<[string, (random: () => number) => Side]>([
  ["over their limit half of the time", (random) => (random() < 0.5 ? "Over" : "Within")],
  ["far over it a tenth of the time", (random) => (random() < 0.1 ? "Far" : "Within")],
  ["both", (random) => (random() < 0.1 ? "Far" : random() < 4 / 9 ? "Over" : "Within")],
])("gauges that are %s", (_, side) => {
  const random = seededRandom(41);
  const most = { falseRollback: 0.05, falsePromotion: 0.05, gates: 16 };
  const rollouts = Array.from({ length: 300 }, () => {
    const found = new Set<string>();
    const gates = Array.from({ length: 16 }, () => NO_GATE_EVIDENCE);
    for (let look = 0; look < 100; look++) {
      gates.forEach((evidence, index) => {
        const next = observeGate(evidence, side(random), most);
        gates[index] = next;
        found.add(`${index} ${judgeGate(next, most)}`);
      });
    }
    return found;
  });

  it("roll back at most falseRollback of rollouts, over all gates and looks", () => {
    const broken = rollouts.filter((found) => [...found].some((one) => one.endsWith("Broken")));
    expect(broken.length / 300).toBeLessThanOrEqual(0.05);
  });
});

it("gauges that are over their limit half of the time are found kept in at most falsePromotion of rollouts", () => {
  const random = seededRandom(43);
  const kept = Array.from({ length: 1000 }, () => {
    let evidence = NO_GATE_EVIDENCE;
    return Array.from({ length: 100 }, () => {
      evidence = observeGate(evidence, random() < 0.5 ? "Over" : "Within", levels);
      return judgeGate(evidence, levels);
    }).includes("Kept");
  });
  expect(kept.filter(Boolean).length / 1000).toBeLessThanOrEqual(0.05);
});
