import { describe, expect, it } from "vitest";
import { sizeOf, wantsColour, widthOf } from "./terminal.ts";

const tty = { isTTY: true, columns: 100, rows: 30 };

describe("a terminal", () => {
  it("has a size, unless stdout is a pipe or the terminal is dumb", () => {
    expect(sizeOf(tty, {})).toEqual({ columns: 100, rows: 30 });
    expect(sizeOf({ ...tty, isTTY: false }, {})).toBeUndefined();
    expect(sizeOf(tty, { TERM: "dumb" })).toBeUndefined();
  });

  it("is taken for one of 80 by 24 where it does not know", () => {
    expect(sizeOf({ isTTY: true }, {})).toEqual({ columns: 80, rows: 24 });
    expect(sizeOf({ ...tty, columns: 0, rows: 0 }, {})).toEqual({ columns: 80, rows: 24 });
  });

  it("is coloured unless NO_COLOR says otherwise", () => {
    const size = sizeOf(tty, {});
    expect(wantsColour(size, {})).toBe(true);
    expect(wantsColour(size, { NO_COLOR: "" })).toBe(true);
    expect(wantsColour(size, { NO_COLOR: "1" })).toBe(false);
    expect(wantsColour(undefined, {})).toBe(false);
  });

  it("gives lines its width; a pipe any", () => {
    expect(widthOf({ size: () => tty })).toBe(100);
    expect(widthOf({ size: () => undefined })).toBe(Number.POSITIVE_INFINITY);
  });
});
