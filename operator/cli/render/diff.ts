import type { RevisionFiles } from "../diff/revision-files.ts";
import { unifiedDiff } from "../diff/unified.ts";
import type { Colour } from "./colour.ts";

/** One side of a comparison. */
export interface Side {
  /** Stands before each file's name. */
  readonly name: string;
  readonly files: RevisionFiles;
}

/** A file that differs, with the lines of its unified diff. */
export interface FileDiff {
  readonly file: string;
  readonly lines: readonly string[];
}

/** What differs between two revisions, file by file; empty where nothing does. */
export function fileDiffs(before: Side, after: Side): readonly FileDiff[] {
  const names = [...new Set([...Object.keys(before.files), ...Object.keys(after.files)])];
  return names.flatMap((file) => {
    const hunks = unifiedDiff(before.files[file] ?? "", after.files[file] ?? "");
    if (hunks.length === 0) return [];
    return [{ file, lines: [`--- ${before.name}/${file}`, `+++ ${after.name}/${file}`, ...hunks] }];
  });
}

/** The same as text for a person; a pipe gets a patch. */
export function diffText(diffs: readonly FileDiff[], colour: Colour): string {
  return diffs
    .flatMap(({ lines: [before = "", after = "", ...hunks] }) => [
      colour.strong(before),
      colour.strong(after),
      ...hunks.map((line) => painted(line, colour)),
    ])
    .map((line) => `${line}\n`)
    .join("");
}

function painted(line: string, colour: Colour): string {
  if (line.startsWith("@@")) return colour.faint(line);
  if (line.startsWith("+")) return colour.good(line);
  return line.startsWith("-") ? colour.bad(line) : line;
}
