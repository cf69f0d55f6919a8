import { describe, expect, it } from "vitest";
import * as words from "./words.ts";

describe("the words of vitest", () => {
  it("note each test with its name, file, and what is done around it", () => {
    const done: string[] = [];
    words.beginFile("/a.test.ts");
    words.describe("a bridge", () => {
      words.beforeAll(() => done.push("before"));
      words.afterAll(() => done.push("after"));
      words.it("serves", () => done.push("serves"));
      words.it.each([
        ["one", 1],
        ["two", 2],
      ])("has %s", (name, count) => done.push(`${name} ${count}`));
    });
    words.it.each([{ given: "row" }])("takes %#", (row) => done.push(JSON.stringify(row)));
    words.it("takes 0", () => done.push("again"));
    expect(words.tests.map(({ id }) => id)).toEqual([
      "/a.test.ts#a bridge > serves",
      "/a.test.ts#a bridge > has one",
      "/a.test.ts#a bridge > has two",
      "/a.test.ts#takes 0",
      "/a.test.ts#takes 0 (2)",
    ]);
    expect(done).toEqual([]);
    for (const { before, work, after } of words.tests) for (const one of [...before, work, ...after]) one();
    expect(done.join(", ")).toBe(
      'before, serves, after, before, one 1, after, before, two 2, after, {"given":"row"}, again',
    );
  });
});
