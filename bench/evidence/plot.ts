import { CELLS } from "./cells.ts";
import { METHODS, type MethodName, type Tally } from "./measure.ts";
import { MINUTES } from "./world.ts";

/** What is drawn, from left to right. */
const PANELS = [
  { cell: "dispersion 0.003", title: "the same version" },
  { cell: "canary 2%, dispersion 0.003", title: "2% errors instead of 1%" },
  { cell: "canary 3%, dispersion 0.003", title: "3% errors instead of 1%" },
] as const;
const LINES: readonly (readonly [MethodName, string, string])[] = [
  ["ours", "#0b6e4f", ""],
  ["tempered", "#3f88c5", ""],
  ["sequence", "#7a5195", ""],
  ["kayenta", "#d1495b", "6 3"],
  ["argo", "#8d6a3f", "2 2"],
  ["flagger", "#555555", "8 3 2 3"],
];
const STATED = 0.05;

const WIDTH = 280;
const HEIGHT = 200;
const LEFT = 46;
const TOP = 34;
const GAP = 24;

/** Share of simulated canaries that each method has rolled back by a minute, at dispersion 0.003 and level 5 %, as SVG. */
export function plot(tallies: readonly Tally[], runs: number): string {
  const panels = PANELS.map(({ cell, title }, index) => {
    const at = CELLS.findIndex(({ title: own, rollbackAbove }) => own === cell && rollbackAbove === 0);
    return panel(title, LEFT + index * (WIDTH + GAP), tallies[at] ?? {}, index === 0);
  });
  const width = LEFT + PANELS.length * (WIDTH + GAP);
  const height = TOP + HEIGHT + 76;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="11">`,
    `<title>Share of ${runs.toLocaleString("en")} simulated canaries that are rolled back by a minute</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...panels,
    ...LINES.map(([name, colour, dash], index) => {
      const x = LEFT + index * 140;
      const y = height - 14;
      return `<path d="M${x} ${y - 4}h24" stroke="${colour}" stroke-width="2"${dashes(dash)}/><text x="${x + 30}" y="${y}">${METHODS[name].title}</text>`;
    }),
    "</svg>",
    "",
  ].join("\n");
}

function panel(title: string, left: number, tally: Tally, first: boolean): string {
  const x = (minute: number) => (left + (minute / MINUTES) * WIDTH).toFixed(1);
  const y = (share: number) => (TOP + (1 - share) * HEIGHT).toFixed(1);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<path d="M${left} ${y(share)}h${WIDTH}" stroke="#dddddd"/>${first ? `<text x="${left - 6}" y="${Number(y(share)) + 4}" text-anchor="end">${share * 100}%</text>` : ""}`,
  );
  const minutes = [0, 15, 30, 45, 60].map(
    (minute) => `<text x="${x(minute)}" y="${TOP + HEIGHT + 16}" text-anchor="middle">${minute}</text>`,
  );
  return [
    `<text x="${left}" y="${TOP - 12}" font-weight="bold">${title}</text>`,
    ...ticks,
    ...minutes,
    `<text x="${left + WIDTH / 2}" y="${TOP + HEIGHT + 32}" text-anchor="middle">minute</text>`,
    ...(first ? [`<path d="M${left} ${y(STATED)}h${WIDTH}" stroke="#000000" stroke-dasharray="1 3"/>`] : []),
    ...LINES.flatMap(([name, colour, dash]) => {
      const counts = tally[name]?.[0];
      if (counts === undefined) return [];
      const path = rising(counts).map(
        (share, minute) => `${minute === 0 ? "M" : "L"}${x(minute)} ${y(share)}`,
      );
      return `<path d="${path.join("")}" fill="none" stroke="${colour}" stroke-width="2"${dashes(dash)}/>`;
    }),
  ].join("\n");
}

/** Share decided by the end of each minute. */
function rising(counts: readonly number[]): number[] {
  const runs = counts.reduce((sum, count) => sum + count, 0);
  let decided = 0;
  return counts.map((count, minute) => {
    if (minute > 0) decided += count;
    return decided / runs;
  });
}

function dashes(pattern: string): string {
  return pattern === "" ? "" : ` stroke-dasharray="${pattern}"`;
}
