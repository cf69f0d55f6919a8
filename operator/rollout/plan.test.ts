import { describe, expect, it } from "vitest";
import { rollout } from "../api/v1alpha1/rollout.ts";
import type { RolloutStatus } from "../api/v1alpha1/status.ts";
import { step } from "./model/world.ts";
import {
  isDark,
  lastStep,
  needsRequests,
  presentStep,
  provingStep,
  shareText,
  stepAt,
  stepsOf,
} from "./plan.ts";

const steps = [
  step("first", 10, { mirror: undefined, gates: ["quality"] }),
  step("half", 50),
  step("all", 100),
];
const canary = rollout.parse({ steps });
const state = (more: Partial<RolloutStatus>): RolloutStatus => ({
  phase: "Holding",
  phaseSince: "2026-01-01T00:00:00.000Z",
  ...more,
});

describe("stepAt", () => {
  it("is the step in numbers", () => {
    expect(stepAt(canary, 1)).toEqual({
      name: "half",
      index: 1,
      count: 3,
      weight: 50,
      mirror: 0,
      holdMs: 300_000,
      approval: false,
      analysis: "Required",
      provable: true,
      gates: [],
      replicas: undefined,
    });
    expect(stepAt(canary, 0).gates).toEqual(["quality"]);
  });

  it("is the nearest one there is", () => {
    expect([-1, 0, 2, 3].map((index) => stepAt(canary, index).name)).toEqual([
      "first",
      "first",
      "all",
      "all",
    ]);
    expect(lastStep(canary)).toEqual(stepAt(canary, 2));
  });
});

describe("proof", () => {
  const mirrored = step("dark", 0, { mirror: 50, analysis: "Background" });
  const all = step("all", 100);
  it.each<[string, object, boolean, string | undefined]>([
    ["can be had at a weight between none and all", { steps }, true, "first"],
    [
      "was had before all of the traffic",
      { steps: [step("half", 50, { analysis: "None" }), all] },
      true,
      "half",
    ],
    ["cannot be had where all of the traffic goes over at once", { steps: [all] }, false, undefined],
    [
      "cannot be had from a canary without requests",
      { steps: [step("dark", 0, { analysis: "Background" }), all] },
      false,
      undefined,
    ],
    ["can be had from copies of requests", { steps: [mirrored, all] }, true, undefined],
    ["cannot be had from a preview that is not asked for any", { strategy: "BlueGreen" }, false, undefined],
    [
      "can be had from a preview that is",
      { strategy: "BlueGreen", preview: { analysis: "Required" } },
      true,
      undefined,
    ],
  ])("%s", (_, plan, provable, proving) => {
    const spec = rollout.parse(plan);
    expect([lastStep(spec).provable, provingStep(spec)?.name]).toEqual([provable, proving]);
  });

  it("is gathered at no step of a plan that asks for none", () => {
    const half = step("half", 50, { analysis: "Background" });
    expect(provingStep(rollout.parse({ steps: [half, { ...all, analysis: "None" }] }))).toBeUndefined();
  });
});

describe("stepsOf", () => {
  it.each([
    ["Canary", ["first 10", "half 50", "all 100"]],
    ["BlueGreen", ["preview 0", "all 100"]],
    ["Immediate", ["all 100"]],
  ] as const)("%s", (strategy, expected) => {
    const taken = stepsOf({ ...canary, strategy });
    expect(taken.map(({ name, weight }) => `${name} ${weight}`)).toEqual(expected);
  });

  it("of Immediate wait for nothing", () => {
    expect(stepAt({ ...canary, strategy: "Immediate" }, 0)).toMatchObject({
      holdMs: 0,
      approval: false,
      analysis: "None",
    });
  });

  it("throws where a plan has none, which no resource does", () => {
    expect(() => stepsOf({ ...canary, steps: [] })).toThrow("a plan has at least one step");
  });
});

describe("presentStep", () => {
  it.each<[string, Partial<RolloutStatus>, string]>([
    ["is found by its name", { stepName: "half", weight: 10 }, "half"],
    [
      "that was removed is the last one that does not raise the weight",
      { stepName: "gone", weight: 99 },
      "half",
    ],
    ["that was removed may be at just that weight", { stepName: "gone", weight: 50 }, "half"],
    ["below every weight stays where it is", { stepName: "gone", weight: 5 }, "gone"],
    [
      "below every weight on its way is the first",
      { phase: "Stepping", stepName: "gone", weight: 5 },
      "first",
    ],
    ["is the first before any weight is in force", {}, "first"],
  ])("%s", (_, more, name) => {
    expect(presentStep(canary, state(more)).name).toBe(name);
  });
});

describe("a step", () => {
  const at = (weight: number, mirror = 0) => ({ ...stepAt(canary, 0), weight, mirror });

  it.each([
    [0, undefined, true],
    [0, 0, true],
    [0, 25, false],
    [25, 0, false],
    [25, undefined, false],
  ])("of weight %d after weight %s is dark: %s", (weight, inForce, dark) => {
    expect(isDark({ step: at(weight), state: state({ weight: inForce }) })).toBe(dark);
  });

  it.each([
    [at(0), false],
    [at(0, 10), true],
    [at(10), true],
    [{ ...at(10, 10), analysis: "None" as const }, false],
  ])("needs requests: %#", (given, needs) => {
    expect(needsRequests(given)).toBe(needs);
  });

  it("tells its share, and what is copied", () => {
    expect(shareText(at(25))).toBe("25%");
    expect(shareText(at(0, 10))).toBe("0%, 10% mirrored");
  });
});
