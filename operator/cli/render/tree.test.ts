import { expect, it } from "vitest";
import { treeLines } from "./tree.ts";

it("treeLines draws guides, and indents what does not fit", () => {
  const branches = [
    { text: "first that is long", below: [{ text: "leaf one two three", below: [{ text: "deep" }] }] },
    { text: "last" },
  ];
  expect(treeLines(branches, 16)).toEqual([
    "├─ first that is",
    "│  │   long",
    "│  └─ leaf one",
    "│     │   two",
    "│     │   three",
    "│     └─ deep",
    "└─ last",
  ]);
  expect(treeLines(branches, Number.POSITIVE_INFINITY)).toHaveLength(4);
});
