import { describe, expect, it } from "vitest";
import { freshBridge, SAMPLE_NOW_MS, sampleBridge } from "../testing/sample-bridge.ts";
import { fittingColumns, headOf, rowOf, worstVerdict } from "./row.ts";
import { tableText } from "./table.ts";

describe("rowOf", () => {
  it("shows a canary in one line", () => {
    const table = tableText([headOf(false), rowOf(sampleBridge(), SAMPLE_NOW_MS, false)]);
    expect(table).toBe(
      [
        "NAME   PHASE     STEP          STABLE           CANARY           WEIGHT   SERVED   VERDICT                 REPLICAS   WORKERS   AGE",
        "chat   Holding   tenth (1/3)   7c9f21 (1.4.0)   d04be8 (1.5.0)   10%      9.7%     ProvedBelow (+0.02pp)   10+2       2         31d",
        "",
      ].join("\n"),
    );
  });

  it("shows a bridge that no operator has seen", () => {
    expect(rowOf(freshBridge(), SAMPLE_NOW_MS, true).join(" ")).toBe("ai chat - - - - - - - 0 - 31d");
  });

  it("says that it is paused", () => {
    expect(rowOf(sampleBridge({ rollout: { paused: true } }), SAMPLE_NOW_MS, false)[1]).toBe(
      "Holding (paused)",
    );
  });
});

it.each([
  [135, 11],
  [120, 9],
  [80, 7],
  [20, 5],
])("at %i columns the table has %i", (columns, count) => {
  const table = [headOf(false), rowOf(sampleBridge(), SAMPLE_NOW_MS, false)];
  const fitting = fittingColumns(table, columns);
  expect(fitting[0]).toHaveLength(count);
  expect(fitting[0]).toEqual(expect.arrayContaining(["NAME", "PHASE", "VERDICT", "AGE"]));
});

it("worstVerdict puts what is against the canary first", () => {
  const verdict = (category: "Undecided" | "Violated" | "Passed") => ({
    signal: category,
    category,
    message: "",
  });
  expect(worstVerdict([verdict("Passed"), verdict("Violated"), verdict("Undecided")])?.category).toBe(
    "Violated",
  );
  expect(worstVerdict([{ ...verdict("Violated"), dryRun: true }, verdict("Passed")])?.category).toBe(
    "Passed",
  );
  expect(worstVerdict([])).toBeUndefined();
});
