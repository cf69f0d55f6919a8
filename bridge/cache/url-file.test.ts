import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { followUrlFile, type UrlFile } from "./url-file.ts";

let folder = "";
let file: UrlFile | undefined;
const urls: string[] = [];
const problems: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "url-file-"));
  urls.length = 0;
  problems.length = 0;
});
afterEach(async () => {
  file?.close();
  await rm(folder, { recursive: true });
});

function follow(): UrlFile {
  file = followUrlFile({
    path: join(folder, "url"),
    protocols: ["redis:"],
    pollMs: 60_000,
    onUrl: (url) => urls.push(url),
    onProblem: (sentence) => problems.push(sentence),
  });
  return file;
}

describe("followUrlFile", () => {
  it("tells the first address and every other one, once", async () => {
    await writeFile(join(folder, "url"), "redis://a:1\n");
    const followed = follow();
    await followed.check();
    await followed.check();
    await writeFile(join(folder, "url"), "redis://b:1");
    await followed.check();
    expect(urls).toEqual(["redis://a:1", "redis://b:1"]);
  });

  it("names a missing or wrong file once, without the secret, and keeps the last address", async () => {
    const followed = follow();
    await followed.check();
    expect(problems).toEqual([expect.stringContaining("cannot be read (ENOENT)")]);
    await writeFile(join(folder, "url"), "http://user:hunter2@x");
    await followed.check();
    await followed.check();
    expect(problems).toHaveLength(2);
    expect(problems[1]).toContain("redis://");
    expect(problems[1]).not.toContain("hunter2");
    expect(urls).toEqual([]);
  });
});
