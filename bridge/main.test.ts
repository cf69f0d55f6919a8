import { afterEach, beforeEach, expect, it } from "vitest";
import { type MountedFiles, writeFiles } from "./testing/bridge.ts";
import { spawnMain } from "./testing/process.ts";

let files: MountedFiles;

beforeEach(() => {
  files = writeFiles({ upstreams: [{ name: "up", url: "http://127.0.0.1:1" }] });
});
afterEach(() => files.remove());

it("a pod that is told to stop while it starts ends at once and well", async () => {
  // What listens is looked up first, here for ever. Without a handler the signal ends this process by itself, and is lost on the first of a container's.
  const startForEver = `
    import dns from "node:dns";
    setInterval(() => undefined, 1_000);
    dns.lookup = () => process.kill(process.pid, "SIGTERM");
  `;
  const preload = `data:text/javascript,${encodeURIComponent(startForEver)}`;
  const { exit, log } = spawnMain(files, ["--import", preload]);
  expect(await exit).toBe(0);
  expect(log.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
    "asked to stop before it was ready",
  ]);
});
