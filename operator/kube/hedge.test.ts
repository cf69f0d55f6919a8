import { describe, expect, it } from "vitest";
import { hedged } from "./hedge.ts";
import { createVirtualClock } from "./virtual-clock.ts";

function start(end = new AbortController().signal) {
  const clock = createVirtualClock();
  const tries: { readonly answer: PromiseWithResolvers<string>; readonly signal: AbortSignal }[] = [];
  const send = (signal: AbortSignal): Promise<string> => {
    const answer = Promise.withResolvers<string>();
    signal.addEventListener("abort", () => answer.reject(signal.reason), { once: true });
    tries.push({ answer, signal });
    return answer.promise;
  };
  const result = hedged(send, { clock, patienceMs: 2_000, signal: end });
  // Who waits for it does so later.
  result.catch(() => {});
  return { clock, tries, result };
}

describe("a request that must be answered in time", () => {
  it("is sent once where the answer comes soon", async () => {
    const { clock, tries, result } = start();
    await clock.advance(1_999);
    tries[0]?.answer.resolve("soon");
    await clock.advance(10_000);
    expect(await result).toEqual({ answer: "soon", sentAtMs: 0 });
    expect([tries.length, clock.pending]).toEqual([1, 0]);
  });

  it("is sent again beside a try that hangs, which ends with the answer to the other", async () => {
    const { clock, tries, result } = start();
    await clock.advance(2_000);
    expect(tries.map(({ signal }) => signal.aborted)).toEqual([false, false]);
    tries[1]?.answer.resolve("second");
    expect(await result).toEqual({ answer: "second", sentAtMs: 2_000 });
    expect(tries.map(({ signal }) => signal.aborted)).toEqual([true, true]);
  });

  it("takes the late answer of a slow server to the first try", async () => {
    const { clock, tries, result } = start();
    await clock.advance(4_000);
    tries[0]?.answer.resolve("slow");
    expect(await result).toEqual({ answer: "slow", sentAtMs: 0 });
    expect(tries).toHaveLength(2);
  });

  it("fails with the try that fails first, and sends no more", async () => {
    const { clock, tries, result } = start();
    tries[0]?.answer.reject(new Error("refused"));
    await expect(result).rejects.toThrow("refused");
    await clock.advance(10_000);
    expect([tries.length, clock.pending]).toEqual([1, 0]);
  });

  it("ends with its signal", async () => {
    const stop = new AbortController();
    const { clock, tries, result } = start(stop.signal);
    await clock.advance(3_000);
    stop.abort(new Error("enough"));
    await expect(result).rejects.toThrow("enough");
    await clock.advance(10_000);
    expect([tries.length, clock.pending]).toEqual([2, 0]);
  });
});
