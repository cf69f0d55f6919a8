import { describe, expect, it } from "vitest";
import { type StormActs, stormFor } from "./storm.ts";

const HOUR_MS = 3_600_000;

const acts = (more: Partial<StormActs> = {}): StormActs => ({
  create: async () => undefined,
  ready: async () => 10,
  edit: async () => 0.5,
  ...more,
});

/** Ends with the signal only. */
const never = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

describe("a storm", () => {
  it("ends when all is ready, and the last edit still has its reaction", async () => {
    const first = Promise.withResolvers<number>();
    const stormed = await stormFor(HOUR_MS, {
      ...acts({ edit: () => first.promise }),
      async ready() {
        setTimeout(() => first.resolve(7), 0);
        return 10;
      },
    });
    expect(stormed).toMatchObject({ ready: 10, reactionS: [7], isUnanswered: false });
  });

  it("that is not over in time ends with what was seen of it", async () => {
    const stormed = await stormFor(50, acts({ ready: (signal) => never(signal).catch(() => 6) }), HOUR_MS);
    expect(stormed).toMatchObject({ ready: 6, reactionS: [0.5], isUnanswered: false });
    expect(stormed.seconds).toBeLessThan(3_600);
  });

  it("says of an edit that had no reaction in time, and of bridges that were never all created", async () => {
    const edit = (signal: AbortSignal) => never(signal).then(() => 0);
    const stormed = await stormFor(50, acts({ create: never, ready: async () => 3, edit }));
    expect(stormed).toMatchObject({ ready: 3, reactionS: [], isUnanswered: true });
  });

  it("fails with what goes wrong before the time is up", async () => {
    const fails = { create: () => Promise.reject(new Error("the server is gone")) };
    await expect(stormFor(HOUR_MS, acts(fails))).rejects.toThrow("the server is gone");
  });
});
