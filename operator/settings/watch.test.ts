import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Log, silentLog } from "../kube/log.ts";
import type { AdministratorSettings } from "./file.ts";
import { watchSettingsFile } from "./watch.ts";

let folder = "";
let stop: AbortController;
let registry: Registry;
let version = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "settings-"));
  stop = new AbortController();
  registry = new Registry();
  version = 0;
});
afterEach(() => {
  stop.abort();
  rmSync(folder, { recursive: true, force: true });
});

/** Changes the folder the way kubelet does: a new folder of files, and then one rename of the link to it. */
function mount(text: string | undefined): void {
  const data = `..${version++}`;
  mkdirSync(join(folder, data));
  if (text !== undefined) writeFileSync(join(folder, data, "settings.yaml"), text);
  symlinkSync(data, join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  if (version === 1) symlinkSync(join("..data", "settings.yaml"), join(folder, "settings.yaml"));
}
const withSource = (name: string): string => `sources: [{name: ${name}, url: 'http://${name}'}]`;

function start(log: Log = silentLog) {
  const path = join(folder, "settings.yaml");
  return watchSettingsFile({ path, signal: stop.signal, log, registry, prefix: "test_" });
}

describe("watchSettingsFile", () => {
  it("follows a mounted ConfigMap", async () => {
    mount(withSource("one"));
    const file = await start();
    expect(file.current().sources[0]?.name).toBe("one");
    const changed = new Promise<AdministratorSettings>((resolve) => file.onChange(resolve));
    mount(withSource("two"));
    expect((await changed).sources[0]?.name).toBe("two");
    expect(file.current().sources[0]?.name).toBe("two");
    expect(await registry.metrics()).toContain('test_settings_reloads_total{result="accepted"} 1');
  });

  it.each([
    ["is not valid", "sources: nonsense", "is not valid: sources: "],
    ["is gone", undefined, "cannot be read (ENOENT); create it"],
  ])("keeps the last settings when the new file %s, says why once, and recovers", async (_, text, reason) => {
    mount(withSource("one"));
    const told: string[] = [];
    let tell = (): void => {};
    const refused = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const log: Log = {
      ...silentLog,
      error: (fields) => {
        told.push((fields as { reason: string }).reason);
        tell();
      },
    };
    const file = await start(log);
    mount(text);
    await refused;
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(reason);
    expect(file.current().sources[0]?.name).toBe("one");
    expect(await registry.metrics()).toContain("test_settings_valid 0");
    const changed = new Promise<AdministratorSettings>((resolve) => file.onChange(resolve));
    mount(withSource("three"));
    expect((await changed).sources[0]?.name).toBe("three");
    expect(await registry.metrics()).toContain("test_settings_valid 1");
  });

  it("does not start with a file that is missing or not valid", async () => {
    await expect(start()).rejects.toThrow("create it, or name another with --settings");
    mount("sources: 3");
    await expect(start()).rejects.toThrow("is not valid: sources:");
  });
});
