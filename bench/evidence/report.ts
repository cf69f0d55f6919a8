import { readFileSync, writeFileSync } from "node:fs";
import { CELLS, type Cell, LEVELS } from "./cells.ts";
import type { MethodName, Tally } from "./measure.ts";

export interface Finding {
  /** Share of runs that were decided. */
  readonly share: number;
  /** Median minute of these. */
  readonly minute: number | undefined;
}

export function findingOf(tally: Tally, name: MethodName, level = 0): Finding | undefined {
  const minutes = tally[name]?.[level];
  if (minutes === undefined) return undefined;
  const runs = minutes.reduce((sum, count) => sum + count, 0);
  const decided = runs - (minutes[0] ?? 0);
  let before = 0;
  const minute = minutes.findIndex((count, index) => {
    if (index > 0) before += count;
    return index > 0 && before > 0 && before >= decided / 2;
  });
  return { share: decided / runs, minute: minute === -1 ? undefined : minute };
}

/** Every cell as Markdown: false rollbacks, detection beside others, detection at other margins, promotion. */
export function report(tallies: readonly Tally[], runs: number): string {
  const cells = CELLS.map((cell, index) => ({ cell, tally: tallies[index] ?? {} }));
  const of = (kind: Cell["kind"], margin?: number) =>
    cells.filter(({ cell }) => cell.kind === kind && (margin ?? cell.rollbackAbove) === cell.rollbackAbove);
  return [
    `${runs.toLocaleString("en")} simulated hours a row. Level 5% unless 1% is said.`,
    "![Share of canaries that are rolled back by a minute, at dispersion 0.003; the dotted line is the stated 5%](evidence.svg)",
    "### A version that is not worse: rolled back in the hour",
    table(
      ["operator 5%", "operator 1%", "C", "C tempered", "B", "E", "Kayenta", "Argo Rollouts", "Flagger"],
      of("same").map(({ cell, tally }) => [
        cell.title,
        ...LEVELS.map((level, index) => stated(findingOf(tally, "ours", index), level, runs)),
        ...REFERENCES.map((name) => share(findingOf(tally, name))),
      ]),
    ),
    "### A version that is worse, `rollbackAbove: 0`: found, and the median minute",
    table(
      [
        "required",
        "operator 5%",
        "operator 1%",
        "C",
        "C tempered",
        "B",
        "E",
        "Kayenta",
        "Argo Rollouts",
        "Flagger",
      ],
      of("worse", 0).map(({ cell, tally }) => [
        cell.title,
        required(cell, 0),
        ...LEVELS.map((_, level) => met(cell, level, findingOf(tally, "ours", level))),
        ...REFERENCES.map((name) => found(findingOf(tally, name))),
      ]),
    ),
    "### The same with what the spec allows in between: operator, C tempered, B",
    table(
      [
        "required 5%",
        "operator 5%",
        "C tempered 5%",
        "B 5%",
        "required 1%",
        "operator 1%",
        "C tempered 1%",
        "B 1%",
      ],
      [0.001, 0.005].flatMap((margin) =>
        of("worse", margin).map(({ cell, tally }) => [
          `${margin * 100} points, ${cell.title}`,
          ...LEVELS.flatMap((_, level) => [
            required(cell, level),
            met(cell, level, findingOf(tally, "ours", level)),
            found(findingOf(tally, "tempered", level)),
            found(findingOf(tally, "sequence", level)),
          ]),
        ]),
      ),
    ),
    "### Proved good enough at some look, `promoteBelow: 1%`",
    table(
      ["at 5%", "median minute", "at 1%", "median minute"],
      of("promotion").map(({ cell, tally }) => [
        cell.title,
        ...LEVELS.flatMap((level, index) => {
          const finding = findingOf(tally, "promoted", index);
          const bad = cell.world.canaryRate > cell.world.stableRate;
          return [bad ? stated(finding, level, runs) : share(finding), String(finding?.minute ?? "")];
        }),
      ]),
    ),
    "### The same by a second simulation",
    "Request by request, with another generator and no code in common with the first (bench/evidence/requests.ts); a fifth of the hours.",
    table(
      ["required 5%", "first 5%", "second 5%", "required 1%", "first 1%", "second 1%"],
      cells.flatMap(({ cell, tally }) => (cell.again ? [[titleOf(cell), ...twice(cell, tally, runs)]] : [])),
    ),
  ].join("\n\n");
}

function titleOf({ kind, title, rollbackAbove }: Cell): string {
  if (kind === "promotion") return `promoted: ${title}`;
  return kind === "same" ? `rolled back: ${title}` : `found: ${title}, ${rollbackAbove * 100} points`;
}

function twice(cell: Cell, tally: Tally, runs: number): string[] {
  const first = cell.kind === "promotion" ? "promoted" : "ours";
  return LEVELS.flatMap((level, index) => {
    const findings = [findingOf(tally, first, index), findingOf(tally, "again", index)];
    if (cell.kind === "worse")
      return [required(cell, index), ...findings.map((finding) => met(cell, index, finding))];
    const [one, other] = findings;
    return [`at most ${100 * level}%`, stated(one, level, runs), stated(other, level, runsOf(tally, index))];
  });
}

function runsOf(tally: Tally, level: number): number {
  return tally.again?.[level]?.reduce((sum, count) => sum + count, 0) ?? 0;
}

const REFERENCES = ["conditional", "tempered", "sequence", "betting", "kayenta", "argo", "flagger"] as const;

/** Replaces what stands between the marks of that name in the file. */
export function writeReport(path: string, name: string, text: string): void {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const document = readFileSync(path, "utf8");
  const [before, rest = ""] = document.split(begin);
  const after = rest.split(end)[1];
  if (after === undefined) throw new Error(`${path} has no place for the tables: ${begin} ... ${end}`);
  writeFileSync(path, `${before}${begin}\n${text}\n${end}${after}`);
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (values: readonly string[]) => `| ${values.join(" | ")} |`;
  return [line(["", ...columns]), `|${"---|".repeat(columns.length + 1)}`, ...rows.map(line)].join("\n");
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)}%`;
}

function share(finding: Finding | undefined): string {
  return finding === undefined ? "" : percent(finding.share);
}

/** A share that is to stay at or below a level; what exceeds it by more than two standard errors is marked, and so is what merely exceeds it. */
function stated(finding: Finding | undefined, level: number, runs: number): string {
  if (finding === undefined) return "";
  const error = 2 * Math.sqrt((level * (1 - level)) / runs);
  if (finding.share > level + error) return `**${percent(finding.share)} (too often)**`;
  return finding.share > level
    ? `${percent(finding.share)} (within two standard errors)`
    : percent(finding.share);
}

function found(finding: Finding | undefined): string {
  if (finding === undefined) return "";
  return finding.minute === undefined
    ? percent(finding.share)
    : `${percent(finding.share)}, ${finding.minute}`;
}

function required(cell: Cell, level: number): string {
  const target = cell.targets?.find((one) => one.level === LEVELS[level]);
  return target === undefined ? "" : `${100 * target.found}%, ${target.minute}`;
}

function met(cell: Cell, level: number, finding: Finding | undefined): string {
  const target = cell.targets?.find((one) => one.level === LEVELS[level]);
  const text = found(finding);
  if (target === undefined || finding === undefined) return text;
  const missed = finding.share < target.found || (finding.minute ?? Number.POSITIVE_INFINITY) > target.minute;
  return missed ? `**${text} (missed)**` : text;
}
