import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CACHED, createProgress } from "./progress.ts";

let written: string;
let nowMs: number;
const write = (text: string): void => {
  written += text;
};

beforeEach(() => {
  written = "";
  nowMs = 0;
});

function takes(ms: number): () => Promise<string> {
  return async () => {
    nowMs += ms;
    return "value";
  };
}

describe("a step's line", () => {
  it("numbers steps and says how long each took", async () => {
    const progress = createProgress({ write, nowMs: () => nowMs, total: 9 });
    expect(await progress.step("Kubernetes", takes(12_345))).toBe("value");
    await progress.step("Helm", takes(420));
    expect(written).toBe(`[ 1/9] Kubernetes ${".".repeat(40)} 12 s\n[ 2/9] Helm ${".".repeat(46)} 0.4 s\n`);
  });

  it("says what the step answers instead of the time", async () => {
    const progress = createProgress({ write, nowMs: () => nowMs });
    await progress.step("Helm", takes(5), () => CACHED);
    expect(written).toMatch(/^Helm \.+ cached\n$/);
  });

  it("says that a step failed and passes its error on", async () => {
    const progress = createProgress({ write, nowMs: () => nowMs });
    const fails = progress.step("Helm", async () => {
      nowMs += 2000;
      throw new Error("no network");
    });
    await expect(fails).rejects.toThrow("no network");
    expect(written).toMatch(/^Helm \.+ failed after 2\.0 s\n$/);
  });
});

describe("a long step", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("says every 30 s that it is still at it, and no more when it has ended", async () => {
    const progress = createProgress({ write, nowMs: Date.now });
    const step = progress.step(
      "Kubernetes",
      () => new Promise<void>((resolve) => setTimeout(resolve, 61_000)),
    );
    await vi.advanceTimersByTimeAsync(61_000);
    await step;
    await vi.advanceTimersByTimeAsync(120_000);
    expect(written).toMatch(
      /^Kubernetes \.\.\. still at it, 30 s\nKubernetes \.\.\. still at it, 60 s\nKubernetes \.+ 61 s\n$/,
    );
  });
});
