import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withLock } from "./lock.ts";

const doing = "building";
let root: string;
let path: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "llmbridge-lock-"));
  path = join(root, "lock");
});
afterEach(() => rmSync(root, { recursive: true }));

describe("the lock", () => {
  it("lets one in at a time and says who is waited for", async () => {
    const order: string[] = [];
    const notes: string[] = [];
    const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
    const first = withLock({ path, doing }, async () => {
      order.push("first in");
      await finished;
      order.push("first out");
    });
    const note = (text: string) => {
      notes.push(text);
      finish();
    };
    const second = withLock({ path, doing, note }, async () => {
      order.push("second in");
    });
    await Promise.all([first, second]);
    expect(order).toEqual(["first in", "first out", "second in"]);
    expect(notes).toEqual([`Process ${process.pid} is building; waiting for it.`]);
  });

  it("is given back when the work fails", async () => {
    await expect(withLock({ path, doing }, () => Promise.reject(new Error("broken")))).rejects.toThrow(
      "broken",
    );
    expect(existsSync(path)).toBe(false);
  });

  it.each([
    ["has ended", JSON.stringify({ pid: process.pid, startTicks: 1 })],
    ["left nothing to read", ""],
  ])("of a holder that %s is taken over", async (_, content) => {
    writeFileSync(path, content);
    expect(await withLock({ path, doing }, async () => "in")).toBe("in");
  });
});
