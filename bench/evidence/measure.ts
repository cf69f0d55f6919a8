import { CELLS, type Cell, LEVELS, PROMOTE_BELOW } from "./cells.ts";
import { betting, conditional, confidenceSequence } from "./methods.ts";
import { argoRollouts, flagger, kayenta } from "./peers.ts";
import { judgeHour } from "./product.ts";
import { judgeRequests, xoshiro } from "./requests.ts";
import { type Hour, MINUTES, randomStream, simulateHour } from "./world.ts";

/** What is compared. Those with a level are asked at every one of LEVELS, the rules have none. */
export const METHODS = {
  ours: { title: "operator", levels: LEVELS },
  promoted: { title: "operator, proved good enough", levels: LEVELS },
  again: { title: "operator, request by request", levels: LEVELS },
  conditional: { title: "C", levels: LEVELS },
  tempered: { title: "C tempered", levels: LEVELS },
  sequence: { title: "B", levels: LEVELS },
  betting: { title: "E", levels: LEVELS },
  kayenta: { title: "Kayenta", levels: [0] },
  argo: { title: "Argo Rollouts", levels: [0] },
  flagger: { title: "Flagger", levels: [0] },
} as const satisfies Record<string, { title: string; levels: readonly number[] }>;
export type MethodName = keyof typeof METHODS;

/** How many runs were decided first in which minute, by method and level; index 0 holds those that never were. */
export type Tally = Partial<Record<MethodName, number[][]>>;

const WITH_MARGIN = ["ours", "conditional", "tempered", "sequence", "betting"] as const;

/** Which methods are asked in a cell: rules know no margin. */
export function methodsOf({ kind, rollbackAbove }: Cell): Exclude<MethodName, "again">[] {
  if (kind === "promotion") return ["promoted"];
  return rollbackAbove === 0 ? [...WITH_MARGIN, "kayenta", "argo", "flagger"] : [...WITH_MARGIN];
}

/** A part of the runs of a cell; the same part gives the same runs whichever thread it is measured by. */
export interface Part {
  readonly cell: number;
  readonly seed: number;
  readonly part: number;
  readonly runs: number;
}

export function measurePart({ cell: index, seed, part, runs }: Part): Tally {
  const cell = CELLS[index];
  if (cell === undefined) throw new RangeError(`There is no cell ${index}.`);
  const random = randomStream(seed, index * 65_536 + part);
  const tally: Tally = cell.again
    ? { again: measuredAgain(cell, xoshiro(seed, index * 65_536 + part), runs) }
    : {};
  for (const name of methodsOf(cell)) {
    tally[name] = METHODS[name].levels.map(() => new Array<number>(MINUTES + 1).fill(0));
  }
  for (let run = 0; run < runs; run++) {
    const hour = simulateHour(cell.world, random);
    for (const name of methodsOf(cell)) {
      minutesOf(name, hour, cell).forEach((minute, level) => {
        const counts = tally[name]?.[level];
        if (counts !== undefined) counts[minute] = (counts[minute] ?? 0) + 1;
      });
    }
  }
  return tally;
}

/** The second simulation takes its time: it has fewer runs. */
const AGAIN_EVERY = 5;

function measuredAgain(cell: Cell, random: () => number, runs: number): number[][] {
  const counts = LEVELS.map(() => new Array<number>(MINUTES + 1).fill(0));
  const margins = { rollbackAbove: cell.rollbackAbove, promoteBelow: PROMOTE_BELOW };
  for (let run = 0; run < runs; run += AGAIN_EVERY) {
    const looks = judgeRequests(cell.world, margins, random)[cell.kind === "promotion" ? "below" : "worse"];
    LEVELS.forEach((level, index) => {
      const minute = looks.findIndex((log) => log >= Math.log(1 / level)) + 1;
      const minutes = counts[index];
      if (minutes !== undefined) minutes[minute] = (minutes[minute] ?? 0) + 1;
    });
  }
  return counts;
}

/** What decides at every level. */
const MOST = -Math.log(Math.min(...LEVELS));

/** The minute of the decision at each level, 0 for none. */
function minutesOf(name: Exclude<MethodName, "again">, hour: Hour, cell: Cell): number[] {
  const firsts = (looks: Float64Array) =>
    LEVELS.map((level) => looks.findIndex((log) => log >= Math.log(1 / level)) + 1);
  const margins = { rollbackAbove: cell.rollbackAbove, promoteBelow: PROMOTE_BELOW };
  switch (name) {
    case "ours":
      return firsts(judgeHour(hour, margins, { question: "worse", log: MOST }, cell.disturbance).worse);
    case "promoted":
      return firsts(judgeHour(hour, margins, { question: "below", log: MOST }, cell.disturbance).below);
    case "conditional":
      return firsts(conditional(false)(hour, cell.rollbackAbove));
    case "tempered":
      return firsts(conditional(true)(hour, cell.rollbackAbove));
    case "sequence":
      return firsts(confidenceSequence(hour, cell.rollbackAbove));
    case "betting":
      return firsts(betting(hour, cell.rollbackAbove));
    case "kayenta":
      return [kayenta(hour) ?? 0];
    case "argo":
      return [argoRollouts(hour) ?? 0];
    case "flagger":
      return [flagger(hour) ?? 0];
  }
}
