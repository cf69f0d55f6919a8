import { expect, it } from "vitest";
import { growth, type Vitals } from "./vitals.ts";

it("what a soak has added is told of sockets, timers and listeners each by itself", () => {
  const vitals = (sockets: number, timers: number, listeners: number): Vitals => ({
    ...{ p99Ms: 1, maxMs: 2, sockets, timers, listeners },
  });
  expect(growth(vitals(20, 40, 6), vitals(25, 33, 6))).toEqual([
    ["sockets", 5],
    ["timers", -7],
    ["listeners", 0],
  ]);
});
