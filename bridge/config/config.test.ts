import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readSettings } from "../settings.ts";
import { parseConfig } from "./parse.ts";
import { openSecret } from "./secret.ts";
import { watchFile } from "./watch.ts";

const upstream = {
  name: "up",
  protocol: "OpenAI",
  url: "http://x/v1",
  maxConcurrency: 1,
  timeouts: { connectMs: 1, firstByteMs: 1, idleMs: 1 },
};
const config = {
  version: 1,
  bridge: "b",
  namespace: "n",
  revision: "r",
  upstreams: [upstream],
  cache: { ttlMs: 0 },
  workers: { cap: 0, heapMiB: 64 },
  limits: { bodyBytes: 1024, requestMs: 0 },
};

describe("parseConfig", () => {
  it("takes what the contract describes", () => {
    expect(parseConfig(JSON.stringify(config))).toMatchObject({
      ok: true,
      value: { upstreams: [{ models: [] }] },
    });
  });

  it.each([
    [{ ...config, version: 2 }, "config.json: version: "],
    [{ ...config, extra: 1 }, "config.json: Unrecognized key"],
    [
      { ...config, upstreams: [{ ...upstream, maxConcurrency: 0 }] },
      "config.json: upstreams[0].maxConcurrency: ",
    ],
    [
      { ...config, upstreams: [{ ...upstream, url: "x" }] },
      'config.json: upstreams[0].url: "x" is not an http',
    ],
    [{ ...config, upstreams: [upstream, upstream] }, 'config.json: upstreams[1].name: "up" is used twice'],
  ])("names the place of what is wrong", (wrong, sentence) => {
    const parsed = parseConfig(JSON.stringify(wrong));
    expect(parsed.ok ? "" : parsed.message).toContain(sentence);
  });
});

describe("readSettings", () => {
  it("has the mounts and ports of the contract as defaults", () => {
    expect(readSettings({})).toMatchObject({
      configDir: "/etc/llmbridge/config",
      runtimeDir: "/etc/llmbridge/runtime",
      trafficPort: 8080,
      adminPort: 9464,
      logLevel: "info",
    });
  });

  it("names the variable that is wrong", () => {
    expect(() => readSettings({ TRAFFIC_PORT: "x" })).toThrow(
      'environment variable TRAFFIC_PORT: "x" is not valid',
    );
  });
});

describe("a file that is followed", () => {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "watch-"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it("is reported once per change of content, and once per outage", async () => {
    const path = join(directory, "file");
    writeFileSync(path, "one");
    const changes: string[] = [];
    const errors: string[] = [];
    const watched = watchFile(
      {
        path,
        pollMs: 60_000,
        onChange: (text) => changes.push(text),
        onError: (error) => errors.push(error.message),
      },
      "one",
    );
    await watched.check();
    writeFileSync(path, "two");
    await expect.poll(() => changes).toEqual(["two"]);
    await watched.check();
    rmSync(path);
    await watched.check();
    await watched.check();
    expect(errors).toHaveLength(1);
    writeFileSync(path, "two");
    await watched.check();
    expect(changes).toEqual(["two"]);
    watched.close();
  });

  it("is found by polling where its directory came later", async () => {
    const path = join(directory, "later", "file");
    const changes: string[] = [];
    const watched = watchFile(
      { path, pollMs: 50, onChange: (text) => changes.push(text), onError: () => undefined },
      undefined,
    );
    const { mkdirSync } = await import("node:fs");
    mkdirSync(join(directory, "later"));
    writeFileSync(path, "x");
    await expect.poll(() => changes).toEqual(["x"]);
    watched.close();
  });

  it("tells when a secret is in force, gone, back as it was, and another one", async () => {
    const path = join(directory, "told");
    writeFileSync(path, "one");
    const told: string[] = [];
    const secret = openSecret({
      path,
      pollMs: 20,
      onError: () => undefined,
      files: {
        taken: () => void told.push("taken"),
        restored: () => void told.push("restored"),
        refused: () => void told.push("refused"),
      },
    });
    rmSync(path);
    await expect.poll(() => told).toEqual(["taken", "refused"]);
    expect(secret.current()).toBe("one");
    writeFileSync(path, "one");
    await expect.poll(() => told.at(-1)).toBe("restored");
    writeFileSync(path, "two");
    await expect.poll(() => told.at(-1)).toBe("taken");
    expect(secret.current()).toBe("two");
    secret.close();
  });

  it("gives a secret without white space, and an empty one while it is missing", async () => {
    const path = join(directory, "token");
    const errors: string[] = [];
    const secret = openSecret({ path, pollMs: 60_000, onError: (error) => errors.push(error.message) });
    expect(secret.current()).toBe("");
    expect(errors).not.toHaveLength(0);
    writeFileSync(path, "abc\n");
    await expect.poll(() => secret.current()).toBe("abc");
    secret.close();
  });
});
