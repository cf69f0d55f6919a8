import { describe, expect, it } from "vitest";
import { covers } from "./covers.ts";

describe("covers", () => {
  it.each<[string, unknown, unknown, boolean]>([
    ["equal objects", { a: 1, b: { c: "x" } }, { a: 1, b: { c: "x" } }, true],
    ["fields of other owners", { a: 1, clusterIP: "10.0.0.1" }, { a: 1 }, true],
    ["a changed field", { a: 2 }, { a: 1 }, false],
    ["a missing field", {}, { a: 1 }, false],
    ["a list in another order", { l: [2, 1] }, { l: [1, 2] }, false],
    ["a list with a member too many", { l: [1, 2] }, { l: [1] }, false],
    [
      "defaulted members inside a list",
      { ports: [{ port: 80, nodePort: 0 }] },
      { ports: [{ port: 80 }] },
      true,
    ],
    [
      "a selector with a key too many",
      { spec: { selector: { a: "1", b: "2" } } },
      { spec: { selector: { a: "1" } } },
      false,
    ],
    [
      "matchLabels with a key too many",
      { selector: { matchLabels: { a: "1", b: "2" } } },
      { selector: { matchLabels: { a: "1" } } },
      false,
    ],
    ["data with a key of somebody else", { data: { a: "1", b: "2" } }, { data: { a: "1" } }, true],
    ["data with another text", { data: { a: "2" } }, { data: { a: "1" } }, false],
    ["an object where a list is wanted", { l: {} }, { l: [1] }, false],
  ])("%s", (_, observed, desired, expected) => {
    expect(covers(observed, desired)).toBe(expected);
  });
});
