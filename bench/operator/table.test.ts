import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTable } from "./table.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "llmbridge-table-"));
  path = join(folder, "performance.md");
});
afterEach(() => rmSync(folder, { recursive: true }));

const table = (size: string) => createTable("Ours", "Theirs", size, () => {});

describe("the table of a document", () => {
  it("keeps the rows of other runs, each with its size, and takes the place of those of the same name", () => {
    writeFileSync(path, "before\n<!-- bench-operator -->\n<!-- /bench-operator -->\nafter\n");
    const large = table("1,000 x 20");
    large.row("memory, MiB", 120, 60);
    large.own("start, s", 2.345, 1);
    large.writeTo(path);
    const small = table("20 x 3");
    small.row("memory, MiB", 90, 100);
    small.row("leases", 12, 0);
    small.writeTo(path);
    expect(readFileSync(path, "utf8")).toBe(`before
<!-- bench-operator -->
| | Ours | Theirs | ratio | bridges x pods |
|---|---|---|---|---|
| memory, MiB | 90 | 100 | 0.90 | 20 x 3 |
| start, s | 2.3 |  |  | 1,000 x 20 |
| leases | 12 | 0 |  | 20 x 3 |
<!-- /bench-operator -->
after
`);
  });

  it("lets rows go that are measured under another title, and has their successors in their place", () => {
    const kept = (title: string, value: string) => `| ${title} | ${value} |  |  | 1,000 x 20 |`;
    const lines = [kept("start, s", "2.3"), kept("memory over 30 min, MiB/h", "4.6"), kept("leases", "12")];
    writeFileSync(path, `<!-- bench-operator -->\n${lines.join("\n")}\n<!-- /bench-operator -->\n`);
    const soaked = table("20 x 3");
    soaked.drop(/^memory over \d+ min/);
    soaked.own("memory over the second half of 60 min, MiB/h", 1.2);
    soaked.own("memory over 60 min, MiB/h", 3);
    soaked.writeTo(path);
    const rows = readFileSync(path, "utf8").split("\n").slice(3, -2);
    expect(rows).toEqual([
      kept("start, s", "2.3"),
      "| memory over the second half of 60 min, MiB/h | 1.2 |  |  | 20 x 3 |",
      "| memory over 60 min, MiB/h | 3 |  |  | 20 x 3 |",
      kept("leases", "12"),
    ]);
  });

  it("is not written where there is no place for it", () => {
    writeFileSync(path, "nothing");
    expect(() => table("20 x 3").writeTo(path)).toThrow("has no place for the table");
  });
});
