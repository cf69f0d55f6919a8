import { describe, expect, it } from "vitest";
import { compareResourceVersions } from "./resource-version.ts";

describe("compareResourceVersions", () => {
  it("compares decimal numbers of any length", () => {
    expect(compareResourceVersions("9", "10")).toBeLessThan(0);
    expect(compareResourceVersions("10", "9")).toBeGreaterThan(0);
    expect(compareResourceVersions("12", "12")).toBe(0);
  });

  it("keeps digits that a number would lose", () => {
    // 2^53 + 1 and 2^53 are the same JavaScript number.
    expect(compareResourceVersions("9007199254740993", "9007199254740992")).toBeGreaterThan(0);
  });

  it.each(["", "0", "abc", "12a", "-1", "01", "1.5"])("says nothing about %j", (odd) => {
    expect(compareResourceVersions(odd, "12")).toBeUndefined();
    expect(compareResourceVersions("12", odd)).toBeUndefined();
  });
});
