import { describe, expect, it } from "vitest";
import { perObject } from "./per-object.ts";

function bed(most?: number) {
  const made: (string | undefined)[] = [];
  const nameOf = perObject((object: { name?: string }) => {
    made.push(object.name);
    return object.name;
  }, most);
  return { made, nameOf };
}

describe("perObject", () => {
  it("makes a value once for each object, also where it is undefined", () => {
    const { made, nameOf } = bed();
    const [one, same, nameless] = [{ name: "a" }, { name: "a" }, {}];
    const asked = [one, one, same, nameless, nameless].map(nameOf);
    expect(asked).toEqual(["a", "a", "a", undefined, undefined]);
    expect(made).toEqual(["a", "a", undefined]);
  });

  it("forgets those that were not asked for for longest", () => {
    const { made, nameOf } = bed(2);
    const [a, b, c] = [{ name: "a" }, { name: "b" }, { name: "c" }];
    for (const object of [a, b, a, c, a, b]) nameOf(object);
    expect(made).toEqual(["a", "b", "c", "b"]);
  });
});
