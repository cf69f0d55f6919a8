import type { RevisionFiles } from "../diff/revision-files.ts";
import { unifiedDiff } from "../diff/unified.ts";
import type { Colour } from "./colour.ts";

/** One side of a comparison. */
export interface Side {
  /** Stands before each file's name. */
  readonly name: string;
  readonly files: RevisionFiles;
}

/** What differs between two revisions, file by file, as a unified diff; empty where nothing does. */
export function diffText(before: Side, after: Side, colour: Colour): string {
  const names = [...new Set([...Object.keys(before.files), ...Object.keys(after.files)])];
  const lines = names.flatMap((name) => {
    const hunks = unifiedDiff(before.files[name] ?? "", after.files[name] ?? "");
    if (hunks.length === 0) return [];
    return [
      colour.strong(`--- ${before.name}/${name}`),
      colour.strong(`+++ ${after.name}/${name}`),
      ...hunks.map((line) => painted(line, colour)),
    ];
  });
  return lines.map((line) => `${line}\n`).join("");
}

function painted(line: string, colour: Colour): string {
  if (line.startsWith("@@")) return colour.faint(line);
  if (line.startsWith("+")) return colour.good(line);
  return line.startsWith("-") ? colour.bad(line) : line;
}
