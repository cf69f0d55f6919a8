import { describe, expect, it } from "vitest";
import { GATE_METRIC_UNITS, type Gate, type GateMetric, rollout } from "../api/v1alpha1/rollout.ts";
import { hasUnit } from "../api/v1alpha1/rules/units.ts";
import { type EvidenceConfig, evidenceConfig, gateLevels, worseThreshold } from "./config.ts";
import type { Side } from "./gate-evidence.ts";
import { type GateReadings, observeGates } from "./gates.ts";
import { compareGauges, type GateLimits, limitValue, median } from "./gauges.ts";
import { type EvidenceState, startEvidence } from "./state.ts";

const MIB = 2 ** 20;
const memory: Gate = { name: "memory", metric: "MemoryPerPod", maxIncrease: "10%", dryRun: false };
const p95: Gate = { name: "p95", metric: "FirstByteP95", below: "120ms", dryRun: false };

describe("compareGauges", () => {
  it.each([
    ["within", p95, [0.1], [], "Within"],
    ["at the limit", p95, [0.12], [], "Over"],
    ["above", p95, [0.2], [], "Over"],
    [
      "throughput enough",
      { name: "t", metric: "MessagesPerCpuSecond", above: "35000" },
      [36_000],
      [],
      "Within",
    ],
    [
      "throughput too small",
      { name: "t", metric: "MessagesPerCpuSecond", above: "35000" },
      [35_000],
      [],
      "Over",
    ],
    ["more memory, allowed", memory, [109], [100], "Within"],
    ["more memory than allowed", memory, [111], [100], "Over"],
    [
      "a drop that was asked for",
      { name: "m", metric: "MemoryPerPod", minDecrease: "30%" },
      [70],
      [100],
      "Within",
    ],
    ["a drop too small", { name: "m", metric: "MemoryPerPod", minDecrease: "30%" }, [71], [100], "Over"],
    [
      "an absolute limit broken, the relative one without data",
      { ...memory, below: "64Mi" },
      [65 * MIB],
      [],
      "Over",
    ],
    [
      "an absolute limit kept, the relative one without data",
      { ...memory, below: "64Mi" },
      [63 * MIB],
      [],
      undefined,
    ],
    ["above twice the limit", p95, [0.25], [], "Far"],
    [
      "less than half of the throughput",
      { name: "t", metric: "MessagesPerCpuSecond", above: "35000" },
      [17_000],
      [],
      "Far",
    ],
    ["more than twice of what it may have", memory, [221], [100], "Far"],
    [
      "something where the limit is nothing",
      { name: "e", metric: "ErrorShare", maxIncrease: "0%" },
      [0.1],
      [0],
      "Over",
    ],
    ["no canary", p95, [], [0.1], undefined],
    ["a canary of NaN", p95, [Number.NaN], [0.1], undefined],
    ["no stable to compare with", memory, [100], [], undefined],
    ["one odd stable pod does not hide growth", memory, [200], [100, 100, 900], "Over"],
    ["one odd canary pod does not make growth", memory, [100, 101, 900], [100, 100], "Within"],
    ["nothing of nothing", { name: "e", metric: "ErrorShare", maxIncrease: "0%" }, [0], [0], "Within"],
  ] satisfies [string, GateLimits, number[], number[], Side | undefined][])(
    "%s",
    (_, gate, canary, stable, side) => {
      expect(compareGauges({ canary, stable, load: 1 }, gate).side).toBe(side);
    },
  );

  it("says which limit was broken, and both values", () => {
    expect(compareGauges({ canary: [150], stable: [100], load: 1 }, memory)).toEqual({
      side: "Over",
      canary: 150,
      stable: 100,
      message: "MemoryPerPod of the canary must be at most 10% above that of the stable version.",
    });
  });
});

