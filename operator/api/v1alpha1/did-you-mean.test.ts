import { expect, it } from "vitest";
import { didYouMean } from "./did-you-mean.ts";

it.each([
  ["rolout", "rollout"],
  ["maxreplicas", "maxReplicas"],
  ["max-replicas", "maxReplicas"],
  ["replica", "replicas"],
  ["banana", undefined],
])("%s is near to %s", (written, meant) => {
  expect(didYouMean(written, ["rollout", "replicas", "maxReplicas", "resources"])).toBe(meant);
});
