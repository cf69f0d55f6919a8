import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isAsked } from "./asked.ts";

const root = new URL("../../", import.meta.url).pathname;
const FILES = globSync("operator/{evidence,rollout}/**/*.test.ts", { cwd: root });
const asked = (path: string) => isAsked(path, readFileSync(`${root}${path}`, "utf8"));

describe("of the tests of evidence/ and rollout/", () => {
  it("no exploration is asked about each change, whatever it is called", () => {
    const explorations = FILES.filter((path) => /\/exploration[^/]*$/.test(path));
    expect(explorations.length).toBeGreaterThan(1);
    expect(explorations.filter(asked)).toEqual([]);
    expect(isAsked("operator/rollout/walk.test.ts", 'import { explore } from "./model/explore.ts";')).toBe(
      false,
    );
  });

  it("neither is what plays thousands of rollouts or starts servers", () => {
    expect(asked("operator/evidence/error-probabilities.test.ts")).toBe(false);
    expect(isAsked("operator/rollout/some.server.test.ts", "")).toBe(false);
  });

  it("all others are", () => {
    const left = FILES.filter((path) => !asked(path) && !/\/exploration|\.server\.|error-prob/.test(path));
    expect(left).toEqual([]);
    expect(asked("operator/rollout/split.test.ts")).toBe(true);
  });
});
