import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitNodeOptions } from "./node-options-text.ts";

describe("splitNodeOptions", () => {
  it.each([
    ["a b", ["a", "b"]],
    ["  a   b ", ["a", "b"]],
    ['"a b" c', ["a b", "c"]],
    ['a" "b', ["a b"]],
    ["a\\ b", ["a\\", "b"]],
    ['"a\\"b"', ['a"b']],
    ["'a b'", ["'a", "b'"]],
    ["a\tb", ["a\tb"]],
    ["", []],
  ])("%j", (text, words) => {
    expect(splitNodeOptions(text)).toEqual({ words });
  });

  it("reports what ends the process before user code", () => {
    expect(splitNodeOptions('a "b')).toEqual({ error: "UnterminatedString" });
    expect(splitNodeOptions('"a\\')).toEqual({ error: "DanglingEscape" });
  });

  it("gives back any words that were quoted for it", () => {
    const quote = (word: string) => `"${word.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 })), (words) => {
        expect(splitNodeOptions(words.map(quote).join(" "))).toEqual({ words });
      }),
    );
  });
});
