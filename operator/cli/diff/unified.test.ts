import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { unifiedDiff } from "./unified.ts";

const numbered = (...lines: readonly (number | string)[]) => lines.map((line) => `${line}\n`).join("");
const oneTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

/** What patch(1) makes of a text; throws where a hunk does not fit. */
function patched(before: readonly string[], hunks: readonly string[]): readonly string[] {
  const after: string[] = [];
  let done = 0;
  for (const line of hunks) {
    const head = /^@@ -(\d+),(\d+) \+(\d+),(\d+) @@$/.exec(line)?.slice(1).map(Number);
    if (head) {
      const [start = 0, count = 0, now = 0, news = 0] = head;
      const until = count === 0 ? start : start - 1;
      while (done < until) after.push(before[done++] ?? "");
      expect(after.length).toBe(news === 0 ? now : now - 1);
      continue;
    }
    if (line.startsWith("+")) after.push(line.slice(1));
    else {
      expect(before[done]).toBe(line.slice(1));
      if (line.startsWith(" ")) after.push(line.slice(1));
      done += 1;
    }
  }
  return [...after, ...before.slice(done)];
}

describe("unifiedDiff", () => {
  it("shows a change with three lines around it", () => {
    const after = numbered(...oneTo(4), "five", ...oneTo(12).slice(5));
    expect(unifiedDiff(numbered(...oneTo(12)), after)).toEqual([
      "@@ -2,7 +2,7 @@",
      ...[" 2", " 3", " 4", "-5", "+five", " 6", " 7", " 8"],
    ]);
  });

  it("shows changes that are far apart on their own, and nothing for equal texts", () => {
    const text = numbered(...oneTo(20));
    expect(unifiedDiff(text, `0\n${text}21\n`).filter((line) => line.startsWith("@@"))).toEqual([
      "@@ -1,3 +1,4 @@",
      "@@ -18,3 +19,4 @@",
    ]);
    expect(unifiedDiff("", "a\n")).toEqual(["@@ -0,0 +1,1 @@", "+a"]);
    expect(unifiedDiff(text, text)).toEqual([]);
  });

  it("is what makes the second text of the first", () => {
    const some = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 40 });
    fc.assert(
      fc.property(some, some, (before, after) => {
        expect(patched(before, unifiedDiff(numbered(...before), numbered(...after)))).toEqual(after);
      }),
    );
  });
});
