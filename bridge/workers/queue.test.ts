import { describe, expect, it } from "vitest";
import { createAgeingQueue } from "./queue.ts";

function queueAt(clock: { ms: number }, maxSize = 10) {
  return createAgeingQueue<string>({ maxSize, ageMs: 100, now: () => clock.ms });
}

describe("createAgeingQueue", () => {
  it("serves the better class first, and within a class who came first", () => {
    const queue = queueAt({ ms: 0 });
    queue.push("low", "low");
    queue.push("normal 1", "normal");
    queue.push("normal 2", "normal");
    queue.push("high", "high");
    expect([1, 2, 3, 4, 5].map(() => queue.shift())).toEqual([
      "high",
      "normal 1",
      "normal 2",
      "low",
      undefined,
    ]);
  });

  it("lets a waiting item overtake better classes that came much later", () => {
    const clock = { ms: 0 };
    const queue = queueAt(clock);
    queue.push("low", "low");
    clock.ms = 199;
    queue.push("high early", "high");
    clock.ms = 201;
    queue.push("high late", "high");
    expect([1, 2, 3].map(() => queue.shift())).toEqual(["high early", "low", "high late"]);
  });

  it("refuses what does not fit, and gives back all that is left", () => {
    const queue = queueAt({ ms: 0 }, 2);
    expect(queue.push("a", "low")).toBe(true);
    expect(queue.push("b", "high")).toBe(true);
    expect(queue.push("c", "high")).toBe(false);
    expect(queue.clear().sort()).toEqual(["a", "b"]);
    expect(queue.size).toBe(0);
  });
});
