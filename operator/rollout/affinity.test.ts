import { describe, expect, it } from "vitest";
import { affinityRound } from "./affinity.ts";
import { T0 } from "./model/world.ts";

const timing = { startedAt: new Date(T0 + 90_500).toISOString(), waitedMs: 0 };
const phaseSince = new Date(T0).toISOString();

describe("affinityRound", () => {
  it("is named after the canary and the second in which it started", () => {
    const state = { phase: "Holding" as const, phaseSince, stableRevision: "a", canaryRevision: "b", timing };
    const second = Math.floor(T0 / 1000) + 90;
    expect(affinityRound(state)).toEqual({ id: `b-${second.toString(36)}`, canary: "b" });
  });

  it.each([
    ["nothing stored", undefined],
    ["a first version", { phase: "Pending" as const, phaseSince, canaryRevision: "a" }],
    ["a stable version alone", { phase: "Stable" as const, phaseSince, stableRevision: "a", timing }],
  ])("is none with %s", (_, state) => {
    expect(affinityRound(state)).toBeUndefined();
  });
});
