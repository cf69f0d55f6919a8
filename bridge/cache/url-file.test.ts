import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { followUrlFile, type UrlFile } from "./url-file.ts";

let folder = "";
let file: UrlFile | undefined;
const urls: string[] = [];
const problems: string[] = [];
const told: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "url-file-"));
  urls.length = 0;
  problems.length = 0;
  told.length = 0;
});
afterEach(async () => {
  file?.close();
  await rm(folder, { recursive: true });
});

/** In one step, as Kubernetes puts a Secret in place: the folder is watched, and half a file would be read too. */
async function put(text: string): Promise<void> {
  await writeFile(join(folder, "next"), text);
  await rename(join(folder, "next"), join(folder, "url"));
}

function follow(): UrlFile {
  file = followUrlFile({
    path: join(folder, "url"),
    protocols: ["redis:"],
    pollMs: 60_000,
    files: {
      taken: () => void told.push("taken"),
      restored: () => void told.push("restored"),
      refused: () => void told.push("refused"),
    },
    onUrl: (url) => urls.push(url),
    onProblem: (sentence) => problems.push(sentence),
  });
  return file;
}

describe("followUrlFile", () => {
  it("tells the first address and every other one, once", async () => {
    await put("redis://a:1\n");
    const followed = follow();
    await followed.check();
    await followed.check();
    await put("redis://b:1");
    await followed.check();
    expect(urls).toEqual(["redis://a:1", "redis://b:1"]);
  });

  it("names a missing or wrong file once, without the secret, and keeps the last address", async () => {
    const followed = follow();
    await followed.check();
    expect(problems).toEqual([expect.stringContaining("cannot be read (ENOENT)")]);
    await put("http://user:hunter2@x");
    await followed.check();
    await followed.check();
    expect(problems).toHaveLength(2);
    expect(problems[1]).toContain("redis://");
    expect(problems[1]).not.toContain("hunter2");
    expect(urls).toEqual([]);
  });

  it.each([
    ["redis://:100%@a:1", "redis://:100%25@a:1"],
    ["redis://u%:50%off%2F%@a:1/0", "redis://u%25:50%25off%2F%25@a:1/0"],
    ["redis://:p%C3%A4%25@a:1", "redis://:p%C3%A4%25@a:1"],
  ])("tells %s as %s: a percent sign that begins no escape stands for itself", async (text, url) => {
    await put(text);
    await follow().check();
    expect(urls).toEqual([url]);
    expect(problems).toEqual([]);
  });

  it("refuses escapes that are no text, which no client can decode, and says what to write", async () => {
    await put("redis://:hunter2%ff@a:1");
    await follow().check();
    expect(urls).toEqual([]);
    expect(told).toEqual(["refused"]);
    expect(problems).toEqual([expect.stringContaining("write %25")]);
    expect(problems[0]).not.toContain("hunter2");
  });

  it("tells what becomes of each content, so that one in force can be told from one that is not", async () => {
    const path = join(folder, "url");
    await put("redis://a:1");
    const followed = follow();
    await followed.check();
    for (const text of ["wrong", "redis://a:1", "redis://b:1"]) {
      await put(text);
      await followed.check();
    }
    await rm(path);
    await followed.check();
    await put("redis://b:1");
    await followed.check();
    expect(told).toEqual(["taken", "refused", "restored", "taken", "refused", "restored"]);
  });
});
