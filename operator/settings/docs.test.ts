import { describe, expect, it } from "vitest";
import { settingsDocs, settingsHelp } from "./docs.ts";
import { environmentName, flagName, PROCESS_SETTINGS } from "./process.ts";

describe("settingsDocs", () => {
  it("describes every flag, its variable and every field of the file", () => {
    const docs = settingsDocs();
    for (const key of Object.keys(PROCESS_SETTINGS)) {
      expect(docs).toContain(`| \`${flagName(key)}\` | \`${environmentName(key)}\` |`);
      expect(settingsHelp()).toContain(flagName(key));
    }
    expect(docs).toContain("| `--metrics-port` | `LLMBRIDGE_METRICS_PORT` | Port of /metrics.");
    for (const field of [
      "sources[].name",
      "sources[].url",
      "sources[].allowedNamespaces",
      "sources[].labels.pod",
    ]) {
      expect(docs).toContain(`| \`${field}\` |`);
    }
    expect(docs).not.toContain("undefined");
  });

  it("does not depend on the machine it is made on", () => {
    expect(settingsDocs()).toBe(settingsDocs());
    expect(settingsDocs()).toContain("the value of POD_NAME, else the host's name");
  });
});
