import { describe, expect, it } from "vitest";
import { type Outcome, outcomeDifferences } from "./outcome.ts";

const outcome = (decisions: readonly string[], hasOlderDecisions = false): Outcome => ({
  ...{ children: {}, status: {}, created: {}, deleted: {}, decisions, hasOlderDecisions },
});

describe("decisions of two outcomes", () => {
  it("are compared one by one where all of them are kept", () => {
    expect(outcomeDifferences(outcome(["start", "step"]), outcome(["start", "step"]))).toEqual([]);
    expect(outcomeDifferences(outcome(["start", "step"]), outcome(["step"]))).not.toEqual([]);
  });

  it("are compared from the newest on where older ones may have made room", () => {
    const wanted = outcome(["start", "step", "promote"]);
    expect(outcomeDifferences(wanted, outcome(["step", "promote"], true))).toEqual([]);
    expect(outcomeDifferences(wanted, outcome(["start", "step"], true))).not.toEqual([]);
    expect(outcomeDifferences(wanted, outcome(["step", "promote", "promote"], true))).not.toEqual([]);
  });
});
