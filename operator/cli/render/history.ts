import type { HistoryOutput } from "../outputs.ts";
import { ageText } from "./age.ts";
import { lineText, widthsOf } from "./table.ts";
import { imageVersion } from "./version.ts";
import type { View } from "./view.ts";
import { wrapped } from "./wrap.ts";

const HEAD = ["REVISION", "IMAGE", "AGE", "RENDERER", "PODS", "OUTCOME", "WHY"];

const OUTCOMES = {
  Stable: "stable",
  Canary: "canary",
  Previous: "kept ready",
  WasStable: "was stable",
  RolledBack: "rolled back",
  Withdrawn: "withdrawn",
  Retired: "retired",
} as const;

/** The revisions as a table; why goes on below itself. */
export function historyText({ bridge, revisions }: HistoryOutput, view: View): string {
  if (revisions.length === 0) return `${bridge.name} has no revision yet.\n`;
  const { good, bad, warn } = view.colour;
  const paints: Partial<Record<keyof typeof OUTCOMES, (text: string) => string>> = {
    ...{ Stable: good, Canary: warn, RolledBack: bad },
  };
  const rows = revisions.map((one) => [
    one.revision,
    imageVersion(one.image),
    ageText(one.made, view.nowMs),
    one.renderer || "-",
    `${one.ready}/${one.replicas}`,
    (paints[one.outcome] ?? String)(OUTCOMES[one.outcome]),
  ]);
  const widths = widthsOf([HEAD.slice(0, -1), ...rows]);
  const indent = widths.reduce((sum, width) => sum + width + 3, 0);
  const [start, room] =
    view.columns - indent >= LEAST_ROOM ? [indent, view.columns - indent] : [4, view.columns - 4];
  const lines = rows.flatMap((row, index) => {
    const { why = "" } = revisions[index] ?? {};
    const said = why === "" ? [] : wrapped(why, room);
    const beside = start === indent ? said.slice(0, 1) : [];
    return [
      lineText([...row, ...beside], widths),
      ...said.slice(beside.length).map((line) => " ".repeat(start) + line),
    ];
  });
  return `${[lineText(start === indent ? HEAD : HEAD.slice(0, -1), widths), ...lines].join("\n")}\n`;
}

/** With less, why stands below its revision. */
const LEAST_ROOM = 30;
