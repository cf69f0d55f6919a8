import { describe, expect, it } from "vitest";
import { perObject } from "./per-object.ts";

function bed(most?: number, random?: () => number) {
  const made: (string | undefined)[] = [];
  const nameOf = perObject(
    (object: { name?: string }) => {
      made.push(object.name);
      return object.name;
    },
    most,
    random,
  );
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

  it("holds no more than it may, and lets whichever go for another", () => {
    const slots = [0.99, 0];
    const { made, nameOf } = bed(2, () => slots.shift() ?? 0);
    const [a, b, c] = [{ name: "a" }, { name: "b" }, { name: "c" }];
    for (const object of [a, b, c, a]) nameOf(object);
    expect(made).toEqual(["a", "b", "c"]);
    for (const object of [b, c, b]) nameOf(object);
    expect(made).toEqual(["a", "b", "c", "b"]);
  });

  it("finds most of them again where they are asked for in turns and one is too many", () => {
    const { made, nameOf } = bed(20);
    const objects = Array.from({ length: 21 }, (_, index) => ({ name: String(index) }));
    for (let round = 0; round < 100; round++) objects.forEach(nameOf);
    expect(made.length).toBeLessThan(1_000);
  });
});