describe("a limit relative to the stable version", () => {
  const growth = (maxIncrease: string): GateLimits => ({ name: "g", metric: "CpuShare", maxIncrease });
  const drop: GateLimits = { name: "g", metric: "CpuShare", minDecrease: "20%" };
  const side = (gate: GateLimits, canary: number, load: number | undefined) =>
    compareGauges({ canary: [canary], stable: [100], load }, gate).side;

  it.each([
    ["as many requests", growth("20%"), 121, 1, "Over"],
    ["a fifth more, which the limit allows of the value", growth("20%"), 120, 1.2, "Within"],
    ["a fifth more, and costs more than they explain", growth("20%"), 145, 1.2, "Over"],
    ["a fifth more, which may explain it", growth("20%"), 144, 1.2, "Between"],
    ["a fifth less, and costs as much as before", growth("20%"), 100, 1 / 1.2, "Within"],
    ["a fifth less, which may hide a growth", growth("20%"), 101, 1 / 1.2, "Between"],
    ["too many more", growth("20%"), 300, 1.21, undefined],
    ["too many fewer", growth("20%"), 50, 0.82, undefined],
    ["a tenth more, as chance has it", growth("0%"), 100, 1.1, "Within"],
    ["half as many more, however much is allowed", growth("200%"), 100, 1.5, "Within"],
    ["more than that", growth("200%"), 100, 1.51, undefined],
    ["none", growth("20%"), 10, 0, undefined],
    ["all", growth("20%"), 10, Number.POSITIVE_INFINITY, undefined],
    ["nobody knows how many", growth("20%"), 10, undefined, undefined],
    ["a quarter more, and less is asked for", drop, 80, 1.25, "Within"],
    ["a quarter less, which may be why", drop, 80, 0.8, "Between"],
    ["a quarter less, and less than they explain", drop, 64, 0.8, "Within"],
    ["far more than the limit, at as many as it allows", growth("20%"), 289, 1.2, "Far"],
  ] satisfies [string, GateLimits, number, number | undefined, Side | undefined][])(
    "where the canary's pods serve %s",
    (_, gate, canary, load, expected) => {
      expect(side(gate, canary, load)).toBe(expected);
    },
  );

  it.each([10, 20, 50, 150])(
    "of %d%% finds nothing in the same program, and nothing good in a worse one",
    (percent) => {
      const gate = growth(`${percent}%`);
      const factor = 1 + percent / 100;
      for (const follows of [0, 0.5, 1])
        for (let load = 0.4; load < 2.5; load *= 1.01) {
          const cost = 100 * load ** follows;
          expect(["Within", undefined]).toContain(side(gate, cost, load));
          const { atBest } = compareGauges({ canary: [cost], stable: [100], load }, gate);
          expect(["Within", undefined]).toContain(atBest);
          expect(["Within", "Between", undefined]).toContain(side(gate, cost * factor * 0.999, load));
          expect(["Between", "Over", undefined]).toContain(side(gate, cost * factor * 1.001, load));
        }
    },
  );

  it.each([
    [
      undefined,
      "Nobody is known to be served by the stable version beside the canary, so that CpuShare cannot be compared.",
    ],
    [0, "The canary serves no requests to compare CpuShare at."],
    [
      2,
      "A pod of the canary serves many more requests than one of the stable version, so that CpuShare cannot be compared; rollout.baseline SameAge makes them alike.",
    ],
    [
      0.5,
      "A pod of the canary serves far fewer requests than one of the stable version, so that CpuShare cannot be compared; rollout.baseline SameAge makes them alike.",
    ],
    [
      1.2,
      "CpuShare of the canary must be at most 20% above that of the stable version, which cannot be told while its pods serve other numbers of requests.",
    ],
  ])("says why it cannot be told at %d times the load", (load, message) => {
    expect(compareGauges({ canary: [130], stable: [100], load }, growth("20%")).message).toBe(message);
  });

  it.each([
    ["is beyond it all the same", 121, 0.5, { side: undefined, atBest: "Over" }],
    ["is far beyond it", 241, 0.5, { side: undefined, atBest: "Far" }],
    ["is within it, as may be for want of requests", 120, 0.5, { side: undefined, atBest: "Within" }],
    ["has none", 121, 0, { side: undefined }],
    ["has many more", 300, 2, { side: undefined }],
    ["has nearly as many", 110, 1 / 1.2, { side: "Between" }],
  ] satisfies [string, number, number, object][])(
    "may be proved broken by pods that serve far fewer requests: where the canary %s",
    (_, canary, load, expected) => {
      const { side, atBest } = compareGauges({ canary: [canary], stable: [100], load }, growth("20%"));
      expect({ side, ...(atBest ? { atBest } : {}) }).toEqual(expected);
    },
  );

  it("is no part of a look that finds another limit of the gate broken", () => {
    expect(side({ ...growth("20%"), below: "90%" }, 1, undefined)).toBe("Over");
    expect(side({ ...growth("20%"), below: "90%" }, 0.5, undefined)).toBeUndefined();
  });
});

