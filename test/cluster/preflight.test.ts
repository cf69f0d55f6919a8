import { statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { clockProblem, newestOf } from "./preflight.ts";

const MINUTE = 60_000;
const made = Date.parse("2026-11-21T12:00:00Z");

describe("clockProblem", () => {
  it("is none while the clock stands after what was made, or a little before", () => {
    expect(clockProblem(made + MINUTE, made)).toBeUndefined();
    expect(clockProblem(made - 4 * MINUTE, made)).toBeUndefined();
  });

  it("says what the clock says and why that cannot be", () => {
    expect(clockProblem(Date.parse("2024-01-01T00:00:00Z"), made)).toBe(
      "This machine's clock says 2024-01-01T00:00:00.000Z, which is before 2026-11-21T12:00:00.000Z, when something of the cluster was made; set the clock, or certificates will not be valid yet.",
    );
  });
});

describe("newestOf", () => {
  it("passes over tools that were not built, such as those of benchmarks", () => {
    const here = import.meta.filename;
    expect(newestOf([here, `${here}.missing`])).toBe(statSync(here).mtimeMs);
    expect(newestOf([`${here}.missing`])).toBe(0);
  });
});
