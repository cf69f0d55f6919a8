import { describe, expect, it } from "vitest";
import { ageText, clockText, spanText } from "./age.ts";

const HOUR = 3_600_000;

describe("spanText", () => {
  it.each([
    [0, "0s"],
    [12_400, "12s"],
    [360_000, "6m"],
    [6 * HOUR + 48 * 60_000, "6h48m"],
    [41 * HOUR + 12 * 60_000, "41h12m"],
    [80 * HOUR, "3d8h"],
    [-5, "0s"],
  ])("%d ms is %s", (ms, text) => expect(spanText(ms)).toBe(text));
});

describe("ageText", () => {
  const now = Date.parse("2026-11-21T12:00:00Z");
  it.each([
    ["2026-11-21T11:59:18Z", "42s"],
    ["2026-11-21T10:30:00Z", "90m"],
    ["2026-11-20T06:00:00Z", "30h"],
    ["2026-10-21T12:00:00Z", "31d"],
    ["not a time", ""],
  ])("since %s is %s", (since, text) => expect(ageText(since, now)).toBe(text));
});

it("clockText shows the date only of other days", () => {
  const now = Date.parse("2026-11-21T15:00:00Z");
  expect(clockText("2026-11-21T14:02:59Z", now)).toBe("14:02:59");
  expect(clockText("2026-11-20T14:02:59Z", now)).toBe("2026-11-20 14:02");
});
