import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cacheKey, cacheRoot, fileParts } from "./cache.ts";

describe("cacheRoot", () => {
  it.each([
    [{ LLMBRIDGE_CACHE: "/a", XDG_CACHE_HOME: "/b", HOME: "/c" }, "/a"],
    [{ XDG_CACHE_HOME: "/b", HOME: "/c" }, "/b/llmbridge"],
    [{ HOME: "/c" }, "/c/.cache/llmbridge"],
    [{ XDG_CACHE_HOME: "", HOME: "/c" }, "/c/.cache/llmbridge"],
  ])("of %o is %s", (env, root) => {
    expect(cacheRoot(env)).toBe(root);
  });
});

describe("cacheKey", () => {
  it("is short, stable, and changes with any part", () => {
    expect(cacheKey(["a", "b"])).toMatch(/^[0-9a-f]{12}$/);
    expect(cacheKey(["a", "b"])).toBe(cacheKey(["a", "b"]));
    expect(cacheKey(["a", "c"])).not.toBe(cacheKey(["a", "b"]));
  });

  it("tells apart where one part ends and the next begins", () => {
    expect(cacheKey(["ab", "c"])).not.toBe(cacheKey(["a", "bc"]));
    expect(cacheKey(["a", ""])).not.toBe(cacheKey(["a"]));
  });
});

describe("fileParts", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "llmbridge-cache-"));
    mkdirSync(join(root, "src"));
    writeFileSync(join(root, "src/a.ts"), "one");
    writeFileSync(join(root, "src/a.test.ts"), "test");
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it("changes the key when a file's content or name changes", () => {
    const before = cacheKey(fileParts(root, ["src"]));
    writeFileSync(join(root, "src/a.ts"), "two");
    const changed = cacheKey(fileParts(root, ["src"]));
    writeFileSync(join(root, "src/b.ts"), "two");
    expect(new Set([before, changed, cacheKey(fileParts(root, ["src"]))]).size).toBe(3);
  });

  it("leaves out what is not kept", () => {
    const keep = (path: string): boolean => !path.endsWith(".test.ts");
    const before = cacheKey(fileParts(root, ["src"], { keep }));
    writeFileSync(join(root, "src/a.test.ts"), "another");
    expect(cacheKey(fileParts(root, ["src"], { keep }))).toBe(before);
  });

  it("throws for a path that does not exist", () => {
    expect(() => fileParts(root, ["absent"])).toThrow(/absent/);
  });
});