describe("what a look at gauges says", () => {
  const throughput: GateLimits = { name: "t", metric: "MessagesPerCpuSecond", above: "35000" };
  it.each([
    ["there is no value", p95, [], [0.1], "The canary has no FirstByteP95 yet."],
    [
      "there is none to compare with",
      memory,
      [100],
      [],
      "The stable version has no MemoryPerPod to compare with.",
    ],
    [
      "it keeps every limit",
      { ...memory, below: "1Gi" },
      [100],
      [100],
      "MemoryPerPod of the canary is within below 1Gi and maxIncrease 10%.",
    ],
    ["it is too high", p95, [0.2], [], "FirstByteP95 of the canary must be below 120ms."],
    ["it is too low", throughput, [1], [], "MessagesPerCpuSecond of the canary must be above 35000."],
    [
      "it falls too little",
      { name: "m", metric: "MemoryPerPod", minDecrease: "30%" },
      [90],
      [100],
      "MemoryPerPod of the canary must be at least 30% below that of the stable version.",
    ],
    [
      "two limits are broken, the one by far",
      { name: "m", metric: "MemoryPerPod", below: "100", maxIncrease: "10%" },
      [150],
      [10],
      "MemoryPerPod of the canary must be at most 10% above that of the stable version.",
    ],
  ] satisfies [string, GateLimits, number[], number[], string][])(
    "when %s",
    (_, gate, canary, stable, message) => {
      expect(compareGauges({ canary, stable, load: 1 }, gate).message).toBe(message);
    },
  );

  it.each([
    [p95, 0.24, "Over"],
    [p95, 0.2400001, "Far"],
    [throughput, 17_500, "Over"],
    [throughput, 17_499, "Far"],
    [{ name: "e", metric: "ErrorShare", below: "0%" }, 0.5, "Over"],
  ] satisfies [GateLimits, number, Side][])(
    "is far beyond twice the limit: %j at %d",
    (gate, canary, side) => {
      expect(compareGauges({ canary: [canary], stable: [] }, gate).side).toBe(side);
    },
  );
});

