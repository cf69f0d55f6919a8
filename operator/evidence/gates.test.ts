import { describe, expect, it } from "vitest";
import type { Gate } from "../api/v1alpha1/rollout.ts";
import { observeGates } from "./gates.ts";
import { compareGauges, limitValue, median } from "./gauges.ts";
import { type EvidenceState, startEvidence } from "./state.ts";

const MIB = 2 ** 20;
const memory: Gate = { name: "memory", metric: "MemoryPerPod", maxIncrease: "10%" };
const p95: Gate = { name: "p95", metric: "FirstByteP95", below: "120ms" };

describe("compareGauges", () => {
  it.each([
    ["within", p95, [0.1], [], "Passed"],
    ["at the limit", p95, [0.12], [], "Violated"],
    ["above", p95, [0.3], [], "Violated"],
    [
      "throughput enough",
      { name: "t", metric: "MessagesPerCpuSecond", above: "35000" },
      [36_000],
      [],
      "Passed",
    ],
    [
      "throughput too small",
      { name: "t", metric: "MessagesPerCpuSecond", above: "35000" },
      [35_000],
      [],
      "Violated",
    ],
    ["more memory, allowed", memory, [109], [100], "Passed"],
    ["more memory than allowed", memory, [111], [100], "Violated"],
    [
      "a drop that was asked for",
      { name: "m", metric: "MemoryPerPod", minDecrease: "30%" },
      [70],
      [100],
      "Passed",
    ],
    ["a drop too small", { name: "m", metric: "MemoryPerPod", minDecrease: "30%" }, [71], [100], "Violated"],
    [
      "an absolute limit broken, the relative one without data",
      { ...memory, below: "64Mi" },
      [65 * MIB],
      [],
      "Violated",
    ],
    [
      "an absolute limit kept, the relative one without data",
      { ...memory, below: "64Mi" },
      [63 * MIB],
      [],
      "NoData",
    ],
    ["no canary", p95, [], [0.1], "NoData"],
    ["a canary of NaN", p95, [Number.NaN], [0.1], "NoData"],
    ["no stable to compare with", memory, [100], [], "NoData"],
    ["one odd stable pod does not hide growth", memory, [200], [100, 100, 900], "Violated"],
    ["one odd canary pod does not make growth", memory, [100, 101, 900], [100, 100], "Passed"],
    ["nothing of nothing", { name: "e", metric: "ErrorShare", maxIncrease: "0%" }, [0], [0], "Passed"],
  ] satisfies [string, Gate, number[], number[], string][])("%s", (_, gate, canary, stable, category) => {
    expect(compareGauges(canary, stable, gate).category).toBe(category);
  });

  it("says which limit was broken, and both values", () => {
    expect(compareGauges([150], [100], memory)).toEqual({
      category: "Violated",
      canary: 150,
      stable: 100,
      message: "MemoryPerPod of the canary must be at most 10% above that of the stable version.",
    });
  });
});

describe("limitValue", () => {
  it.each([
    ["ErrorShare", "0.1%", 0.001],
    ["FirstByteP95", "120ms", 0.12],
    ["MemoryPerPod", "512Mi", 512 * MIB],
    ["RequestsPerCpuSecond", "250.5", 250.5],
  ] as const)("reads %s %s", (metric, text, value) => {
    expect(limitValue({ metric }, text)).toBeCloseTo(value, 12);
  });

  it("refuses a count with a unit", () => {
    expect(() => limitValue({ metric: "RequestsPerCpuSecond" }, "5%")).toThrow(
      '"5%" is not a count such as 35000',
    );
  });
});

describe("median", () => {
  it.each([
    [[], undefined],
    [[3], 3],
    [[9, 1], 5],
    [[9, Number.NaN, 1, 2], 2],
  ])("of %o is %o", (values, expected) => {
    expect(median(values)).toBe(expected);
  });
});

describe("observeGates", () => {
  const start = startEvidence({ signals: {}, falseRollback: 0.01, falsePromotion: 0.05, subject: "" }, {}, 0);
  const slow = { FirstByteP95: { canary: [0.5], stable: [0.1] } };
  const fast = { FirstByteP95: { canary: [0.1], stable: [0.1] } };
  const look = (readings: object[], from: EvidenceState = start) => {
    let state = from;
    return readings.map((reading, index) => {
      const seen = observeGates(state, [p95], reading, from.gatesEndMs + (index + 1) * 15_000);
      state = seen.state;
      return seen.verdicts[0]?.category;
    });
  };

  it("counts a gate as violated after three intervals in a row", () => {
    expect(look([slow, slow, slow, slow])).toEqual(["Undecided", "Undecided", "Violated", "Violated"]);
  });

  it("begins anew after an interval within the limit", () => {
    expect(look([slow, slow, fast, slow, slow, slow])).toEqual([
      "Undecided",
      "Undecided",
      "Passed",
      "Undecided",
      "Undecided",
      "Violated",
    ]);
  });

  it("holds without data, which neither counts nor breaks the row", () => {
    expect(look([slow, slow, {}, slow])).toEqual(["Undecided", "Undecided", "NoData", "Violated"]);
    expect(look([{}, {}, {}, {}])).toEqual(["NoData", "NoData", "NoData", "NoData"]);
  });

  it("counts an interval once, however often it is looked at", () => {
    const once = observeGates(start, [p95], slow, 15_000);
    const again = [1, 2, 3].reduce(({ state }) => observeGates(state, [p95], slow, 15_000), once);
    expect(again.verdicts[0]?.category).toBe("Undecided");
    expect(again.state.violations).toEqual({ p95: 1 });
  });

  it("forgets a gate that was taken out of the spec", () => {
    const once = observeGates(start, [p95], slow, 15_000);
    expect(observeGates(once.state, [memory], {}, 30_000).state.violations).toEqual({});
  });
});
