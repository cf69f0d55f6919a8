import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A settings file that a test changes while an operator runs with it. */
export interface TestSettings {
  readonly path: string;
  /** Puts another content in its place, whole, as kubelet does. */
  write(settings: object): void;
  remove(): void;
}

export function settingsFile(first: object): TestSettings {
  const folder = mkdtempSync(join(tmpdir(), "llmbridge-settings-"));
  const path = join(folder, "settings.yaml");
  const write = (settings: object): void => {
    writeFileSync(`${path}.next`, JSON.stringify(settings));
    renameSync(`${path}.next`, path);
  };
  write(first);
  return { path, write, remove: () => rmSync(folder, { recursive: true }) };
}
