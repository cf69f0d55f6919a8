import fc from "fast-check";
import { Counter, Histogram, Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { CounterTally, HistogramTally } from "./tally.ts";

describe("HistogramTally", () => {
  it("exports what the histogram itself would have, whenever it is flushed", async () => {
    const step = fc.oneof(
      fc.double({ min: 0, max: 20, noNaN: true }),
      fc.constantFrom(0.1, 1, 10),
      fc.constant("flush"),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step), async (steps) => {
        const options = { name: "h", help: "h", labelNames: ["a", "b"] as const, buckets: [0.1, 1, 10] };
        const plain = new Registry();
        const tallied = new Registry();
        const observed = new Histogram({ ...options, registers: [plain] });
        const histogram = new Histogram({ ...options, registers: [tallied] });
        const other = new HistogramTally(histogram, { a: "y", b: "x" });
        const tally = new HistogramTally(histogram, { a: "x", b: "y" });
        observed.zero({ a: "y", b: "x" });
        observed.zero({ a: "x", b: "y" });
        for (const value of steps) {
          if (typeof value === "string") tally.flush();
          else {
            tally.observe(value);
            observed.observe({ a: "x", b: "y" }, value);
          }
        }
        tally.flush();
        other.flush();
        const sums = /_sum\{[^}]*\} (.*)/g;
        const [expected, actual] = [await plain.metrics(), await tallied.metrics()];
        expect(actual.replace(sums, "")).toBe(expected.replace(sums, ""));
        const sumsOf = (text: string) => [...text.matchAll(sums)].map((match) => Number(match[1]));
        for (const [index, sum] of sumsOf(expected).entries())
          expect(sumsOf(actual)[index]).toBeCloseTo(sum, 6);
      }),
      { numRuns: 50 },
    );
  });
});

describe("CounterTally", () => {
  it("exists at 0 and counts what was added since the last flush", async () => {
    const registry = new Registry();
    const counter = new Counter({ name: "c", help: "c", labelNames: ["a"] as const, registers: [registry] });
    const tally = new CounterTally(counter, { a: "x" });
    expect(await registry.metrics()).toContain('c{a="x"} 0');
    for (const expected of [2, 4]) {
      tally.inc();
      tally.inc();
      tally.flush();
      tally.flush();
      expect(await registry.metrics()).toContain(`c{a="x"} ${expected}`);
    }
  });
});