describe("limitValue", () => {
  it.each([
    ["ErrorShare", "0.1%", 0.001],
    ["FirstByteP95", "120ms", 0.12],
    ["FirstByteP95", "1.5s", 1.5],
    ["TotalP95", "0.5m", 30],
    ["MemoryPerPod", "512Mi", 512 * MIB],
    ["MemoryPerPod", "1.5Gi", 1536 * MIB],
    ["RequestsPerCpuSecond", "250.5", 250.5],
  ] as const)("reads %s %s", (metric, text, value) => {
    expect(limitValue({ metric }, text)).toBeCloseTo(value, 12);
  });

  it.each([
    ["RequestsPerCpuSecond", "5%", '"5%" is not a plain number such as 35000'],
    ["FirstByteP95", "5", '"5" is not a duration such as 120ms'],
    ["MemoryPerPod", "5s", '"5s" is not bytes such as 512Mi'],
    ["ErrorShare", "5s", '"5s" is not a percentage such as 5%'],
  ] as const)("refuses for %s what is in another unit: %s", (metric, text, message) => {
    expect(() => limitValue({ metric }, text)).toThrow(message);
  });

  it("reads every limit that the resource takes", () => {
    const texts = ["1.5%", "1.5ms", "1.5s", "1.5m", "1.5h", "1.5Ki", "1.5Mi", "1.5Gi", "1.5"];
    for (const metric of Object.keys(GATE_METRIC_UNITS) as GateMetric[]) {
      const taken = texts.filter((text) => hasUnit(GATE_METRIC_UNITS[metric], text));
      expect(taken).not.toEqual([]);
      for (const text of taken) expect(limitValue({ metric }, text)).toBeGreaterThan(0);
    }
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
  const config: EvidenceConfig = {
    signals: {},
    gates: 1,
    falseRollback: 0.01,
    falsePromotion: 0.05,
    subject: "",
  };
  const start = startEvidence(config, {}, 0);
  const INTERVAL_MS = 15_000;
  const reading = (canary: number, windowMs = 0) => ({
    FirstByteP95: { canary: [canary], stable: [0.1], windowMs },
  });
  const [slow, stuck, fast] = [reading(0.2), reading(0.5), reading(0.1)];
  const times = (count: number, one: GateReadings) => Array.from({ length: count }, () => one);
  const look = (readings: readonly GateReadings[], from: EvidenceState = start, gate = p95) => {
    let state = from;
    const verdicts = readings.map((one, index) => {
      const seen = observeGates(state, config, [gate], one, (index + 1) * INTERVAL_MS);
      state = seen.state;
      return seen.verdicts[0];
    });
    return { state, last: verdicts.at(-1), categories: verdicts.map((verdict) => verdict?.category) };
  };

  it("rolls back what is beyond a relative limit for fewer requests, and passes nothing that is within it for that", () => {
    const growth: Gate = { ...p95, below: undefined, maxIncrease: "20%", dryRun: false };
    const idle = (canary: number) => ({
      FirstByteP95: { canary: [canary], stable: [0.1], windowMs: 0, load: 0.4 },
    });
    const worse = look(times(11, idle(0.15)), start, growth);
    expect(worse.categories).toEqual([...Array(10).fill("Undecided"), "Violated"]);
    const alike = look(times(40, idle(0.1)), start, growth);
    expect(alike.last).toMatchObject({ category: "NoData", looks: 40 });
  });

  it("passes what was within its limit for half a dozen intervals", () => {
    expect(look(times(6, fast)).categories).toEqual([...Array(5).fill("Undecided"), "Passed"]);
    expect(look(times(6, fast)).last).toMatchObject({
      looks: 6,
      message: "FirstByteP95 of the canary is proved to keep below 120ms.",
    });
  });

  it("holds while the limit is broken, and rolls back what is proved to break it", () => {
    const { categories, last } = look(times(11, slow));
    expect(categories).toEqual([...Array(10).fill("Undecided"), "Violated"]);
    expect(last?.message).toBe("FirstByteP95 of the canary is proved to break below 120ms.");
  });

  it("needs four intervals for what is beyond twice the limit", () => {
    expect(look(times(4, stuck)).categories).toEqual(["Undecided", "Undecided", "Undecided", "Violated"]);
  });

  it("never passes on a look that is over the limit", () => {
    expect(look([...times(9, fast), slow]).last).toMatchObject({
      category: "Undecided",
      message: "FirstByteP95 of the canary must be below 120ms.",
    });
    expect(look([...times(9, fast), slow, fast]).last?.category).toBe("Passed");
  });

  it("holds without data, which counts for nothing", () => {
    const { categories, last } = look([fast, {}, fast, {}]);
    expect(categories).toEqual(["Undecided", "NoData", "Undecided", "NoData"]);
    expect(last?.looks).toBe(2);
  });

  it("keeps what is proved of a relative limit where there is nobody to compare with, and proves nothing there", () => {
    const cpu: Gate = { name: "cpu", metric: "CpuShare", maxIncrease: "20%", dryRun: false };
    const at = (canary: number, load?: number) => ({
      CpuShare: { canary: [canary], stable: [0.1], windowMs: 0, load },
    });
    const alone = look([...times(6, at(0.1, 1)), ...times(40, at(0.9))], start, cpu);
    expect(alone.last).toMatchObject({ category: "Passed", looks: 6 });
    expect(look([...times(5, at(0.1, 1)), ...times(40, at(0.9))], start, cpu).last).toMatchObject({
      category: "NoData",
      looks: 5,
    });
    expect(look(times(40, at(0.2, 2)), start, cpu).last).toMatchObject({ category: "NoData", looks: 0 });
    expect(
      look([...times(6, at(0.1, 1)), { CpuShare: { ...at(0.1).CpuShare, canary: [] } }], start, cpu).last
        ?.category,
    ).toBe("NoData");
  });

  it("neither passes nor rolls back by looks that the load may explain", () => {
    const cpu: Gate = { name: "cpu", metric: "CpuShare", maxIncrease: "20%", dryRun: false };
    const between = { CpuShare: { canary: [1.3], stable: [1], windowMs: 0, load: 1.15 } };
    expect(new Set(look(times(40, between), start, cpu).categories)).toEqual(new Set(["Undecided"]));
  });

  it("counts an interval once, however often it is looked at", () => {
    let { state } = look([slow]);
    for (let again = 0; again < 20; again++)
      state = observeGates(state, config, [p95], slow, INTERVAL_MS).state;
    expect(state.gates.p95?.evidence.looks).toBe(1);
  });

  it("counts values over windows that overlap once, and none from before the canary served", () => {
    const { state } = look(times(12, reading(0.2, 60_000)));
    expect(state.gates.p95?.evidence.looks).toBe(3);
  });

  it("begins anew for a limit that was edited, and goes on with that of the others", () => {
    const { state } = look(times(6, fast));
    const edited = observeGates(state, config, [{ ...p95, below: "110ms" }, memory], fast, 105_000);
    expect(edited.verdicts[0]).toMatchObject({ looks: 1, category: "Undecided" });
    expect(observeGates(state, config, [memory, p95], fast, 105_000).verdicts[1]).toMatchObject({
      looks: 7,
      category: "Passed",
    });
  });

  it("does not count those that only run dry, whose verdicts say so", () => {
    const analysis = rollout.parse({
      analysis: {
        gates: [p95, { ...memory, dryRun: true }],
        latency: { objective: "120ms", dryRun: true },
      },
    }).analysis;
    const dry = evidenceConfig(analysis);
    expect(dry).toMatchObject({ gates: 1, dryRun: ["latency"] });
    expect(worseThreshold(dry)).toBeCloseTo(Math.log(200), 9);
    expect(observeGates(start, dry, analysis.gates, slow, INTERVAL_MS).verdicts).toMatchObject([
      { gate: "p95", dryRun: false },
      { gate: "memory", dryRun: true },
    ]);
  });

  it("forgets a gate that was taken out of the spec", () => {
    const { state } = look([slow]);
    expect(Object.keys(observeGates(state, config, [memory], {}, 30_000).state.gates)).toEqual(["memory"]);
  });

  it("is asked for more where gates are many, and leaves half of falseRollback to the signals", () => {
    const many = { ...config, signals: { errors: { rollbackAbove: 0, promoteBelow: 0.01 } }, gates: 16 };
    expect(gateLevels(many)).toEqual({ falseRollback: 0.005, falsePromotion: 0.05, gates: 16 });
    expect(worseThreshold(many)).toBeCloseTo(Math.log(200), 9);
    expect(worseThreshold({ ...many, gates: 0 })).toBeCloseTo(Math.log(100), 9);
  });
});
