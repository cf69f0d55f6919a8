import { expect, it } from "vitest";
import { perObject } from "./per-object.ts";

it("makes a value once for each object, also where it is undefined", () => {
  let made = 0;
  const nameOf = perObject((object: { name?: string }) => {
    made++;
    return object.name;
  });
  const [one, same, nameless] = [{ name: "a" }, { name: "a" }, {}];
  expect([nameOf(one), nameOf(one), nameOf(same), nameOf(nameless), nameOf(nameless)]).toEqual([
    "a",
    "a",
    "a",
    undefined,
    undefined,
  ]);
  expect(made).toBe(3);
});
