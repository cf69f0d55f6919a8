import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readManifests } from "./manifest-files.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llmbridge-manifests-"));
  mkdirSync(join(folder, "below"));
  mkdirSync(join(folder, "bare"));
  for (const name of ["b.yaml", "a.yml", "c.json", "notes.txt", "below/d.yaml"])
    writeFileSync(join(folder, name), name);
});
afterAll(() => rmSync(folder, { recursive: true }));

const stdin = { readStdin: async () => "from stdin" };
const read = async (names: readonly string[], recursive = false) =>
  (await readManifests(names, recursive, stdin)).map(({ text, isNamed }) => [text, isNamed]);

describe("readManifests", () => {
  it("reads files and stdin in the order given", async () => {
    expect(await read([join(folder, "notes.txt"), "-"])).toEqual([
      ["notes.txt", true],
      ["from stdin", true],
    ]);
  });

  it("reads the manifests of a folder, and below it where asked", async () => {
    const here = [
      ["a.yml", false],
      ["b.yaml", false],
    ];
    expect(await read([folder])).toEqual([...here, ["c.json", false]]);
    expect(await read([folder], true)).toEqual([...here, ["below/d.yaml", false], ["c.json", false]]);
  });

  it("says what is not there", async () => {
    await expect(read([join(folder, "none")])).rejects.toThrow(/there is no file .*none\.$/);
    await expect(read([join(folder, "bare")])).rejects.toThrow(/no \.yaml, .* in .*bare; -R looks below/);
  });
});
