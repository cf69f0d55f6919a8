import { expect, it } from "vitest";
import { dealt } from "./lanes.ts";

it("deals suites so that lanes end together, the longest first", () => {
  const seconds = { a: 50, b: 40, c: 30, d: 20 };
  expect(dealt(["d", "a", "c", "b"], seconds, [0, 0])).toEqual([
    { files: ["a", "d"], endsS: 70 },
    { files: ["b", "c"], endsS: 70 },
  ]);
});

it("gives more to the lane that begins sooner, and takes a suite that was never measured for a minute", () => {
  expect(dealt(["a", "b", "new"], { a: 50, b: 40 }, [100, 0])).toEqual([
    { files: ["b"], endsS: 140 },
    { files: ["new", "a"], endsS: 110 },
  ]);
  expect(dealt([], {}, [0, 10])).toEqual([
    { files: [], endsS: 0 },
    { files: [], endsS: 10 },
  ]);
});
