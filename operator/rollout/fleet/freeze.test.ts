import { describe, expect, it } from "vitest";
import { freezeInForce } from "./freeze.ts";
import type { Freeze, Weekly } from "./rules.ts";

const ms = (text: string): number => Date.parse(text);
const base = { namespaces: ["*"], promote: "Refuse" } as const;
const between = (name: string, from: string, to: string, more: Partial<Freeze> = {}): Freeze => ({
  ...base,
  ...{ name, from, to, ...more },
});
const weekly = (name: string, days: Weekly["days"], from: string, to: string, timeZone = "UTC"): Freeze => ({
  ...base,
  ...{ name, weekly: { days, from, to, timeZone } },
});
const at = (text: string, ...freezes: Freeze[]) => freezeInForce({ freezes }, "ai", ms(text));
const end = (text: string, ...freezes: Freeze[]) => {
  const found = at(text, ...freezes);
  return found?.untilMs === undefined ? undefined : new Date(found.untilMs).toISOString();
};

describe("a freeze with a beginning and an end", () => {
  const yearEnd = between("year-end", "2026-12-20T00:00:00+01:00", "2027-01-04T06:00:00Z");

  it("holds from its beginning until just before its end", () => {
    expect(at("2026-12-19T22:59:59.999Z", yearEnd)).toBeUndefined();
    expect(at("2026-12-19T23:00:00Z", yearEnd)).toEqual({
      ...{ name: "year-end", promote: "Refuse", untilMs: ms("2027-01-04T06:00:00Z") },
    });
    expect(at("2027-01-04T05:59:59.999Z", yearEnd)?.name).toBe("year-end");
    expect(at("2027-01-04T06:00:00Z", yearEnd)).toBeUndefined();
  });

  it("holds the namespaces that it names", () => {
    const only = { ...yearEnd, namespaces: ["shop", "ai"] };
    expect(freezeInForce({ freezes: [only] }, "ai", ms("2026-12-24T00:00:00Z"))?.name).toBe("year-end");
    expect(freezeInForce({ freezes: [only] }, "other", ms("2026-12-24T00:00:00Z"))).toBeUndefined();
  });

  it("is judged by the time alone, wherever the clock jumps to", () => {
    const held = [
      "2026-12-24T00:00:00Z",
      "2027-06-01T00:00:00Z",
      "2026-12-25T00:00:00Z",
      "2020-01-01T00:00:00Z",
    ];
    expect(held.map((text) => at(text, yearEnd) !== undefined)).toEqual([true, false, true, false]);
  });
});

describe("a freeze of every week", () => {
  const nights = weekly("nights", ["Monday", "Tuesday"], "22:00", "06:00");

  it("goes on over midnight and begins on its days only", () => {
    const held = (text: string) => at(text, nights)?.name;
    // The 5th of January 2026 is a Monday.
    expect(held("2026-01-05T21:59:00Z")).toBeUndefined();
    expect(held("2026-01-05T22:00:00Z")).toBe("nights");
    expect(end("2026-01-06T05:59:00Z", nights)).toBe("2026-01-06T06:00:00.000Z");
    expect(held("2026-01-06T06:00:00Z")).toBeUndefined();
    expect(held("2026-01-07T05:00:00Z")).toBe("nights");
    expect(held("2026-01-07T22:00:00Z")).toBeUndefined();
    expect(held("2026-01-05T05:00:00Z")).toBeUndefined();
  });

  it("follows the clocks of its zone through the year", () => {
    const evening = weekly("evening", ["Wednesday"], "18:00", "20:00", "Europe/Berlin");
    expect(at("2026-01-07T17:00:00Z", evening)?.name).toBe("evening");
    expect(at("2026-01-07T16:59:00Z", evening)).toBeUndefined();
    expect(at("2026-07-08T16:00:00Z", evening)?.name).toBe("evening");
    expect(at("2026-07-08T18:00:00Z", evening)).toBeUndefined();
  });

  // In Berlin the clocks go from 02:00 to 03:00 on 29 March 2026, and from 03:00 back to 02:00 on 25 October.
  it.each([
    ["starts at a time that is skipped", "02:30", "12:00", "2026-03-29T00:30:00Z", "2026-03-29T10:00:00Z"],
    ["ends at a time that is skipped", "01:00", "02:30", "2026-03-29T00:00:00Z", "2026-03-29T01:30:00Z"],
    ["starts at a time that comes twice", "02:30", "12:00", "2026-10-25T00:30:00Z", "2026-10-25T11:00:00Z"],
    ["ends at a time that comes twice", "01:00", "02:30", "2026-10-24T23:00:00Z", "2026-10-25T01:30:00Z"],
    ["lasts for a day of 23 hours", "00:00", "24:00", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"],
    ["lasts for a day of 25 hours", "00:00", "24:00", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"],
  ])("that %s is the longest reading", (_, from, to, first, last) => {
    const freeze = weekly("sunday", ["Sunday"], from, to, "Europe/Berlin");
    const inForce = (text: string, plusMs = 0) =>
      freezeInForce({ freezes: [freeze] }, "ai", ms(text) + plusMs) !== undefined;
    expect([inForce(first, -1), inForce(first), inForce(last, -1), inForce(last)]).toEqual([
      ...[false, true, true, false],
    ]);
    expect(end(first, freeze)).toBe(new Date(last).toISOString());
  });

  it("knows zones with odd offsets and far-off days", () => {
    const kathmandu = weekly("k", ["Monday"], "00:00", "01:00", "Asia/Kathmandu");
    expect(at("2026-01-04T18:15:00Z", kathmandu)?.name).toBe("k");
    const kiritimati = weekly("l", ["Monday"], "00:00", "24:00", "Pacific/Kiritimati");
    expect(end("2026-01-04T10:00:00Z", kiritimati)).toBe("2026-01-05T10:00:00.000Z");
  });
});

describe("several freezes", () => {
  it("that follow upon each other end with the last", () => {
    const parts = [
      weekly("friday", ["Friday"], "16:00", "24:00"),
      weekly("weekend", ["Saturday", "Sunday"], "00:00", "24:00"),
      weekly("monday", ["Monday"], "00:00", "08:00"),
    ];
    expect(at("2026-01-02T20:00:00Z", ...parts)?.name).toBe("friday");
    expect(end("2026-01-02T20:00:00Z", ...parts)).toBe("2026-01-05T08:00:00.000Z");
  });

  it("are named by one that nobody may override", () => {
    const soft = between("soft", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", { promote: "Allow" });
    const hard = between("hard", "2026-01-10T00:00:00Z", "2026-01-11T00:00:00Z");
    expect(at("2026-01-10T12:00:00Z", soft, hard)).toMatchObject({ name: "hard", promote: "Refuse" });
    expect(at("2026-01-09T12:00:00Z", soft, hard)).toMatchObject({ name: "soft", promote: "Allow" });
  });

  it("without any gap have no end", () => {
    const all = weekly(
      "all",
      ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
      "00:00",
      "24:00",
    );
    expect(at("2026-01-09T12:00:00Z", all)).toEqual({ name: "all", promote: "Refuse", untilMs: undefined });
  });
});
