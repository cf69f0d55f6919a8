import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ClusterState, readState, withLock, writeState } from "./state.ts";

let root: string;
let work: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "llmbridge-state-"));
  work = join(root, "cluster");
  mkdirSync(work);
});
afterEach(() => rmSync(root, { recursive: true }));

const silent = (): void => undefined;

describe("the state file", () => {
  const process = { pid: 7, startTicks: 9 };
  const state: ClusterState = {
    inputs: "abc",
    startedAtMs: 1,
    node: process,
    running: { etcd: { component: { name: "etcd", argv: ["kubestack", "etcd"], place: "Host" }, process } },
    stopped: [],
  };

  it("comes back as it was written", () => {
    expect(readState(work)).toBeUndefined();
    writeState(work, state);
    expect(readState(work)).toEqual(state);
  });

  it("counts as none when it is of another shape", () => {
    writeFileSync(join(work, "state.json"), '{ "node": 3 }');
    expect(readState(work)).toBeUndefined();
  });
});

describe("the lock", () => {
  it("lets one in at a time and says who is waited for", async () => {
    const order: string[] = [];
    const notes: string[] = [];
    const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
    const first = withLock(work, silent, async () => {
      order.push("first in");
      await finished;
      order.push("first out");
    });
    const second = withLock(
      work,
      (text) => {
        notes.push(text);
        finish();
      },
      async () => {
        order.push("second in");
      },
    );
    await Promise.all([first, second]);
    expect(order).toEqual(["first in", "first out", "second in"]);
    expect(notes).toEqual([`Process ${process.pid} is starting or stopping the cluster; waiting for it.`]);
  });

  it("is given back when the work fails", async () => {
    await expect(withLock(work, silent, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect(existsSync(`${work}.lock`)).toBe(false);
  });

  it.each([
    ["has ended", JSON.stringify({ pid: process.pid, startTicks: 1 })],
    ["left nothing to read", ""],
  ])("of a holder that %s is taken over", async (_, content) => {
    writeFileSync(`${work}.lock`, content);
    expect(await withLock(work, silent, async () => "in")).toBe("in");
  });
});
