import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { VERSION } from "../operator/version.ts";
import { packPlugin } from "./plugin.ts";

describe("the packed plugin", () => {
  let folder: string;
  let plugin: string;
  let packed: Awaited<ReturnType<typeof packPlugin>>;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "llmbridge-packed-"));
    packed = await packPlugin(join(folder, "out"), "https://plugins.example/llmbridge/");
    const store = join(folder, "store");
    mkdirSync(store);
    execFileSync("tar", ["-xzf", packed.archive, "-C", store]);
    // As krew installs it: a link by the plugin's name.
    plugin = join(folder, "kubectl-llmbridge");
    symlinkSync(join(store, parse(readFileSync(packed.manifest, "utf8")).spec.platforms[0].bin), plugin);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const start = (options: readonly string[], ...argv: readonly string[]) => {
    const PATH = `${dirname(process.execPath)}:${process.env.PATH}`;
    const env = { ...process.env, PATH, NODE_OPTIONS: options.join(" ") };
    return spawnSync(plugin, argv, { env, encoding: "utf8" });
  };

  it("runs", () => {
    expect(start([], "-h")).toMatchObject({
      status: 0,
      stderr: "",
      stdout: expect.stringMatching(/^Watch and steer LLM bridges/),
    });
    const example = join(import.meta.dirname, "../examples/full.yaml");
    expect(start([], "lint", example)).toMatchObject({ status: 0, stderr: "" });
    expect(start([], "render", example).stdout).toContain("kind: Deployment");
  });

  it("holds what kubectl's own completion runs, which answers through kubectl", () => {
    const completion = join(folder, "store", "kubectl_complete-llmbridge");
    // Stands in for kubectl, which runs the plugin for its first word.
    const kubectl = join(folder, "kubectl");
    writeFileSync(kubectl, `#!/bin/sh\nshift\nexec "${plugin}" "$@"\n`, { mode: 0o755 });
    const PATH = `${folder}:${dirname(process.execPath)}:${process.env.PATH}`;
    const env = { ...process.env, PATH };
    const { stdout, stderr } = spawnSync(completion, ["promo"], { env, encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({ stdout: "promote\tleave the present step now\n:4\n", stderr: "" });
    const { spec } = parse(readFileSync(packed.manifest, "utf8"));
    expect(spec.caveats).toContain(`/store/llmbridge/v${VERSION}/kubectl_complete-llmbridge`);
  });

  it("says what it needs where Node is too old", () => {
    const old = join(folder, "old.cjs");
    writeFileSync(old, 'Object.defineProperty(process, "versions", { value: { node: "20.1.0" } });');
    expect(start([`--require=${old}`], "-h")).toMatchObject({
      ...{ status: 1, stdout: "", stderr: "error: this needs Node 24 or newer, and node is 20.1.0.\n" },
    });
  });

  it("comes with the manifest of its version and its bytes", async () => {
    const { spec } = parse(readFileSync(packed.manifest, "utf8"));
    expect(spec.version).toBe(`v${VERSION}`);
    const [{ uri, sha256 }] = spec.platforms;
    expect(uri).toBe(`https://plugins.example/llmbridge/${basename(packed.archive)}`);
    expect(sha256).toBe(createHash("sha256").update(readFileSync(packed.archive)).digest("hex"));
    const again = await packPlugin(join(folder, "again"));
    expect(readFileSync(again.archive).equals(readFileSync(packed.archive))).toBe(true);
    expect(parse(readFileSync(again.manifest, "utf8")).spec.platforms[0].uri).toBe(basename(again.archive));
  });
});
