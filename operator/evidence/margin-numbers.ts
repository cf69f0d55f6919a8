import * as z from "zod";
import type { Margins } from "./config.ts";

/** Margins as numbers of a checkpoint: rollbackAbove and promoteBelow, then the increases if there are any. */
export const marginNumbers = z.array(z.number()).min(2).max(4);

export function numbersOfMargins(margins: Margins): number[] {
  const { rollbackAbove, promoteBelow, rollbackIncrease, promoteIncrease } = margins;
  const increases =
    rollbackIncrease === undefined && promoteIncrease === undefined
      ? []
      : [rollbackIncrease ?? 0, promoteIncrease ?? 0];
  return [rollbackAbove, promoteBelow, ...increases];
}

export function marginsOfNumbers([
  rollbackAbove = 0,
  promoteBelow = 0,
  ...increases
]: readonly number[]): Margins {
  const [rollbackIncrease = 0, promoteIncrease = 0] = increases;
  return {
    rollbackAbove,
    promoteBelow,
    ...(increases.length === 0 ? {} : { rollbackIncrease, promoteIncrease }),
  };
}
