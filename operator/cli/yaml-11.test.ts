import { describe, expect, it } from "vitest";
import { parseDocument } from "yaml";
import { readAsYaml11 } from "./yaml-11.ts";

function read(value: string): unknown {
  const document = parseDocument(`a: ${value}`);
  readAsYaml11(document);
  return document.toJS().a;
}

describe("YAML as kubectl reads it", () => {
  it.each([
    ["Off", false],
    ["y", true],
    ["010", 8],
    ["-010", -8],
    ["08", 8],
    ["0", 0],
    ["1_000", 1000],
    ["+5", 5],
    ["0x1F", 31],
    ["-0x10", -16],
    ["0o17", 15],
    ["0b101", 5],
    ["1_000.5", 1000.5],
    ["1e3", 1000],
    [".5", 0.5],
    ["-1", -1],
  ])("takes %s for %j", (text, value) => {
    expect(read(text)).toBe(value);
  });

  it.each(["1.2.3", "_1", "10Mi", "0x", "1-2", "2026-11-21", "+", "~x"])("leaves %s alone", (text) => {
    expect(read(text)).toBe(text);
  });

  it("leaves alone what is quoted or tagged, and keys", () => {
    expect(read("'010'")).toBe("010");
    expect(read("!!str 010")).toBe("010");
    const document = parseDocument("on: a");
    readAsYaml11(document);
    expect(document.toJS()).toEqual({ on: "a" });
  });
});
