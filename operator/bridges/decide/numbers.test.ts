import { describe, expect, it } from "vitest";
import { gateValueText, intervalText, pointsText } from "./numbers.ts";

it.each([
  [0, "+0.00pp"],
  [-0.001, "+0.00pp"],
  [0.0213, "+0.02pp"],
  [-4.651, "-4.65pp"],
  [9.996, "+10.0pp"],
  [80.91, "+80.9pp"],
  [100, "+100pp"],
])("%d points are written %s", (points, text) => expect(pointsText(points)).toBe(text));

it("an interval that covers everything is left out", () => {
  expect(intervalText({ interval: [-100, 100] })).toBeUndefined();
  expect(intervalText({})).toBeUndefined();
  expect(intervalText({ interval: [-0.314, 9.684] })).toBe("[-0.31, +9.68]");
});

describe("a gate's value stands in the unit of its limit", () => {
  it.each([
    ["GcTimeShare", 0.04567, "4.57%"],
    ["FirstByteP95", 0.11834, "118ms"],
    ["TotalP95", 1.23456, "1.23s"],
    ["MemoryPerPod", 123_456_789, "118Mi"],
    ["RequestsPerCpuSecond", 310.44, "310"],
  ] as const)("%s", (metric, value, text) => expect(gateValueText(metric, value)).toBe(text));
});
