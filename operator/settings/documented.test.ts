import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { parseAdministratorSettings } from "./file.ts";

const DOCS = join(import.meta.dirname, "../../docs/concepts");

/** The settings of every YAML block that shows values of the chart. */
const shown = readdirSync(DOCS).flatMap((file) => {
  const text = readFileSync(join(DOCS, file), "utf8");
  const blocks = [...text.matchAll(/^```yaml\n(.*?)^```/gms)].map(
    ([, block]) => parse(block ?? "") as unknown,
  );
  return blocks
    .filter(
      (block): block is { settings: object } =>
        typeof block === "object" && block !== null && "settings" in block,
    )
    .map(({ settings }, index) => [`${file} ${index + 1}`, stringify(settings)] as const);
});

describe("settings in the documentation", () => {
  it("are there", () => {
    expect(shown.length).toBeGreaterThan(4);
  });

  it.each(shown)("are valid: %s", (_, text) => {
    expect(parseAdministratorSettings(text).sources).toHaveLength(1);
  });
});
