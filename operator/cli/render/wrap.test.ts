import { describe, expect, it } from "vitest";
import { colours } from "./colour.ts";
import { padVisible, visibleLength, wrapped } from "./wrap.ts";

const { bad } = colours(true);

describe("wrapped", () => {
  it("breaks at spaces, and leaves what fits as it is", () => {
    expect(wrapped("a  b c", 6)).toEqual(["a  b c"]);
    expect(wrapped("one two  three", 8)).toEqual(["one two", "three"]);
    expect(wrapped("unbreakable is it", 5)).toEqual(["unbreakable", "is it"]);
  });

  it("keeps together what stands apart, unless that would leave most of a line empty", () => {
    expect(wrapped("Deployment chat   2/2 ready   31d", 22)).toEqual(["Deployment chat", "2/2 ready   31d"]);
    expect(wrapped("one two   a long sentence that is told", 20)).toEqual([
      "one two   a long",
      "sentence that is",
      "told",
    ]);
    expect(wrapped("  indented and long", 12)).toEqual(["  indented", "and long"]);
  });

  it("takes a narrower width from the second line on", () => {
    expect(wrapped("aa bb cc dd ee", 8, 5)).toEqual(["aa bb cc", "dd ee"]);
  });

  it("counts no colours, and carries them over to the next line", () => {
    expect(wrapped(bad("red"), 3)).toEqual([bad("red")]);
    expect(wrapped(`is ${bad("red and bold")} here`, 7)).toEqual([
      `is ${bad("red")}`,
      bad("and"),
      `${bad("bold")}`,
      "here",
    ]);
  });
});

it("padVisible pads what is seen", () => {
  expect(visibleLength(padVisible(bad("x"), 3))).toBe(3);
});
