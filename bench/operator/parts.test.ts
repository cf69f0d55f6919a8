import { describe, expect, it } from "vitest";
import { editsOf, partsOf } from "./parts.ts";

describe("the parts of a run", () => {
  const none = { storm: 0, soakMinutes: 0 };

  it("are all that need no number, and those that were given theirs", () => {
    const all = ["life", "rest", "edits", "memory", "sync", "restarts"];
    expect(partsOf(undefined, none)).toEqual(all);
    expect(partsOf(undefined, { storm: 10, soakMinutes: 1 })).toEqual([...all, "soak", "storm"]);
  });

  it("come in their own order, whatever the order that they are asked for in", () => {
    expect(partsOf("sync,life", none)).toEqual(["life", "sync"]);
  });

  it("are measured with 120 edits, fewer where there are few objects, or as many as are asked for", () => {
    expect([editsOf(undefined, 1_000), editsOf(undefined, 5), editsOf("400", 5)]).toEqual([120, 20, 400]);
    expect(() => editsOf("many", 5)).toThrow("--edits=many is no number of edits; write one such as 120.");
    expect(() => editsOf("0", 5)).toThrow("--edits=0 is no number");
  });

  it("are refused by name where there is no such", () => {
    expect(() => partsOf("rest,stomr", none)).toThrow("--only=stomr is no part; write some of life, rest,");
  });
});
