import { describe, expect, it } from "vitest";
import { marginNumbers, marginsOfNumbers, numbersOfMargins } from "./margin-numbers.ts";

const points = { rollbackAbove: 0.001, promoteBelow: 0.01 };

describe("margins as numbers", () => {
  it.each([
    [points, [0.001, 0.01]],
    [{ ...points, rollbackIncrease: 0.5, promoteIncrease: 1 }, [0.001, 0.01, 0.5, 1]],
  ])("are %j and back", (margins, numbers) => {
    expect(numbersOfMargins(margins)).toEqual(numbers);
    expect(marginsOfNumbers(numbers)).toEqual(margins);
  });

  it.each([
    [{ ...points, rollbackIncrease: 0.5 }, [0.001, 0.01, 0.5, 0]],
    [{ ...points, promoteIncrease: 1 }, [0.001, 0.01, 0, 1]],
  ])("have an increase of none where only the other is stated: %j", (margins, numbers) => {
    expect(numbersOfMargins(margins)).toEqual(numbers);
    expect(marginsOfNumbers(numbers)).toEqual({ rollbackIncrease: 0, promoteIncrease: 0, ...margins });
  });

  it.each([[[]], [[0.1]], [[0.1, 0.2, 0.3, 0.4, 0.5]]])("are two to four: not %j", (numbers) => {
    expect(marginNumbers.safeParse(numbers).success).toBe(false);
  });
});
