import { expect, it } from "vitest";
import { mergePatchOf } from "./merge-patch.ts";

it.each<[string, unknown, unknown, unknown]>([
  ["nothing where nothing differs", { a: { b: 1 }, c: [1] }, { c: [1], a: { b: 1 } }, undefined],
  ["what changed, and nothing beside it", { a: { b: 1, c: 2 } }, { a: { b: 3, c: 2 } }, { a: { b: 3 } }],
  ["null for what is gone", { a: { b: 1, c: 2 } }, { a: { c: 2 } }, { a: { b: null } }],
  ["what is new", {}, { a: { b: 1 } }, { a: { b: 1 } }],
  ["lists whole", { a: [{ n: 1 }, { n: 2 }] }, { a: [{ n: 2 }] }, { a: [{ n: 2 }] }],
])("a merge patch has %s", (_, from, to, patch) => {
  expect(mergePatchOf(from, to)).toEqual(patch);
});
