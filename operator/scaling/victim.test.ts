import { describe, expect, it } from "vitest";
import { type VictimCandidate, victim } from "./victim.ts";

const pod = (name: string, over: Partial<VictimCandidate> = {}): VictimCandidate => ({
  pod: name,
  ready: true,
  openStreams: 5,
  createdAtMs: 0,
  ...over,
});

describe("victim", () => {
  it.each<[string, VictimCandidate[], string | undefined]>([
    ["none of none", [], undefined],
    ["the fewest open streams", [pod("a"), pod("b", { openStreams: 2 }), pod("c")], "b"],
    ["one that is not ready before all", [pod("a", { openStreams: 0 }), pod("b", { ready: false })], "b"],
    [
      "never one whose streams are unknown, if another is known",
      [pod("a", { openStreams: undefined }), pod("b")],
      "b",
    ],
    ["the youngest of equals", [pod("a"), pod("b", { createdAtMs: 9 }), pod("c")], "b"],
    [
      "the youngest of unknown ones",
      [pod("a", { openStreams: undefined }), pod("b", { openStreams: undefined, createdAtMs: 1 })],
      "b",
    ],
    ["the same one each time", [pod("b"), pod("a")], "a"],
  ])("%s", (_, pods, expected) => {
    expect(victim(pods)?.pod).toBe(expected);
  });
});
