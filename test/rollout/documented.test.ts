import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

interface Row {
  readonly number: number;
  readonly tests: readonly { readonly file: string; readonly title: string | undefined }[];
  readonly on: string;
}

const rows: Row[] = readFileSync(join(ROOT, "docs/concepts/scenarios.md"), "utf8")
  .split("\n")
  .flatMap((line) => {
    const [, number = "", , , tried = "", on = ""] = line.split("|").map((cell) => cell.trim());
    if (!/^\d+$/.test(number)) return [];
    const tests = [...tried.matchAll(/`([^`]+)`(?: "([^"]+)")?/g)].map(([, file = "", title]) => ({
      file,
      title,
    }));
    return [{ number: Number(number), tests, on }];
  });

function placeOf(file: string): string {
  if (/\.(cluster|alone|optional)\.test\.ts$/.test(file)) return "real cluster";
  return file.endsWith(".server.test.ts") ? "real servers" : "model";
}

describe("the list of scenarios", () => {
  it("has every scenario once", () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 67 }, (_, index) => index + 1));
  });

  it.each(rows)("$number names tests that exist, and says on what they run", ({ tests, on }) => {
    for (const { file, title } of tests) {
      expect(existsSync(join(ROOT, file)), file).toBe(true);
      if (title !== undefined) expect(readFileSync(join(ROOT, file), "utf8"), file).toContain(title);
    }
    expect(on).toBe([...new Set(tests.map(({ file }) => placeOf(file)))].join(", ") || "-");
  });
});
