import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startArrivals } from "./arrivals.ts";
import { seededRandom } from "./random.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("startArrivals", () => {
  it("keeps its rate, in random gaps", () => {
    const due: number[] = [];
    const arrivals = startArrivals(200, seededRandom(1), (ms) => due.push(ms));
    vi.advanceTimersByTime(20_000);
    arrivals.stop();
    expect(Math.abs(due.length - 4_000)).toBeLessThan(4 * Math.sqrt(4_000));
    const gaps = due.slice(1).map((ms, index) => ms - (due[index] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    expect(Math.sqrt(variance) / mean).toBeGreaterThan(0.9); // 1 for exponential gaps, 0 for a metronome
    vi.advanceTimersByTime(10_000);
    expect(due.length).toBeLessThan(4_300);
  });

  it("makes up for a stall and tells when each was due", () => {
    const due: number[] = [];
    const arrivals = startArrivals(100, seededRandom(1), (ms) => due.push(ms));
    vi.advanceTimersByTime(1_000);
    const before = due.length;
    const stallEndsMs = performance.now() + 2_000;
    vi.setSystemTime(Date.now() + 2_000);
    vi.advanceTimersByTime(2_010);
    arrivals.stop();
    expect(due.length - before).toBeGreaterThan(150);
    expect(due[before]).toBeLessThan(stallEndsMs - 1_800);
  });

  it("changes its rate, and rests at 0", () => {
    let count = 0;
    const arrivals = startArrivals(0, seededRandom(1), () => count++);
    vi.advanceTimersByTime(5_000);
    expect(count).toBe(0);
    arrivals.setRate(50);
    vi.advanceTimersByTime(10_000);
    arrivals.stop();
    expect(Math.abs(count - 500)).toBeLessThan(100);
  });
});
