import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

interface Row {
  readonly number: number;
  readonly files: readonly string[];
}

const rows: Row[] = readFileSync(join(ROOT, "docs/concepts/reliability.md"), "utf8")
  .split("\n")
  .flatMap((line) => {
    const [, number = "", , , files = ""] = line.split("|").map((cell) => cell.trim());
    return /^\d+$/.test(number)
      ? [{ number: Number(number), files: [...files.matchAll(/`([^`]+)`/g)].map(([, file = ""]) => file) }]
      : [];
  });

describe("the list of what the operator survives", () => {
  it("has every scenario once", () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 35 }, (_, index) => index + 1));
  });

  it.each(rows.filter(({ files }) => files.length > 0))(
    "$number names tests that exist",
    ({ number, files }) => {
      const texts = files.map((file) => {
        expect(existsSync(join(ROOT, file)), file).toBe(true);
        return readFileSync(join(ROOT, file), "utf8");
      });
      const faults = files.filter((file) => file.startsWith("test/faults/") && !file.includes("explore"));
      // A test of this folder says the number it is for.
      for (const file of faults)
        expect(texts[files.indexOf(file)], file).toMatch(new RegExp(`scenario ${number}\\b`));
    },
  );
});
