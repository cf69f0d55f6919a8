import { describe, expect, it } from "vitest";
import { familyOf } from "../family.ts";
import { storedDeployment } from "../testing/family.ts";
import { freshBridge, sampleBridge } from "../testing/sample-bridge.ts";
import { pickRevisions } from "./pick-revisions.ts";

const canary = sampleBridge();
const atRest = sampleBridge({ status: { canary: undefined, rollout: undefined } });

/** d04be8 is the newest, 0ld001 the oldest. */
const deployments = familyOf(
  canary,
  ["d04be8", "7c9f21", "7c0000", "0ld001"].map((revision, index) =>
    storedDeployment(revision, "i", 0, { minutes: index + 1 }),
  ),
  [],
  [],
).deployments;

const picked = (bridge: typeof canary, ...words: string[]) => {
  const { before, after } = pickRevisions(bridge, deployments, words);
  return [before.revision, after.revision];
};

describe("pickRevisions", () => {
  it("compares the stable version with the canary, or with the one before it", () => {
    expect(picked(canary)).toEqual(["7c9f21", "d04be8"]);
    expect(picked(atRest)).toEqual(["7c0000", "7c9f21"]);
    expect(picked(freshBridge())).toEqual(["7c9f21", "d04be8"]);
  });

  it.each([
    ["the oldest serves again", "0ld001", ["d04be8", "7c9f21"], "d04be8"],
    ["one was rolled back in between", "d04be8", ["7c0000"], "7c0000"],
    ["one is gone", "d04be8", ["gone01", "7c9f21"], "7c9f21"],
  ])("compares with what was stable before, where %s", (_, stableRevision, served, before) => {
    const rollout = { phase: "Stable", phaseSince: "2026-11-21T09:00:00Z", stableRevision, served };
    const at = sampleBridge({ status: { stable: undefined, canary: undefined, rollout } });
    expect(picked(at)).toEqual([before, stableRevision]);
    expect(picked(at, "stable")).toEqual([before, stableRevision]);
  });

  it("takes revisions by their beginning, and stable and canary by name", () => {
    expect(picked(canary, "0ld")).toEqual(["7c9f21", "0ld001"]);
    expect(picked(canary, "stable")).toEqual(["7c0000", "7c9f21"]);
    expect(picked(canary, "0ld001", "canary")).toEqual(["0ld001", "d04be8"]);
  });

  it.each([
    [canary, ["d04b38"], "chat has no revision d04b38; did you mean d04be8?"],
    [canary, ["ffffff"], "chat has no revision ffffff; there are d04be8, 7c9f21, 7c0000, 0ld001."],
    [canary, ["7c"], "7c may be 7c9f21 or 7c0000; write more of it."],
    [atRest, ["canary"], "chat has no canary version."],
  ])("refuses what is not one revision: %#", (bridge, words, sentence) => {
    expect(() => picked(bridge, ...words)).toThrow(sentence);
  });

  it("says where there is nothing to compare", () => {
    const stable = deployments.filter(({ revision }) => revision === "7c9f21");
    expect(() => pickRevisions(atRest, stable, [])).toThrow("no canary and no revision before 7c9f21");
    expect(() => pickRevisions(freshBridge(), [], [])).toThrow("has no revision yet");
  });
});
