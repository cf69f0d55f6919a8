import { expect, it } from "vitest";
import { dealt } from "./lanes.ts";

it("deals suites so that lanes end together, the longest first", () => {
  const seconds = { a: 50, b: 40, c: 30, d: 20 };
  expect(dealt(["d", "a", "c", "b"], seconds, 2)).toEqual([
    { files: ["a", "d"], endsS: 70 },
    { files: ["b", "c"], endsS: 70 },
  ]);
});

it("takes a suite that was never measured for a minute, and leaves lanes empty where there are too few", () => {
  expect(dealt(["a", "b", "new"], { a: 50, b: 40 }, 2)).toEqual([
    { files: ["new"], endsS: 60 },
    { files: ["a", "b"], endsS: 90 },
  ]);
  expect(dealt(["a"], {}, 2)).toEqual([
    { files: ["a"], endsS: 60 },
    { files: [], endsS: 0 },
  ]);
});
