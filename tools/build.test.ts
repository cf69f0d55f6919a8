import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle, bundleOptions, missingEntry } from "./build.ts";
import { run } from "./setup/command.ts";

describe("missingEntry", () => {
  const bundles = [{ name: "bridge", entries: { main: "bridge/main.ts", worker: "bridge/worker.ts" } }];

  it("says which file is missing and what for", () => {
    expect(missingEntry(bundles, (path) => path !== "bridge/worker.ts")).toBe(
      "bridge/worker.ts does not exist; dist/bridge is bundled from it.",
    );
  });

  it("says nothing when all are there", () => {
    expect(missingEntry(bundles, () => true)).toBeUndefined();
  });
});

describe("bundle", () => {
  it("refuses a name that is none", async () => {
    await expect(bundle(["brigde"])).rejects.toThrow(
      '"brigde" is no bundle; write operator, bridge, cli or nothing.',
    );
  });
});

describe("a bundle", () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "llmbridge-build-"));
    writeFileSync(join(root, "package.json"), '{ "type": "module" }');
    // What the CommonJS packages among the dependencies do: ask where they are, and require what is part of Node.
    writeFileSync(
      join(root, "old.cjs"),
      'exports.where = __dirname; exports.sep = require("node:path").sep;',
    );
    writeFileSync(
      join(root, "main.ts"),
      '/*! © Jörg */ import old from "./old.cjs"; console.log(JSON.stringify({ ...old, text: "→ …" }));',
    );
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it("runs on Node with CommonJS parts inside, which find themselves in its folder", async () => {
    await build(bundleOptions({ name: "out", entries: { main: "main.ts" }, command: "main" }, root, root));
    const file = join(root, "out", "main.js");
    expect(JSON.parse(await run([process.execPath, file]))).toEqual({
      ...{ where: join(root, "out"), sep: "/", text: "→ …" },
    });
    expect(readFileSync(file, "utf8")).toMatch(/^[\0-\x7f]*J\\u00f6rg[\0-\x7f]*$/);
  });
});
