import { describe, expect, it } from "vitest";
import { Histogram } from "./histogram.ts";

describe("Histogram", () => {
  it("gives percentiles right to 2 %", () => {
    const histogram = new Histogram();
    for (let ms = 1; ms <= 10_000; ms++) histogram.add(ms);
    const { count, p50, p95, p999, max } = histogram.percentiles();
    expect(count).toBe(10_000);
    for (const [got, wanted] of [
      [p50, 5_000],
      [p95, 9_500],
      [p999, 9_990],
      [max, 10_000],
    ] as const) {
      expect(Math.abs(got - wanted) / wanted).toBeLessThan(0.021);
    }
  });

  it("takes anything, and has zeros where nothing was counted", () => {
    const histogram = new Histogram();
    expect(histogram.percentiles()).toMatchObject({ count: 0, p50: 0, max: 0 });
    for (const ms of [0, -1, 1e12]) histogram.add(ms);
    expect(histogram.percentiles()).toMatchObject({ count: 3, max: 1e12 });
  });
});
