import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sharedLibraries, writeRootFolder } from "./rootfs.ts";
import { run } from "./setup/command.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "llmbridge-root-"));
  writeRootFolder(root);
});
afterAll(() => rmSync(root, { recursive: true }));

describe("the root folder of an image", () => {
  it("holds Node and every library that it loads", async () => {
    const needed = await run(["ldd", process.execPath]);
    const paths = [...needed.matchAll(/(\/\S+)/g)].map((match) => match[1] ?? "");
    expect(paths.length).toBeGreaterThan(4);
    for (const path of paths) expect(existsSync(join(root, path)), path).toBe(true);
    expect(statSync(join(root, "usr/local/bin/node")).mode & 0o777).toBe(0o755);
  });

  it("has no shell", () => {
    for (const shell of ["bin/sh", "bin/bash", "usr/bin/sh"])
      expect(existsSync(join(root, shell))).toBe(false);
  });

  it("knows a user without rights, trusts public authorities, and lets everybody write to /tmp", () => {
    expect(readFileSync(join(root, "etc/passwd"), "utf8")).toMatch(/^nonroot:x:65532:65532:/m);
    expect(readFileSync(join(root, "etc/ssl/certs/ca-certificates.crt"), "utf8")).toContain(
      "BEGIN CERTIFICATE",
    );
    expect(statSync(join(root, "tmp")).mode & 0o7777).toBe(0o1777);
  });
});

describe("sharedLibraries", () => {
  it("names files", () => {
    for (const path of sharedLibraries()) expect(existsSync(path), path).toBe(true);
  });
});
