import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { identify, isAlive, kill, killOwned, ownedBy, owners, spawnDetached } from "./processes.ts";
import { until } from "./until.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "llmbridge-owner-"));
});
afterEach(async () => {
  await killOwned(folder);
  rmSync(folder, { recursive: true });
});

const spawnSh = (script: string): ReturnType<typeof spawnDetached> =>
  spawnDetached({ argv: ["sh", "-c", script], owner: folder, logFile: join(folder, "log"), cwd: folder });

describe("a detached process", () => {
  it("writes to its log, and is found by its owner, children too", async () => {
    await spawnSh("echo started; sleep 600 & wait");
    await until("both processes", 5000, async () => (ownedBy(folder).length === 2 ? undefined : "not both"));
    expect(readFileSync(join(folder, "log"), "utf8")).toBe("started\n");
    expect(owners()).toContain(folder);
  });

  it("is not found by an owner whose name only begins the same", async () => {
    await spawnSh("sleep 600");
    expect(ownedBy(folder.slice(0, -1))).toEqual([]);
  });

  it("cannot be started from a command that does not exist", async () => {
    const request = { owner: folder, logFile: join(folder, "log"), cwd: folder };
    await expect(spawnDetached({ ...request, argv: ["/nonexistent"] })).rejects.toThrow(/ENOENT/);
  });
});

describe("killing", () => {
  it("ends a process and waits for its end", async () => {
    const id = await spawnSh("sleep 600");
    await kill([id]);
    expect(isAlive(id)).toBe(false);
  });

  it("leaves alone a process that has the number of one that ended", async () => {
    const own = identify(process.pid);
    await kill([{ pid: process.pid, startTicks: (own?.startTicks ?? 0) - 1 }]);
    expect(identify(process.pid)).toEqual(own);
  });

  it("ends all that is owned, even what ignores requests to end", async () => {
    await spawnSh("trap '' TERM INT HUP; sleep 600 & sleep 600");
    await killOwned(folder);
    expect(ownedBy(folder)).toEqual([]);
  });
});
