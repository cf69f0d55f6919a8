import { describe, expect, it } from "vitest";
import { isTimeZone, momentsOf, wallDay, wallMs } from "./wall-time.ts";

const BERLIN = "Europe/Berlin";
const at = (time: string) => Date.parse(`${time}Z`);

describe("the clocks of a zone", () => {
  it.each([
    ["UTC", "2026-07-01T12:34:56", "2026-07-01T12:34:56"],
    [BERLIN, "2026-07-01T22:34:56", "2026-07-02T00:34:56"],
    [BERLIN, "2026-12-31T23:00:00", "2027-01-01T00:00:00"],
    ["Asia/Kathmandu", "2026-01-01T00:00:00", "2026-01-01T05:45:00"],
  ])("of %s show at %s %s", (zone, moment, shown) => {
    expect(wallMs(zone, at(moment))).toBe(at(shown));
  });

  it("tell the day it is there", () => {
    expect(wallDay(BERLIN, at("2026-07-01T22:34:56"))).toBe(at("2026-07-02T00:00:00"));
  });

  it("are those of a zone that is known", () => {
    expect([BERLIN, "UTC", "Europe/Nowhere", ""].map(isTimeZone)).toEqual([true, true, false, false]);
  });
});

describe("the moments at which clocks show a time", () => {
  it.each([
    ["one on most days", "2026-07-01", 150, ["2026-07-01T00:30:00"]],
    ["two where clocks are put back", "2026-10-25", 150, ["2026-10-25T00:30:00", "2026-10-25T01:30:00"]],
    [
      "none where they are put forward: before and after",
      "2026-03-29",
      150,
      ["2026-03-29T00:30:00", "2026-03-29T01:30:00"],
    ],
  ])("are %s", (_, day, minutes, moments) => {
    expect(momentsOf(BERLIN, at(`${day}T00:00:00`), minutes)).toEqual(moments.map(at));
  });
});
