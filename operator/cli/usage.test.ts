import { expect, it } from "vitest";
import { COMMAND_NAMES, optionsOf } from "./command-table.ts";
import { usage } from "./usage.ts";

it.each([undefined, ...COMMAND_NAMES])("the help of %s fits on a screen of 110 columns", (command) => {
  const text = usage(command);
  expect(text.split("\n").filter((line) => line.length > 110)).toEqual([]);
  expect(text).toContain("Exit codes:");
});

it.each(COMMAND_NAMES.filter((name) => name !== "completion"))("%s can be read by a program", (command) => {
  expect(optionsOf(command)).toContain("output");
});

it("the help of a command names its own options only", () => {
  expect(usage("promote")).toMatch(/--full +all of the traffic/);
  expect(usage("promote")).not.toContain("--watch");
});
