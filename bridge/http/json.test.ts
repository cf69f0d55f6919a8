import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonFaultOffset, linePlace } from "./json.ts";

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("jsonFaultOffset", () => {
  it.each([
    ["", 0],
    ["nope", 0],
    ['{"a":1,}', 7],
    ['{"a" 1}', 5],
    ["[1,2", 4],
    ["[1 2]", 3],
    ['{"a":"b', 7],
    ['"a\nb"', 2],
    ['"\\x"', 1],
    ["01", 0],
    ["{} x", 3],
    ["tru", 0],
    ["[", 1],
    ["{", 1],
  ])("finds where %j goes wrong", (text, offset) => {
    expect(jsonFaultOffset(text)).toBe(offset);
  });

  it.each([
    ["a string", `{"a":"${"x".repeat(1e7)}",}`],
    ["a string of escapes", `{"a":"${"\\n".repeat(5e6)}",}`],
    ["blanks", `{"a":1${" ".repeat(1e7)},}`],
    ["a number", `{"a":${"1".repeat(1e7)},}`],
  ])("finds what is wrong behind %s of ten million characters", (_, text) => {
    expect(jsonFaultOffset(text)).toBe(text.length - 1);
  });

  it("finds nothing wrong before the end of JSON, and something within every text that is none", () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.string({ maxLength: 1 }), (json, at, char) => {
        expect(jsonFaultOffset(json)).toBe(json.length);
        const place = at % (json.length + 1);
        const broken = json.slice(0, place) + char + json.slice(place + 1);
        const offset = jsonFaultOffset(broken);
        if (!isJson(broken)) expect(offset).toBeLessThanOrEqual(broken.length);
        // What comes before the fault is the beginning of some JSON text, so the fault is not behind the change.
        else expect(offset).toBe(broken.length);
      }),
    );
  });
});

describe("linePlace", () => {
  it("counts lines and columns from 1", () => {
    expect(linePlace("ab\ncd", 0)).toBe("line 1, column 1");
    expect(linePlace("ab\ncd", 4)).toBe("line 2, column 2");
  });
});
