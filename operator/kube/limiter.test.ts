import { describe, expect, it } from "vitest";
import { createLimiter } from "./limiter.ts";

describe("limiter", () => {
  it("lets so many through and the next in order of arrival", async () => {
    const limiter = createLimiter(1);
    const first = await limiter.acquire();
    const order: string[] = [];
    const second = limiter.acquire().then((giveBack) => {
      order.push("second");
      giveBack();
    });
    const third = limiter.acquire().then(() => order.push("third"));
    expect(limiter.active).toBe(1);
    first();
    first();
    await Promise.all([second, third]);
    expect(order).toEqual(["second", "third"]);
    expect(limiter.active).toBe(1);
  });

  it("forgets who gave up waiting", async () => {
    const limiter = createLimiter(1);
    const giveBack = await limiter.acquire();
    const stop = new AbortController();
    const waiting = limiter.acquire(stop.signal);
    stop.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    giveBack();
    expect(limiter.active).toBe(0);
  });
});
